// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

/// An inventory of `n` GPUs with UUIDs, addresses and ordinals.
Evidence inventory(int n, const std::string& source = "smi.xml") {
  return from(source, [&](Recorder& out) {
    for (int i = 0; i < n; ++i) {
      const auto gpu = "gpu:GPU-0000000" + std::to_string(i + 1);
      out.text("gpu.uuid"_id, gpu, "GPU-0000000" + std::to_string(i + 1));
      out.text("gpu.pci.address"_id, gpu, "0000:0" + std::to_string(i + 1) + ":00.0");
      out.number("gpu.index"_id, gpu, i);
    }
    out.number("node.gpu.attached"_id, "node", n);
  });
}

TEST(IdentitiesTest, OrdinalsAndAddressesBecomeUuids) {
  auto evidence = inventory(2);
  evidence.append(imported(matrix(2, [](int, int) { return "NV4"; }), "topo.txt"));
  evidence.append(from("dmesg.txt",
                       [](Recorder& out) { out.numbers("gpu.xid"_id, "gpu:0000:02:00.0", {79}); }));
  const auto joined = derived(std::move(evidence));
  EXPECT_EQ(shown(joined, "gpu.xid", "gpu:GPU-00000002"), "79");
  EXPECT_EQ(shown(joined, "link.kind", "link:GPU-00000001~GPU-00000002"), "nvlink");
  for (const auto& o : joined.observations)
    EXPECT_EQ(o.subject.find("smi#"), std::string::npos) << o.subject;
}

TEST(IdentitiesTest, OrdinalsStayApartWhenTheCountsDiffer) {
  auto evidence = inventory(3);
  evidence.append(imported(matrix(2, [](int, int) { return "NV4"; }), "topo.txt"));
  const auto joined = derived(std::move(evidence));
  EXPECT_NE(find(joined, "link.kind", "link:smi#0~smi#1"), nullptr);
}

TEST(IdentitiesTest, ZeroUuidIdentifiesNobody) {
  const auto joined = derived(from("smi.xml", [](Recorder& out) {
    for (int i = 0; i < 2; ++i) {
      const auto gpu = "gpu:0000:0" + std::to_string(i + 1) + ":00.0";
      out.text("gpu.uuid"_id, gpu, "GPU-00000000-0000-0000-0000-000000000000");
      out.number("gpu.index"_id, gpu, i);
    }
  }));
  EXPECT_NE(find(joined, "gpu.index", "gpu:0000:01:00.0"), nullptr);
  EXPECT_NE(find(joined, "gpu.index", "gpu:0000:02:00.0"), nullptr);
}

std::vector<FileEvidence> hosts(const std::string& a, const std::string& b) {
  const auto named = [](const std::string& file, const std::string& host) {
    return FileEvidence{
        file, from(file, [&](Recorder& out) { out.text("node.hostname"_id, "node", host); })};
  };
  return {named("a/dmesg.txt", a), named("b/nccl.txt", b)};
}

TEST(ServersTest, TwoHostNamesAreAnErrorThatNamesThem) {
  const auto joined = one_server(hosts("node1", "node2"), {});
  ASSERT_FALSE(joined);
  EXPECT_EQ(joined.error().code, Errc::usage);
  EXPECT_NE(joined.error().what.find("node1"), std::string::npos);
  EXPECT_NE(joined.error().what.find("node2"), std::string::npos);
}

TEST(ServersTest, ShortAndFullNameAreTheSameHost) {
  EXPECT_TRUE(one_server(hosts("node1", "NODE1.example.org"), {}));
}

TEST(ServersTest, ServerPicksByHostFolderOrFile) {
  for (const auto* pick : {"node2", "b", "b/nccl.txt"}) {
    const auto joined = one_server(hosts("node1", "node2"), pick);
    ASSERT_TRUE(joined) << pick;
    EXPECT_EQ(shown(*joined, "node.hostname"), "node2");
  }
  EXPECT_FALSE(one_server(hosts("node1", "node2"), "node3"));
}

