// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

using Cell = std::function<std::string(int, int)>;

struct Case {
  const char* name;
  int gpus;
  Cell cell;
  const char* expected_class;
  const char* groups;
  const char* missing;
};

bool pair(int i, int j, int a, int b) { return (i == a && j == b) || (i == b && j == a); }

const Case cases[] = {
    {"one GPU", 1, [](int, int) { return "SYS"; }, "single", "none", "none"},
    {"two without NVLink", 2, [](int, int) { return "PHB"; }, "pcie", "none", "none"},
    {"eight without NVLink", 8, [](int, int) { return "SYS"; }, "pcie", "none", "none"},
    {"two bridged", 2, [](int, int) { return "NV12"; }, "nvlink-all", "2", "none"},
    {"HGX A100 4-GPU", 4, [](int, int) { return "NV4"; }, "nvlink-all", "4", "none"},
    {"18 links in all are not more than one GPU has", 4, [](int, int) { return "NV6"; },
     "nvlink-all", "4", "none"},
    {"21 links in all take a switch", 4, [](int, int) { return "NV7"; }, "nvswitch", "4", "none"},
    {"DGX A100", 8, [](int, int) { return "NV12"; }, "nvswitch", "8", "none"},
    {"two bridged pairs", 4, [](int i, int j) { return i / 2 == j / 2 ? "NV12" : "SYS"; },
     "nvlink-partial", "2, 2", "none"},
    {"a bridged pair and a lone card", 3, [](int i, int j) { return i + j == 3 ? "NV6" : "NODE"; },
     "nvlink-partial", "2", "none"},
    {"one pair behind switches is short", 8,
     [](int i, int j) { return pair(i, j, 5, 6) ? "NV11" : "NV12"; }, "nvswitch", "8",
     "GPU5~GPU6 has 11 of 12 NVLinks"},
    {"one direction behind switches is short", 8,
     [](int i, int j) { return i == 2 && j == 1 ? "NV11" : "NV12"; }, "nvswitch", "8",
     "GPU1~GPU2 has 11 of 12 NVLinks"},
    {"one pair behind switches fell back to PCIe", 4,
     [](int i, int j) { return pair(i, j, 0, 3) ? "SYS" : "NV12"; }, "nvlink-partial", "4",
     "GPU0~GPU3 has 0 of 12 NVLinks"},
    {"directions disagree", 2, [](int i, int) { return i == 0 ? "NV4" : "NV3"; }, "nvlink-all", "2",
     "GPU0~GPU1 has 3 of 4 NVLinks"},
    {"one link of an HGX-4 pair is down", 4,
     [](int i, int j) { return pair(i, j, 1, 2) ? "NV3" : "NV4"; }, "nvlink-all", "4",
     "GPU1~GPU2 has 3 of 4 NVLinks"},
    {"all links of an HGX-4 pair are down", 4,
     [](int i, int j) { return pair(i, j, 1, 2) ? "SYS" : "NV4"; }, "nvlink-partial", "4",
     "GPU1~GPU2 has 0 of 4 NVLinks"},
    {"one bridge of two pairs is narrow", 4,
     [](int i, int j) { return i / 2 != j / 2 ? "SYS"
                               : i < 2        ? "NV12"
                                              : "NV8"; }, "nvlink-partial",
     "2, 2", "GPU2~GPU3 has 8 of 12 NVLinks"},
};

class TopologyTest : public ::testing::TestWithParam<Case> {};

TEST_P(TopologyTest, Understood) {
  const auto& c = GetParam();
  const auto evidence = derived(imported(matrix(c.gpus, c.cell)));
  EXPECT_EQ(shown(evidence, "topology.gpu_count"), std::to_string(c.gpus));
  EXPECT_EQ(shown(evidence, "topology.class"), c.expected_class);
  EXPECT_EQ(shown(evidence, "topology.nvlink_groups"), c.groups);
  EXPECT_EQ(shown(evidence, "topology.nvlink.missing"), c.missing);
}

