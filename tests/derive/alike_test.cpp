// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

using Counts = std::vector<std::pair<std::string, int>>;

/// Modules "<prefix>1", "<prefix>2", …: so many of each prefix.
Evidence populated(const Counts& counts, double sockets) {
  Provenance provenance;
  provenance.tool = "dmidecode";
  Evidence out;
  Recorder recorder(out, provenance);
  recorder.number("node.cpu.sockets"_id, "node", sockets);
  for (const auto& [prefix, n] : counts)
    for (int i = 1; i <= n; ++i)
      recorder.number("dimm.size"_id, "dimm:" + prefix + std::to_string(i), 64e9);
  recorder.absent("dimm.size"_id, "dimm:P0_DIMM_Z1", Absence::not_supported, "empty");
  return out;
}

std::string uneven(const Counts& counts, double sockets) {
  return shown(derived(populated(counts, sockets)), "node.dimm.uneven");
}

TEST(Alike, ModulesOfEachProcessorAreCounted) {
  EXPECT_EQ(uneven({{"P0_DIMM_A", 16}, {"P1_DIMM_A", 16}}, 2), "none");
  EXPECT_EQ(uneven({{"P0_DIMM_A", 15}, {"P1_DIMM_A", 16}}, 2), "P0: 15, P1: 16");
  EXPECT_EQ(uneven({{"PROC 1 DIMM ", 8}, {"PROC 2 DIMM ", 6}}, 2), "PROC 1: 8, PROC 2: 6");
  EXPECT_EQ(uneven({{"P1-DIMMA", 8}, {"P2-DIMME", 8}}, 2), "none");
  EXPECT_EQ(uneven({{"A", 12}, {"B", 11}}, 2), "A: 12, B: 11");
  EXPECT_EQ(uneven({{"CPU1_DIMM_A", 4}, {"CPU2_DIMM_A", 3}}, 2), "CPU1: 4, CPU2: 3");
}

TEST(Alike, PlacesThatNameNoProcessorAreCountedTogether) {
  EXPECT_EQ(uneven({{"DIMM ", 31}}, 2), "31 modules for 2 processors");
  EXPECT_EQ(uneven({{"DIMM ", 32}}, 2), "none");
  EXPECT_EQ(uneven({{"DIMM ", 7}}, 1), "none") << "of one processor nobody can tell";
}

TEST(Alike, SmallMachinesArePopulatedAsTheyCome) {
  EXPECT_EQ(uneven({{"P1-DIMMA", 2}, {"P2-DIMME", 1}}, 2), "none");
  EXPECT_EQ(uneven({{"DIMM ", 3}}, 2), "none");
  EXPECT_EQ(uneven({{"P1-DIMMA", 8}}, 1), "none") << "the other socket is empty";
}

TEST(Alike, NothingIsSaidOfModulesWithoutTheirProcessors) {
  auto evidence = populated({{"P0_DIMM_A", 15}, {"P1_DIMM_A", 16}}, 2);
  std::erase_if(evidence.observations, [](const auto& o) { return o.id == "node.cpu.sockets"_id; });
  EXPECT_EQ(shown(derived(std::move(evidence)), "node.dimm.uneven"), "-");
}

struct Port {
  std::string name;
  double gigabits;
  std::string layer = "InfiniBand", model = "MT4123", state = "Active";
};

std::string slower(const std::vector<Port>& ports) {
  return shown(derived(from("sysfs",
                            [&](Recorder& out) {
                              for (const auto& p : ports) {
                                const std::string nic = "nic:" + p.name;
                                out.text("nic.model"_id, nic, p.model);
                                out.text("nic.link_layer"_id, nic, p.layer);
                                out.text("nic.state"_id, nic, p.state);
                                out.flag("nic.rdma"_id, nic, true);
                                out.number("nic.rate"_id, nic, p.gigabits * 1e9 / 8);
                              }
                            })),
               "node.nic.slower");
}

TEST(Alike, APortSlowerThanNearlyAllOthersIsNamed) {
  EXPECT_EQ(slower({{"a", 200}, {"b", 200}, {"c", 100}, {"d", 200}}),
            "c at 12.5 GB/s beside 25 GB/s");
  EXPECT_EQ(slower({{"a", 200}, {"b", 200}, {"c", 200}, {"d", 200}}), "none");
}

TEST(Alike, PortsThatAreMeantToDifferAreNotCompared) {
  // Half of them slower is a design; so are another model, another layer, and a port that is down.
  EXPECT_EQ(slower({{"a", 200}, {"b", 200}, {"c", 100}, {"d", 100}}), "none");
  EXPECT_EQ(slower({{"a", 200}, {"b", 200}, {"c", 100, "Ethernet"}, {"d", 200}, {"e", 200}}),
            "none");
  EXPECT_EQ(
      slower({{"a", 200}, {"b", 200}, {"c", 25, "InfiniBand", "MT4117"}, {"d", 200}, {"e", 200}}),
      "none");
  EXPECT_EQ(slower({{"a", 200},
                    {"b", 200},
                    {"c", 10, "InfiniBand", "MT4123", "Down"},
                    {"d", 200},
                    {"e", 200}}),
            "none");
  EXPECT_EQ(slower({{"a", 200}, {"b", 100}}), "-") << "which of two is right?";
}

Evidence at_work(const std::string& tool, std::optional<double> processes, double share) {
  Provenance provenance;
  provenance.tool = tool;
  Evidence out;
  Recorder recorder(out, provenance);
  recorder.number("gpu.index"_id, "gpu:smi#0", 0);
  recorder.number("gpu.utilization"_id, "gpu:smi#0", share);
  if (processes) {
    recorder.number("gpu.processes"_id, "gpu:smi#0", *processes);
    if (*processes > 0) recorder.detail("pid 31337 python3");
  } else {
    recorder.absent("gpu.processes"_id, "gpu:smi#0", Absence::permission);
  }
  return derived(std::move(out));
}

TEST(Alike, ABusyGpuIsNamedWithItsUser) {
  const auto busy = at_work("NVML", 1, 0);
  EXPECT_EQ(shown(busy, "gpu.busy", "gpu:smi#0"), "yes");
  EXPECT_NE(find(busy, "gpu.busy", "gpu:smi#0")->detail.find("pid 31337 python3"),
            std::string::npos);
  EXPECT_EQ(shown(at_work("NVML", 0, 0.02), "gpu.busy", "gpu:smi#0"), "no");
  const auto hidden = at_work("NVML", 0, 0.97);
  EXPECT_EQ(shown(hidden, "gpu.busy", "gpu:smi#0"), "yes");
  EXPECT_NE(find(hidden, "gpu.busy", "gpu:smi#0")->detail.find("97 %"), std::string::npos);
  EXPECT_EQ(shown(at_work("NVML", {}, 1), "gpu.busy", "gpu:smi#0"), "yes");
  EXPECT_EQ(find(at_work("NVML", {}, 0), "gpu.busy", "gpu:smi#0")->get(), nullptr)
      << "whoever holds it without working is not seen";
  EXPECT_EQ(shown(at_work("nvidia-smi -q", 1, 1), "gpu.busy", "gpu:smi#0"), "-")
      << "a file doesn't say who is using it now";
}

}  // namespace
}  // namespace gpuvet::derive::testing