TEST(ServersTest, TwoSetsOfGpusAreTwoMachines) {
  auto other = inventory(2, "other.xml");
  for (auto& o : other.observations)
    if (o.id == "gpu.uuid"_id) o.value = Value{std::string("GPU-ffff") + o.subject.back()};
  EXPECT_FALSE(one_server({{"smi.xml", inventory(2)}, {"other.xml", std::move(other)}}, {}));
  EXPECT_TRUE(one_server({{"smi.xml", inventory(2)}, {"later.xml", inventory(2)}}, {}));
}

TEST(ServersTest, ARunOverTwoNodesNamesBothByDesign) {
  auto run = FileEvidence{"nccl.txt", from("nccl.txt", [](Recorder& out) {
                            out.text("node.hostname"_id, "node", "node1");
                            out.text("node.hostname"_id, "node", "node2");
                            out.number("collective.all_reduce.busbw"_id, "node", 1e11,
                                       {{"gpus", 16.0}, {"nodes", 2.0}});
                          })};
  auto log = FileEvidence{"dmesg.txt", from("dmesg.txt", [](Recorder& out) {
                            out.text("node.hostname"_id, "node", "node1");
                          })};
  EXPECT_TRUE(one_server({std::move(run), std::move(log)}, {}));
}

std::vector<FileEvidence> serials(const std::string& a, const std::string& b,
                                  const std::string& host = "") {
  const auto numbered = [&](const std::string& file, const std::string& serial) {
    return FileEvidence{file, from(file, [&](Recorder& out) {
                          out.text("node.serial"_id, "node", serial);
                          if (!host.empty()) out.text("node.hostname"_id, "node", host);
                        })};
  };
  return {numbered("dmidecode.txt", a), numbered("fru.txt", b)};
}

TEST(ServersTest, TwoSerialNumbersAreTwoMachines) {
  const auto joined = one_server(serials("AX-14", "AX-77"), {});
  ASSERT_FALSE(joined);
  EXPECT_NE(joined.error().what.find("ax-14"), std::string::npos);
  EXPECT_NE(joined.error().what.find("ax-77"), std::string::npos);
  EXPECT_TRUE(one_server(serials("AX-14", " ax-14"), {}));
  const auto picked = one_server(serials("AX-14", "AX-77"), "AX-77");
  ASSERT_TRUE(picked);
  EXPECT_EQ(shown(*picked, "node.serial"), "AX-77");
}

TEST(ServersTest, PlaceholdersAreNoSerialNumbers) {
  for (const auto* words : {"To be filled by O.E.M.", "Default string", "0123456789", "00000000",
                            "Not Specified", "System Serial Number", "x"}) {
    EXPECT_TRUE(one_server(serials("AX-14", words), {})) << words;
    auto both = one_server(serials("AX-14", words), {});
    EXPECT_EQ(shown(derived(std::move(*both)), "evidence.contradictions.other"), "none") << words;
  }
}

TEST(ServersTest, SecondNumberOfOneHostIsAContradiction) {
  auto joined = one_server(serials("AX-14", "BOARD-5", "node1"), {});
  ASSERT_TRUE(joined);
  EXPECT_EQ(shown(derived(std::move(*joined)), "evidence.contradictions.other"),
            "node.serial: dmidecode.txt says AX-14, fru.txt says BOARD-5");
}

TEST(ServersTest, ContainersAndLocalhostNameNoMachine) {
  for (const auto* host : {"8a9faed5c3c4", "localhost", "localhost.localdomain", "(none)"})
    EXPECT_TRUE(one_server(hosts("node1", host), {})) << host;
  EXPECT_FALSE(one_server(hosts("node1", "8a9faed5c3c"), {}));
}