INSTANTIATE_TEST_SUITE_P(Matrices, TopologyTest, ::testing::ValuesIn(cases),
                         [](const auto& param_info) {
                           std::string name = param_info.param.name;
                           for (auto& c : name)
                             if (!std::isalnum(static_cast<unsigned char>(c))) c = '_';
                           return name;
                         });

/// Two rings of four with double links between neighbours, as on a DGX-1: every GPU has six.
std::string mesh(int i, int j) {
  const int a = i % 4, b = j % 4;
  if (i / 4 != j / 4) return a == b ? "NV2" : "SYS";
  const int distance = std::abs(a - b) == 3 ? 1 : std::abs(a - b);
  return distance == 2 ? "NV2" : "NV1";
}

TEST(TopologyTest, MeshOfUnequalPairsIsComplete) {
  const auto evidence = derived(imported(matrix(8, mesh)));
  EXPECT_EQ(shown(evidence, "topology.class"), "nvlink-partial");
  EXPECT_EQ(shown(evidence, "topology.nvlink_groups"), "8");
  EXPECT_EQ(shown(evidence, "topology.nvlink.missing"), "none");
}

TEST(TopologyTest, MeshShortOfALinkNamesThePair) {
  const auto evidence = derived(imported(
      matrix(8, [](int i, int j) { return pair(i, j, 0, 4) ? std::string("NV1") : mesh(i, j); })));
  EXPECT_EQ(shown(evidence, "topology.nvlink.missing"), "GPU0~GPU4 has 1 of 2 NVLinks");
}

TEST(TopologyTest, SkuDecidesWhetherLinksNeedASwitch) {
  auto evidence = imported(matrix(4, [](int, int) { return "NV6"; }));
  evidence.append(from("smi.xml", [](Recorder& out) {
    for (int i = 0; i < 4; ++i) {
      const auto gpu = "gpu:GPU-0000000" + std::to_string(i + 1);
      out.text("gpu.name"_id, gpu, "NVIDIA A100-SXM4-80GB");
      out.number("gpu.index"_id, gpu, i);
    }
  }));
  EXPECT_EQ(shown(derived(std::move(evidence)), "topology.class"),
            "nvswitch");  // 18 links, an A100 has 12
}

TEST(TopologyTest, BridgeNarrowerThanTheCardIsShort) {
  auto evidence = imported(matrix(2, [](int, int) { return "NV8"; }));
  evidence.append(from("smi.xml", [](Recorder& out) {
    for (int i = 0; i < 2; ++i) {
      out.text("gpu.name"_id, "gpu:smi#" + std::to_string(i), "NVIDIA A100 80GB PCIe");
      out.number("gpu.index"_id, "gpu:smi#" + std::to_string(i), i);
    }
  }));
  EXPECT_EQ(shown(derived(std::move(evidence)), "topology.nvlink.missing"),
            "GPU0~GPU1 has 8 of 12 NVLinks");
}

TEST(TopologyTest, PairsAreNamedOnceWithKindAndCount) {
  const auto evidence =
      derived(imported(matrix(3, [](int i, int j) { return i + j == 1 ? "NV4" : "NODE"; })));
  EXPECT_EQ(shown(evidence, "link.kind", "link:smi#0~smi#1"), "nvlink");
  EXPECT_EQ(shown(evidence, "link.nvlink_count", "link:smi#0~smi#1"), "4");
  EXPECT_EQ(shown(evidence, "link.kind", "link:smi#0~smi#2"), "node");
  EXPECT_EQ(shown(evidence, "link.nvlink_count", "link:smi#0~smi#2"), "-");
  EXPECT_EQ(shown(evidence, "link.kind", "link:smi#1~smi#0"), "-");
}

