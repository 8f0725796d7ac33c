// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <functional>

#include "catalogue/packed.hpp"
#include "derive/derive.hpp"
#include "model/joined_gpus.hpp"

namespace gpuvet::model {
namespace {

constexpr BytesPerSecond GB_per_s = BytesPerSecond::base(1e9);

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}

std::string gpu_subject(int i) { return "gpu:smi#" + std::to_string(i); }

using Cell = std::function<std::string(int, int)>;

/// What nvidia-smi tells of `n` GPUs called `name`; without `cell` no matrix.
Evidence evidence_of(int n, const std::string& name, const Cell& cell = {},
                     const std::function<void(Recorder&)>& more = {}) {
  Evidence out;
  Recorder smi(out, Provenance{});
  for (int i = 0; i < n; ++i) {
    smi.number("gpu.index"_id, gpu_subject(i), i);
    smi.text("gpu.name"_id, gpu_subject(i), name);
  }
  if (more) more(smi);
  if (!cell) return derive::derive(std::move(out), catalogue(), {});
  Recorder topo(out, Provenance{});
  std::vector<std::string> columns;
  for (int i = 0; i < n; ++i) columns.push_back("GPU" + std::to_string(i));
  topo.texts("topology.columns"_id, "node", columns);
  for (int i = 0; i < n; ++i) {
    std::vector<std::string> cells;
    for (int j = 0; j < n; ++j) cells.push_back(i == j ? "X" : cell(i, j));
    topo.texts("topology.row"_id, gpu_subject(i), cells);
  }
  return derive::derive(std::move(out), catalogue(), {});
}

constexpr const char* sxm = "NVIDIA A100-SXM4-80GB";
constexpr const char* card = "NVIDIA A100 80GB PCIe";

TEST(FabricFrom, SeesASwitch) {
  const auto machine =
      fabric_from(evidence_of(8, sxm, [](int, int) { return "NV12"; }), catalogue());
  ASSERT_TRUE(machine) << machine.error().reason;
  EXPECT_EQ(machine->gpu.id, "a100-sxm4-80gb");
  EXPECT_EQ(topology_class(machine->fabric), "nvswitch");
  ASSERT_TRUE(machine->fabric.rings);
  EXPECT_DOUBLE_EQ(machine->fabric.rings->rate.in(GB_per_s), 300);
}

TEST(FabricFrom, LosesWhatAMissingLinkCarried) {
  const auto machine = fabric_from(
      evidence_of(8, sxm,
                  [](int a, int b) { return a + b == 11 && a > 4 && b > 4 ? "NV6" : "NV12"; }),
      catalogue());
  ASSERT_TRUE(machine) << machine.error().reason;
  EXPECT_DOUBLE_EQ(machine->fabric.rings->rate.in(GB_per_s), 150);
}

TEST(FabricFrom, SeesBridgesAndWhatLiesBetween) {
  const auto machine = fabric_from(
      evidence_of(4, card, [](int a, int b) { return a / 2 == b / 2 ? "NV12" : "SYS"; }),
      catalogue());
  ASSERT_TRUE(machine) << machine.error().reason;
  EXPECT_EQ(topology_class(machine->fabric), "nvlink-partial");
  EXPECT_EQ(machine->fabric.pairs[1].nvlinks, 12);
  EXPECT_EQ(machine->fabric.pairs[2].path, Path::sys);
  EXPECT_FALSE(machine->fabric.rings->nvlink);
}

TEST(FabricFrom, TakesSlotsAdaptersAndPeersAsTheyAre) {
  const auto machine =
      fabric_from(evidence_of(
                      2, card, [](int, int) { return "PHB"; },
                      [](Recorder& out) {
                        out.number("gpu.pcie.generation.max"_id, gpu_subject(0), 4);
                        out.number("gpu.pcie.width"_id, gpu_subject(0), 16);
                        out.number("gpu.pcie.generation.max"_id, gpu_subject(1), 4);
                        out.number("gpu.pcie.width"_id, gpu_subject(1), 8);
                        out.text("link.p2p.read"_id, "link:smi#0~smi#1", "CNS");
                        out.text("node.cpu.model"_id, "node", "AMD EPYC 7763 64-Core Processor");
                        out.number("nic.rate"_id, "nic:mlx5_0", 25e9);
                        out.flag("nic.rdma"_id, "nic:mlx5_0", true);
                        out.number("nic.rate"_id, "nic:eth0", 1e9);
                      }),
                  catalogue());
  ASSERT_TRUE(machine) << machine.error().reason;
  EXPECT_NEAR(machine->fabric.pcie.in(GB_per_s), 15.75, 0.1) << "the worst slot has 8 lanes";
  EXPECT_TRUE(machine->fabric.staged);
  EXPECT_EQ(machine->fabric.cpu_vendor, "AMD");
  EXPECT_DOUBLE_EQ(machine->fabric.network.in(GB_per_s), 25);
}

TEST(FabricFrom, RefusesWhatIsNotTold) {
  EXPECT_FALSE(fabric_from({}, catalogue()));
  const auto cards = fabric_from(evidence_of(4, card), catalogue());
  ASSERT_FALSE(cards);
  EXPECT_NE(cards.error().reason.find("topo -m"), std::string::npos);
  const auto modules = fabric_from(evidence_of(8, sxm), catalogue());
  ASSERT_TRUE(modules) << "modules are joined as on any baseboard";
  EXPECT_FALSE(modules->notes.empty());
  Evidence mixed;
  Recorder out(mixed, Provenance{});
  out.text("gpu.name"_id, gpu_subject(0), sxm);
  out.text("gpu.name"_id, gpu_subject(1), card);
  out.number("gpu.index"_id, gpu_subject(0), 0);
  out.number("gpu.index"_id, gpu_subject(1), 1);
  const auto two = fabric_from(derive::derive(std::move(mixed), catalogue(), {}), catalogue());
  ASSERT_FALSE(two);
  EXPECT_NE(two.error().reason.find("mixes"), std::string::npos) << two.error().reason;
}

}  // namespace
}  // namespace gpuvet::model