TEST(ServersTest, FilesThatNameNoMachineGoWithTheirFolder) {
  const auto picked = [](const std::string& file, const std::string& pick) {
    auto files = hosts("node1", "node2");
    files.push_back(
        {file, from(file, [](Recorder& out) { out.text("node.model"_id, "node", "the model"); })});
    const auto joined = one_server(std::move(files), pick);
    return joined && find(*joined, "node.model") != nullptr;
  };
  EXPECT_TRUE(picked("b/lscpu.txt", "node2"));
  EXPECT_FALSE(picked("b/lscpu.txt", "node1"));
  EXPECT_TRUE(picked("offer.txt", "node1"));  // beside neither, and so about both
}

/// Four GPUs behind switches; nvlink -s lists `links` links of the third, of which `down` are down.
Evidence nvlinks(int links, std::vector<double> down, const std::string& cell = "NV12") {
  auto e = imported(matrix(4, [&](int, int) { return cell; }), "topo.txt");
  e.append(from("nvlink.txt", [&](Recorder& out) {
    for (int i = 0; i < 4; ++i) {
      const auto gpu = "gpu:smi#" + std::to_string(i);
      const auto none = static_cast<double>(down.size());
      out.number("gpu.nvlink.links"_id, gpu, i == 2 ? links : 12);
      out.number("gpu.nvlink.active"_id, gpu, i == 2 ? links - none : 12);
      out.numbers("gpu.nvlink.inactive"_id, gpu, i == 2 ? down : std::vector<double>{});
    }
  }));
  return derived(std::move(e));
}

TEST(ContradictionsTest, MatrixShowsMoreLinksThanTheListOfLinks) {
  EXPECT_EQ(shown(nvlinks(11, {}), "evidence.contradictions.other"),
            "gpu.nvlink.active of gpu:smi#2: topo.txt shows 12 NVLinks, nvlink.txt says 11");
  EXPECT_EQ(shown(nvlinks(12, {}), "evidence.contradictions.other"), "none");
  // A link that is listed as down is a finding already.
  EXPECT_EQ(shown(nvlinks(12, {5}), "evidence.contradictions.other"), "none");
  // Without switches the links go to one peer each: 3 x 4.
  EXPECT_EQ(shown(nvlinks(12, {}, "NV4"), "evidence.contradictions.other"), "none");
  EXPECT_EQ(shown(nvlinks(11, {}, "NV4"), "evidence.contradictions.other"),
            "gpu.nvlink.active of gpu:smi#2: topo.txt shows 12 NVLinks, nvlink.txt says 11");
}

TEST(ContradictionsTest, CountsAndFixedFactsAreTold) {
  auto evidence = inventory(8);
  evidence.append(imported(matrix(7, [](int, int) { return "NV12"; }), "topo.txt"));
  evidence.append(
      from("a.xml", [](Recorder& out) { out.text("node.driver.version"_id, "node", "550.54"); }));
  evidence.append(
      from("b.log", [](Recorder& out) { out.text("node.driver.version"_id, "node", "535.104"); }));
  evidence.append(from("b.log", [](Recorder& out) {
    out.number("gpu.temperature.core"_id, "gpu:GPU-00000001", 50);
  }));
  evidence.append(from("a.xml", [](Recorder& out) {
    out.number("gpu.temperature.core"_id, "gpu:GPU-00000001", 60);
  }));
  const auto found = derived(std::move(evidence));
  EXPECT_EQ(shown(found, "evidence.contradictions.inventory"),
            "node.gpu.attached: smi.xml says 8, topo.txt says 7");
  EXPECT_EQ(shown(found, "evidence.contradictions.other"),
            "node.driver.version: a.xml says 550.54, b.log says 535.104");
}