TEST(TopologyTest, AffinityCountsNumaNodesElseCpus) {
  auto text = matrix(4, [](int, int) { return "SYS"; });
  const auto numa = derived(imported(text));
  EXPECT_EQ(shown(numa, "topology.numa_nodes"), "2");
  EXPECT_EQ(shown(numa, "topology.crosses_numa"), "yes");
  EXPECT_EQ(find(numa, "topology.crosses_socket")->get(), nullptr);
  const auto cpus =
      derived(imported("\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tPHB\t0-11\nGPU1\tPHB\t X \t0-11\n"));
  EXPECT_EQ(shown(cpus, "topology.numa_nodes"), "1");
  EXPECT_EQ(shown(cpus, "topology.crosses_numa"), "no");
  const auto none = derived(imported("\tGPU0\tGPU1\nGPU0\t X \tPHB\nGPU1\tPHB\t X \n"));
  EXPECT_EQ(find(none, "topology.numa_nodes")->get(), nullptr);
}

TEST(TopologyTest, NearestAdapterWinsByPathThenOrder) {
  const auto evidence =
      derived(imported("\tGPU0\tGPU1\tNIC0\tNIC1\tNIC2\tCPU Affinity\tNUMA Affinity\n"
                       "GPU0\t X \tNV4\tSYS\tPXB\tPXB\t0-23\t0\n"
                       "GPU1\tNV4\t X \tNODE\tSYS\tSYS\t0-23\t0\n"
                       "NIC0\tSYS\tNODE\t X \tSYS\tSYS\t\t\n"
                       "NIC1\tPXB\tSYS\tSYS\t X \tPIX\t\t\n"
                       "NIC2\tPXB\tSYS\tSYS\tPIX\t X \t\t\n"
                       "\nNIC Legend:\n\n  NIC0: mlx5_0\n  NIC1: mlx5_1\n  NIC2: mlx5_2\n"));
  EXPECT_EQ(shown(evidence, "topology.nic_count"), "3");
  EXPECT_EQ(shown(evidence, "gpu.nic.nearest", "gpu:smi#0"), "nic:mlx5_1");
  EXPECT_EQ(shown(evidence, "gpu.nic.path", "gpu:smi#0"), "pxb");
  EXPECT_EQ(shown(evidence, "gpu.nic.path", "gpu:smi#1"), "node");
}

TEST(TopologyTest, GpuWhoseLinksWereNotReadHasNotLostThem) {
  const auto told = [](bool second) {
    return derived(from("nvml", [&](Recorder& out) {
      for (const std::string place : {"0000:01:00.0", "0000:02:00.0"}) {
        const std::string gpu = "gpu:GPU-" + place;
        out.text("gpu.uuid"_id, gpu, "GPU-" + place);
        out.text("gpu.name"_id, gpu, "NVIDIA A100-SXM4-80GB");
        out.texts("gpu.pci.path"_id, gpu, {place});
        if (place == "0000:01:00.0") out.texts("gpu.nvlink.ends"_id, gpu, {"0000:02:00.0"});
        if (place == "0000:02:00.0" && second) out.texts("gpu.nvlink.ends"_id, gpu, {"down"});
      }
    }));
  };
  EXPECT_EQ(shown(told(true), "topology.class"), "pcie");
  const auto half = told(false);
  EXPECT_EQ(find(half, "topology.class")->get(), nullptr);
  EXPECT_EQ(find(half, "topology.class")->detail,
            "where the NVLinks of 1 of 2 GPUs lead was not read");
  EXPECT_EQ(find(half, "topology.nvlink_groups"), nullptr);
}

