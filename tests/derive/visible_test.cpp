// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

struct Seen {
  double attached = 2, listed = 2, files = 2;
  std::string second_driver = "nvidia", container = "none", variable = {};
  bool second_shown = true;
};

std::string hidden(const Seen& seen, const std::string& tool = "NVML") {
  Provenance driver;
  driver.tool = tool;
  Evidence evidence;
  Recorder nvml(evidence, driver);
  nvml.number("node.gpu.attached"_id, "node", seen.attached);
  for (int i = 0; i < (seen.second_shown ? 2 : 1); ++i) {
    const std::string gpu = "gpu:0000:4" + std::to_string(i) + ":00.0";
    nvml.number("gpu.index"_id, gpu, i);
    nvml.text("gpu.pci.address"_id, gpu, gpu.substr(4));
  }
  evidence.append(from("sysfs", [&](Recorder& out) {
    out.number("node.gpu.on_bus"_id, "node", 2);
    out.text("gpu.kernel_driver"_id, "gpu:0000:40:00.0", "nvidia");
    out.text("gpu.kernel_driver"_id, "gpu:0000:41:00.0", seen.second_driver);
    out.text("node.container"_id, "node", seen.container);
    out.number("node.gpu.driver"_id, "node", seen.listed);
    out.number("node.gpu.device_nodes"_id, "node", seen.files);
    if (!seen.variable.empty()) out.texts("nccl.environment"_id, "node", {seen.variable});
  }));
  return shown(derived(std::move(evidence)), "node.gpu.hidden");
}

TEST(Visible, AllAreSeen) {
  EXPECT_EQ(hidden({}), "none");
  EXPECT_EQ(hidden({.variable = "CUDA_VISIBLE_DEVICES=0,1"}), "none");
  EXPECT_EQ(hidden({.variable = "CUDA_DEVICE_ORDER=PCI_BUS_ID"}), "none");
  EXPECT_EQ(hidden({}, "nvidia-smi -q"), "-") << "a file knows nothing of this bus";
}

TEST(Visible, TheBusShowsWhatTheDriverDoesNot) {
  EXPECT_EQ(hidden({.attached = 1,
                    .listed = 1,
                    .files = 1,
                    .second_driver = "vfio-pci",
                    .second_shown = false}),
            "0000:41:00.0: the driver vfio-pci has it");
  EXPECT_EQ(
      hidden(
          {.attached = 1, .listed = 1, .files = 1, .second_driver = "none", .second_shown = false}),
      "0000:41:00.0: no kernel driver has it");
  EXPECT_EQ(
      hidden(
          {.attached = 1, .listed = 1, .files = 1, .container = "docker", .second_shown = false}),
      "0000:41:00.0: not handed into this container (docker)");
  EXPECT_EQ(hidden({.attached = 1, .listed = 2, .files = 2, .second_shown = false}),
            "0000:41:00.0: NVIDIA's driver has it and does not show it; the kernel log says why");
}

TEST(Visible, FilesAndVariablesHideThemToo) {
  EXPECT_EQ(hidden({.files = 1}), "/dev has files of 1 of 2 GPUs");
  EXPECT_EQ(hidden({.variable = "CUDA_VISIBLE_DEVICES=1"}),
            "CUDA_VISIBLE_DEVICES=1 leaves 1 of 2 to CUDA");
  EXPECT_EQ(hidden({.variable = "CUDA_VISIBLE_DEVICES="}),
            "CUDA_VISIBLE_DEVICES= leaves 0 of 2 to CUDA");
  EXPECT_EQ(hidden({.variable = "CUDA_VISIBLE_DEVICES=MIG-1"}), "none") << "slices, not GPUs";
}

}  // namespace
}  // namespace gpuvet::derive::testing