TEST(ContradictionsTest, RoundingIsNone) {
  const auto found = derived([] {
    auto e = from("a", [](Recorder& out) {
      out.number("gpu.power.limit.default"_id, "gpu:0000:01:00.0", 400);
    });
    e.append(from("b", [](Recorder& out) {
      out.number("gpu.power.limit.default"_id, "gpu:0000:01:00.0", 400.2);
    }));
    return e;
  }());
  EXPECT_EQ(shown(found, "evidence.contradictions.other"), "none");
}

TEST(ContradictionsTest, ADriveMayBeOnTwoBuses) {
  const auto seen_on = [](const std::string& file, const std::string& bus) {
    return from(file, [&](Recorder& out) {
      out.text("drive.bus"_id, "drive:sda", bus);
      out.text("drive.model"_id, "drive:sda", "A");
    });
  };
  auto evidence = seen_on("smart.json", "sata");
  evidence.append(seen_on("lsblk.txt", "sas"));
  EXPECT_EQ(shown(derived(std::move(evidence)), "evidence.contradictions.other"), "none");
}

/// What NVML tells of `gpus` GPUs, those in `lost` only by number; and an Xid of each in `logged`.
Evidence with_lost(const std::vector<std::string>& gpus, const std::set<int>& lost,
                   const std::vector<std::string>& logged) {
  auto evidence = from("NVML", [&](Recorder& out) {
    out.number("node.gpu.attached"_id, "node", static_cast<double>(gpus.size()));
    for (int i = 0; i < static_cast<int>(gpus.size()); ++i) {
      const std::string uuid = "GPU-0000000" + std::to_string(i + 1);
      const std::string subject = lost.contains(i) ? "gpu:smi#" + std::to_string(i) : "gpu:" + uuid;
      out.number("gpu.index"_id, subject, i);
      out.flag("gpu.lost"_id, subject, lost.contains(i));
      if (lost.contains(i)) continue;
      out.text("gpu.uuid"_id, subject, uuid);
      out.text("gpu.pci.address"_id, subject, gpus[static_cast<std::size_t>(i)]);
    }
  });
  evidence.append(from("dmesg", [&](Recorder& out) {
    for (const auto& address : logged) out.numbers("gpu.xid"_id, "gpu:" + address, {79});
  }));
  return evidence;
}

/// Where the GPU that the driver calls `index` is known to be lost.
std::string lost_subject(const Evidence& evidence) {
  std::string out;
  for (const auto& o : evidence.observations)
    if (o.id == "gpu.lost"_id && o.flag() != nullptr && *o.flag())
      out += (out.empty() ? "" : " ") + o.subject;
  return out;
}

TEST(IdentitiesTest, LostGpuIsTheOneWhoseAddressIsLeft) {
  const std::vector<std::string> four = {"0000:07:00.0", "0000:0f:00.0", "0000:47:00.0",
                                         "0000:4e:00.0"};
  EXPECT_EQ(lost_subject(derived(with_lost(four, {2}, {"0000:47:00.0"}))), "gpu:0000:47:00.0");
  EXPECT_EQ(lost_subject(derived(with_lost(four, {1, 2}, {"0000:47:00.0", "0000:0f:00.0"}))),
            "gpu:0000:0f:00.0 gpu:0000:47:00.0");
  // Another GPU's log line is of that one, and none is left.
  EXPECT_EQ(lost_subject(derived(with_lost(four, {2}, {"0000:0f:00.0"}))), "gpu:smi#2");
  // An address that is not in the lost one's place: the driver counts in another order.
  EXPECT_EQ(lost_subject(derived(with_lost(four, {2}, {"0000:99:00.0"}))), "gpu:smi#2");
  // Two addresses for one number.
  EXPECT_EQ(lost_subject(derived(with_lost(four, {2}, {"0000:47:00.0", "0000:48:00.0"}))),
            "gpu:smi#2");
  // With all of them lost nothing proves the order.
  EXPECT_EQ(lost_subject(derived(with_lost({four[0]}, {0}, {four[0]}))), "gpu:smi#0");
}

}  // namespace
}  // namespace gpuvet::derive::testing
