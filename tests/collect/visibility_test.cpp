// SPDX-License-Identifier: Apache-2.0
#include "collect/tree.hpp"

namespace gpuvet::collect {

Result<void> collect_visibility(const Machine&, Collected&);
Result<void> collect_clock(const Machine&, Collected&);

namespace {

class Visibility : public Tree {
 protected:
  std::string kind() {
    Collected out;
    EXPECT_TRUE(collect_visibility(machine_, out));
    return text(out, "node.container"_id, "node");
  }
};

TEST_F(Visibility, NamesTheContainer) {
  EXPECT_EQ(kind(), "") << "nothing tells";
  put("/proc/1/cgroup", "0::/init.scope\n");
  EXPECT_EQ(kind(), "none");
  put("/run/systemd/container", "systemd-nspawn\n");
  EXPECT_EQ(kind(), "systemd-nspawn");
  put("/.dockerenv", "");
  EXPECT_EQ(kind(), "docker");
  put("/proc/1/cgroup", "0::/kubepods.slice/kubepods-pod1.slice/cri-containerd-1.scope\n");
  EXPECT_EQ(kind(), "kubernetes");
}

TEST_F(Visibility, CountsWhatTheDriverAndDevShow) {
  Collected none;
  ASSERT_TRUE(collect_visibility(machine_, none));
  EXPECT_EQ(find(none, "node.gpu.driver"_id, "node"), nullptr) << "no driver hides nothing";
  put("/proc/driver/nvidia/gpus/0000:41:00.0/information", "");
  put("/proc/driver/nvidia/gpus/0000:42:00.0/information", "");
  for (const char* file : {"nvidia0", "nvidiactl", "nvidia-uvm", "nvidia-nvswitch0", "null"})
    put(std::string("/dev/") + file, "");
  Collected out;
  ASSERT_TRUE(collect_visibility(machine_, out));
  EXPECT_EQ(*find(out, "node.gpu.driver"_id, "node")->number(), 2);
  EXPECT_EQ(*find(out, "node.gpu.device_nodes"_id, "node")->number(), 1);
}

TEST_F(Visibility, NamesPtpClocksAndWhoCarriesTheirTime) {
  put("/sys/class/ptp/ptp0/clock_name", "mlx5_ptp\n");
  put("/proc/71/comm", "phc2sys\n");
  put("/proc/72/comm", "ptp4l\n");
  put("/proc/73/comm", "bash\n");
  Collected out;
  ASSERT_TRUE(collect_clock(machine_, out));
  using Texts = std::vector<std::string>;
  EXPECT_EQ(*find(out, "node.ptp.clocks"_id, "node")->as<Texts>(), Texts{"ptp0: mlx5_ptp"});
  EXPECT_EQ(*find(out, "node.ptp.services"_id, "node")->as<Texts>(), (Texts{"phc2sys", "ptp4l"}));
}

}  // namespace
}  // namespace gpuvet::collect