/// Two GPUs as the PCI tree shows them; `links` adds what else is known.
Evidence in_the_tree(const std::string& device_id,
                     const std::function<void(Recorder&, const std::string&)>& links = {}) {
  return derived(from("sysfs", [&](Recorder& out) {
    for (const std::string place : {"0000:41:00.0", "0000:42:00.0"}) {
      const std::string gpu = "gpu:" + place;
      out.text("gpu.pci.address"_id, gpu, place);
      out.text("gpu.pci.device_id"_id, gpu, device_id);
      out.texts("gpu.pci.path"_id, gpu, {"0000:40:0" + place.substr(6, 1) + ".1", place});
      out.text("gpu.pci.root"_id, gpu, "0000:40");
      out.text("topology.affinity.numa"_id, gpu, "0");
      if (links) links(out, gpu);
    }
  }));
}

TEST(TopologyTest, PlacesAloneDoNotSayThatThereIsNoNvlink) {
  const auto a100 = in_the_tree("20b2");  // an SXM module, which always has NVLinks
  ASSERT_NE(find(a100, "topology.class"), nullptr) << "unknown with its reason, not left out";
  EXPECT_EQ(find(a100, "topology.class")->get(), nullptr);
  EXPECT_EQ(find(a100, "topology.nvlink.missing")->get(), nullptr);
  EXPECT_EQ(find(a100, "link.kind", "link:0000:41:00.0~0000:42:00.0"), nullptr);
  EXPECT_EQ(shown(a100, "topology.crosses_numa"), "no") << "what the places do say stays";
}

TEST(TopologyTest, PlacesTellTheWholeOfGpusWithoutNvlink) {
  EXPECT_EQ(shown(in_the_tree("1eb8"), "topology.class"), "pcie") << "no T4 has NVLinks";
  const auto driver_says_so = [](Recorder& out, const std::string& gpu) {
    out.absent("gpu.nvlink.links"_id, gpu, Absence::not_supported);
  };
  EXPECT_EQ(shown(in_the_tree("20b2", driver_says_so), "topology.class"), "pcie");
  const auto silent = [](Recorder& out, const std::string& gpu) {
    out.absent("gpu.nvlink.links"_id, gpu, Absence::timeout);
  };
  EXPECT_EQ(find(in_the_tree("20b2", silent), "topology.class")->get(), nullptr);
}

TEST(TopologyTest, NoGpuIsAFactOnlyWhereSomebodyLooked) {
  const auto seen = [](double on_bus, std::optional<double> attached) {
    auto evidence = from("sysfs", [&](Recorder& out) {
      out.number("node.gpu.on_bus"_id, "node", on_bus);
      out.detail("as the bus says");
    });
    if (attached)
      evidence.append(from(
          "nvml", [&](Recorder& out) { out.number("node.gpu.attached"_id, "node", *attached); }));
    return derived(std::move(evidence));
  };
  EXPECT_EQ(shown(seen(0, {}), "topology.gpu_count"), "0");
  EXPECT_EQ(find(seen(0, {}), "topology.gpu_count")->detail, "as the bus says");
  EXPECT_EQ(shown(seen(0, 0), "topology.gpu_count"), "0");
  EXPECT_EQ(shown(seen(0, 1), "topology.gpu_count"), "1") << "WSL has GPUs on no bus";
  EXPECT_EQ(shown(seen(1, 0), "topology.gpu_count"), "-") << "the driver lacks one";
  EXPECT_EQ(shown(derived(Evidence{}), "topology.gpu_count"), "-") << "nobody looked";
}

TEST(TopologyTest, BothEndsOfTheLinksMakeThem) {
  const auto evidence = in_the_tree("20b2", [](Recorder& out, const std::string& gpu) {
    const std::string other = gpu == "gpu:0000:41:00.0" ? "0000:42:00.0" : "0000:41:00.0";
    out.texts("gpu.nvlink.ends"_id, gpu, std::vector<std::string>(12, other));
  });
  EXPECT_EQ(shown(evidence, "topology.class"), "nvlink-all");
  EXPECT_EQ(shown(evidence, "link.nvlink_count", "link:0000:41:00.0~0000:42:00.0"), "12");
}

}  // namespace
}  // namespace gpuvet::derive::testing
