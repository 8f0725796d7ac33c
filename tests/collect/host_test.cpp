// SPDX-License-Identifier: Apache-2.0
#include "collect/tree.hpp"

namespace gpuvet::collect {

Result<void> collect_host(const Machine&, Collected&);
Result<void> collect_drives(const Machine&, Collected&);
Result<void> collect_rdma(const Machine&, Collected&);
Result<void> collect_ipmi(const Machine&, Collected&);
Result<void> collect_services(const Machine&, Collected&);
Result<void> collect_driver_modules(const Machine&, Collected&);
Result<void> collect_environment(const Machine&, Collected&);
Result<void> collect_kernel_log(const Machine&, Collected&);

namespace {

class Host : public Tree {
 protected:
  double number(const Collected& c, Id id) const {
    const auto* o = find(c, id, "node");
    return o == nullptr || o->number() == nullptr ? -1 : *o->number();
  }
};

TEST_F(Host, CountsSocketsCoresAndThreads) {
  for (int cpu = 0; cpu < 8; ++cpu) {
    const std::string at = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/";
    put(at + "topology/physical_package_id", std::to_string(cpu % 2) + "\n");
    put(at + "topology/core_id", std::to_string(cpu / 2 % 2) + "\n");
    put(at + "cpufreq/scaling_governor", cpu == 7 ? "powersave\n" : "performance\n");
  }
  put("/sys/devices/system/node/node0/cpulist", "0-3\n");
  put("/sys/devices/system/node/node0/meminfo", "Node 0 MemTotal:  1000 kB\n");
  put("/sys/devices/system/node/node1/cpulist", "\n");
  put("/proc/sys/kernel/hostname", "gpu-7\n");
  put("/proc/cpuinfo", "processor\t: 0\nmodel name\t: AMD EPYC 7763\n");
  Collected out;
  ASSERT_TRUE(collect_host(machine_, out));
  EXPECT_EQ(number(out, "node.cpu.sockets"_id), 2);
  EXPECT_EQ(number(out, "node.cpu.cores"_id), 4);
  EXPECT_EQ(number(out, "node.cpu.threads"_id), 8);
  EXPECT_EQ(number(out, "node.cpu.numa_nodes"_id), 1) << "a node without processors counts not";
  EXPECT_EQ(text(out, "node.hostname"_id, "node"), "gpu-7");
  EXPECT_EQ(text(out, "node.cpu.model"_id, "node"), "AMD EPYC 7763");
  EXPECT_EQ(*find(out, "node.cpu.governor"_id, "node")->as<std::vector<std::string>>(),
            (std::vector<std::string>{"performance", "powersave"}));
  EXPECT_EQ(*find(out, "numa.memory"_id, "numa:0")->number(), 1024000);
}

TEST_F(Host, CountsOnlyDrivesOfItsOwn) {
  put("/sys/class/nvme/nvme0/transport", "pcie\n");
  put("/sys/class/nvme/nvme0/model", "SAMSUNG  \n");
  put("/sys/class/nvme/nvme1/transport", "rdma\n");
  put("/sys/block/nvme0n1/size", "2000\n");
  Collected out;
  ASSERT_TRUE(collect_drives(machine_, out));
  EXPECT_EQ(number(out, "node.drive.nvme.count"_id), 1);
  EXPECT_EQ(number(out, "node.drive.nvme.capacity"_id), 1024000);
  EXPECT_EQ(text(out, "drive.model"_id, "drive:nvme0"), "SAMSUNG");
}

TEST_F(Host, KeepsRdmaPortsAsTheirImporterReadsThem) {
  put("/sys/class/infiniband/mlx5_0/ports/1/state", "4: ACTIVE\n");
  put("/sys/class/infiniband/mlx5_0/ports/1/rate", "200 Gb/sec (4X HDR)\n");
  Collected out;
  ASSERT_TRUE(collect_rdma(machine_, out));
  ASSERT_EQ(out.sources.size(), 1U);
  EXPECT_NE(out.sources[0].bytes.find("mlx5_0/ports/1/rate: 200 Gb/sec (4X HDR)\n"),
            std::string::npos);
  Collected none;
  machine_.root = platform::Root(folder_ + "/nowhere");
  ASSERT_TRUE(collect_rdma(machine_, none));
  EXPECT_EQ(number(none, "node.nic.rdma.ports"_id), 0);
}

TEST_F(Host, FindsTheCardBelowRdmaInSoftware) {
  put("/sys/class/infiniband/rxe0/ports/1/gid_attrs/ndevs/0", "eth1\n");
  put("/sys/class/infiniband/rxe1/ports/1/gid_attrs/ndevs/0", "../net\n");
  put("/sys/class/infiniband/rxe2/ports/1/gid_attrs/ndevs/0", "bond0\n");
  link("/sys/class/net/eth1",
       "../../devices/pci0000:40/0000:40:00.0/0000:43:00.0/virtio2/net/eth1");
  link("/sys/class/net/bond0", "../../devices/virtual/net/bond0");
  Collected out;
  ASSERT_TRUE(collect_rdma(machine_, out));
  EXPECT_EQ(text(out, "nic.pci.address"_id, "nic:rxe0"), "0000:43:00.0");
  EXPECT_EQ(find(out, "nic.pci.address"_id, "nic:rxe1"), nullptr);
  EXPECT_EQ(find(out, "nic.pci.address"_id, "nic:rxe2"), nullptr);
}

TEST_F(Host, KeepsWhatAToolSaysAmongItsErrorsWhenItHasNothingToList) {
  put("/dev/ipmi0", "");
  put("/ipmitool",
      "#!/bin/sh\n"
      "[ $1 = sel ] && { echo SEL has no entries >&2; exit 0; }\n"
      "[ $1 = sdr ] && { echo no repository >&2; exit 1; }\n"
      "echo noise >&2\necho IPMI Version : 2.0\n");
  std::filesystem::permissions(folder_ + "/ipmitool", std::filesystem::perms::owner_all);
  machine_.tools["ipmitool"] = folder_ + "/ipmitool";
  Collected out;
  ASSERT_TRUE(collect_ipmi(machine_, out));
  ASSERT_EQ(out.sources.size(), 3U);
  EXPECT_EQ(out.sources[0].bytes, "IPMI Version : 2.0\n");
  EXPECT_EQ(out.sources[2].bytes, "SEL has no entries\n");
}

TEST_F(Host, TakesNoNameForOneThatNobodyGave) {
  put("/proc/sys/kernel/hostname", "(none)\n");
  Collected out;
  ASSERT_TRUE(collect_host(machine_, out));
  EXPECT_EQ(find(out, "node.hostname"_id, "node"), nullptr);
}

TEST_F(Host, AsksForAFabricManagerOnlyWhereThereAreSwitches) {
  put("/proc/1/comm", "systemd\n");
  Collected without;
  ASSERT_TRUE(collect_services(machine_, without));
  EXPECT_EQ(find(without, "node.fabric_manager.state"_id, "node"), nullptr);
  put("/dev/nvidia-nvswitchctl", "");
  Collected stopped;
  ASSERT_TRUE(collect_services(machine_, stopped));
  EXPECT_EQ(text(stopped, "node.fabric_manager.state"_id, "node"), "stopped");
  put("/proc/99/comm", "nv-fabricmanage\n");  // the kernel cuts names at 15 bytes
  Collected running;
  ASSERT_TRUE(collect_services(machine_, running));
  EXPECT_EQ(text(running, "node.fabric_manager.state"_id, "node"), "running");
}

TEST_F(Host, KnowsBothWaysOfGpuDirectRdma) {
  put("/sys/module/nvidia/version", "550.54\n");
  Collected none;
  ASSERT_TRUE(collect_driver_modules(machine_, none));
  EXPECT_FALSE(*find(none, "node.gpudirect.rdma"_id, "node")->flag());
  put("/proc/driver/nvidia/version", "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64\n");
  Collected dma_buf;
  ASSERT_TRUE(collect_driver_modules(machine_, dma_buf));
  EXPECT_TRUE(*find(dma_buf, "node.gpudirect.rdma"_id, "node")->flag());
}

TEST_F(Host, KeepsVariablesThatConcernRuns) {
  machine_.environment = {{"NCCL_P2P_DISABLE", "1"}, {"HOME", "/root"}};
  Collected out;
  ASSERT_TRUE(collect_environment(machine_, out));
  EXPECT_EQ(*find(out, "nccl.environment"_id, "node")->as<std::vector<std::string>>(),
            std::vector<std::string>{"NCCL_P2P_DISABLE=1"});
}

TEST_F(Host, TurnsKernelRecordsIntoLines) {
  put("/dev/kmsg",
      "3,1234,5678901,-;NVRM: Xid (PCI:0000:07:00): 79, pid=1\n SUBSYSTEM=pci\n"
      "6,1235,5679000,-;next\n");
  Collected out;
  ASSERT_TRUE(collect_kernel_log(machine_, out));
  ASSERT_EQ(out.sources.size(), 1U);
  EXPECT_NE(out.sources[0].bytes.find("[    5.678901] NVRM: Xid (PCI:0000:07:00): 79"),
            std::string::npos);
}

}  // namespace
}  // namespace gpuvet::collect
