// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

TEST(XidTest, SeverityComesFromTheCatalogueAndSilenceIsSaidForEveryGpu) {
  auto evidence = imported(
      "[    1.000000] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  570.124.06\n"
      "[   10.000000] NVRM: Xid (PCI:0000:01:00): 79, GPU has fallen off the bus.\n"
      "[   11.000000] NVRM: Xid (PCI:0000:01:00): 63, Row Remapper: New row marked\n"
      "[   12.000000] NVRM: Xid (PCI:0000:01:00): 31, MMU Fault\n",
      "dmesg.txt");
  evidence.append(from("smi.xml", [](Recorder& out) {
    for (int i = 0; i < 2; ++i)
      out.number("gpu.index"_id, "gpu:0000:0" + std::to_string(i + 1) + ":00.0", i);
  }));
  const auto e = derived(std::move(evidence));
  EXPECT_EQ(shown(e, "gpu.xid", "gpu:0000:01:00.0"), "31, 63, 79");
  EXPECT_EQ(shown(e, "gpu.xid.fatal", "gpu:0000:01:00.0"), "79");
  EXPECT_EQ(shown(e, "gpu.xid.warning", "gpu:0000:01:00.0"), "63");
  EXPECT_EQ(shown(e, "gpu.xid.fatal", "gpu:0000:02:00.0"), "none");
  EXPECT_EQ(shown(e, "nvswitch.sxid.fatal"), "none");
}

TEST(XidTest, WithoutALogNothingIsSaid) {
  const auto e = derived(
      from("smi.xml", [](Recorder& out) { out.number("gpu.index"_id, "gpu:0000:01:00.0", 0); }));
  EXPECT_EQ(find(e, "gpu.xid.fatal", "gpu:0000:01:00.0"), nullptr);
}

}  // namespace
}  // namespace gpuvet::derive::testing
