// SPDX-License-Identifier: Apache-2.0
// The tree against the collectors that read real machines: whatever the world holds must come back.
#include "sim/tree.hpp"

#include <gmock/gmock.h>

#include <set>

#include "collect/smbios.hpp"
#include "core/text.hpp"
#include "sim/servers.hpp"

namespace gpuvet::sim {
namespace {

using testing::number;
using testing::server;
using testing::text;
using testing::TreeFolder;
using Texts = std::vector<std::string>;

class EveryTree : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Tree, EveryTree, ::testing::ValuesIn(testing::all_scenarios()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryTree, EachPathOnceAndEachLinkLeadsSomewhere) {
  const auto world = server(GetParam());
  const TreeFolder folder(world);
  std::size_t links = 0;
  const auto files = tree_of(world);
  ASSERT_TRUE(files);
  for (const auto& file : *files) {
    ASSERT_TRUE(file.path.starts_with('/')) << file.path;
    if (file.link.empty()) continue;
    ++links;
    EXPECT_TRUE(std::filesystem::exists(folder.path() + file.path))
        << file.path << " -> " << file.link;
  }
  EXPECT_GE(links, world.gpus.size());
}

TEST_P(EveryTree, PlacesOfGpusAndAdapters) {
  const auto world = server(GetParam());
  const auto found = TreeFolder(world).collected("pci").evidence;
  for (const auto& gpu : world.gpus) {
    const std::string subject = "gpu:" + gpu.place.address();
    const auto* path = testing::find(found, "gpu.pci.path"_id, subject);
    ASSERT_NE(path, nullptr) << subject;
    EXPECT_EQ(*path->as<Texts>(), gpu.place.path);
    EXPECT_EQ(text(found, "gpu.pci.root"_id, subject), gpu.place.root);
    EXPECT_EQ(text(found, "topology.affinity.numa"_id, subject), std::to_string(gpu.place.numa));
    EXPECT_EQ(text(found, "topology.affinity.cpu"_id, subject), gpu.cpus);
    EXPECT_EQ(text(found, "gpu.pci.device_id"_id, subject), gpu.device_id);
  }
  for (const auto& nic : world.nics)
    EXPECT_EQ(number(found, "nic.pcie.generation.max"_id, "nic:" + nic.place.address()),
              nic.generation_max);
  EXPECT_EQ(text(found, "node.iommu"_id), world.iommu ? "enabled" : "disabled");
  const auto* acs = testing::find(found, "node.acs.enabled"_id, "node");
  if (!world.bridges.empty()) {
    ASSERT_NE(acs, nullptr);
    EXPECT_EQ(*acs->as<Texts>(), Texts{});
  }
}

TEST_P(EveryTree, ProcessorsAndMemory) {
  const auto world = server(GetParam());
  const TreeFolder folder(world);
  const auto host = folder.collected("host").evidence;
  EXPECT_EQ(text(host, "node.hostname"_id), world.hostname);
  EXPECT_EQ(text(host, "node.kernel.version"_id), world.kernel);
  EXPECT_EQ(text(host, "node.cpu.model"_id), world.cpu.model);
  EXPECT_EQ(number(host, "node.cpu.sockets"_id), world.cpu.sockets);
  EXPECT_EQ(number(host, "node.cpu.cores"_id), world.cpu.sockets * world.cpu.cores);
  EXPECT_EQ(number(host, "node.cpu.threads"_id),
            world.cpu.sockets * world.cpu.cores * world.cpu.threads);
  EXPECT_EQ(number(host, "node.cpu.numa_nodes"_id), static_cast<double>(world.numa.size()));
  EXPECT_EQ(number(host, "numa.memory"_id, "numa:0"),
            static_cast<double>(world.numa[0].memory / 1024 * 1024));
  const auto memory = folder.collected("memory");
  ASSERT_EQ(memory.sources.size(), 1U);
  EXPECT_TRUE(contains(memory.sources[0].bytes, std::to_string(world.memory / 1024) + " kB"));
}

TEST_P(EveryTree, FirmwareListsSlotsAndModules) {
  const auto world = server(GetParam());
  const auto printed = collect::smbios_text(smbios_table(world));
  ASSERT_TRUE(printed) << printed.error().message();
  std::size_t modules = 0, slots = 0, free = 0;
  for (const auto line : split(*printed, '\n')) {
    modules += line == "Memory Device" ? 1 : 0;
    slots += line == "System Slot Information" ? 1 : 0;
    free += line == "\tCurrent Usage: Available" ? 1 : 0;
  }
  EXPECT_EQ(modules, world.dimms.size());
  EXPECT_EQ(slots, world.slots.size());
  EXPECT_EQ(free,
            static_cast<std::size_t>(std::count_if(world.slots.begin(), world.slots.end(),
                                                   [](const Slot& slot) { return !slot.in_use; })));
  EXPECT_TRUE(contains(*printed, "Product Name: " + world.made.host.product));
}

TEST(Tree, AdaptersDrivesAndModulesComeBack) {
  const auto world = server("dgx-a100");
  const TreeFolder folder(world);
  const auto rdma = folder.collected("rdma");
  ASSERT_EQ(rdma.sources.size(), 1U);
  for (const auto& nic : world.nics)
    if (nic.made.rdma) {
      EXPECT_EQ(text(rdma.evidence, "nic.pci.address"_id, "nic:" + nic.made.name),
                nic.place.address());
      EXPECT_TRUE(contains(rdma.sources[0].bytes, nic.made.name + "/ports/1/state: 4: ACTIVE"));
    }
  const auto drives = folder.collected("drives").evidence;
  EXPECT_EQ(number(drives, "node.drive.nvme.count"_id), static_cast<double>(world.drives.size()));
  EXPECT_EQ(number(drives, "drive.capacity"_id, "drive:nvme0"),
            static_cast<double>(world.drives[0].capacity / 512 * 512));
  const auto modules = folder.collected("modules").evidence;
  EXPECT_TRUE(*testing::find(modules, "node.gpudirect.rdma"_id, "node")->flag());
  EXPECT_TRUE(*testing::find(modules, "node.gpudirect.storage"_id, "node")->flag());
  EXPECT_TRUE(*testing::find(modules, "node.uvm"_id, "node")->flag());
  EXPECT_EQ(text(folder.collected("services").evidence, "node.fabric_manager.state"_id), "running");
}

TEST(Tree, FaultsShowWhereTheyAre) {
  const auto acs = TreeFolder(server("dgx-a100", {"acs-on"})).collected("pci").evidence;
  EXPECT_FALSE(testing::find(acs, "node.acs.enabled"_id, "node")->as<Texts>()->empty());
  const auto swap = TreeFolder(server("dgx-a100", {"swap-on"})).collected("memory");
  EXPECT_FALSE(contains(swap.sources[0].bytes, "SwapTotal:             0 kB"));
  const auto port = TreeFolder(server("dgx-a100", {"nic-down"})).collected("rdma");
  EXPECT_TRUE(contains(port.sources[0].bytes, "state: 1: DOWN"));
  const auto manager =
      TreeFolder(server("dgx-a100", {"fabric-manager-down"})).collected("services").evidence;
  EXPECT_EQ(text(manager, "node.fabric_manager.state"_id), "stopped");
  const auto clock = TreeFolder(server("dgx-a100", {"clock-offset"})).collected("clock");
  ASSERT_EQ(clock.sources.size(), 1U);
  EXPECT_TRUE(contains(clock.sources[0].bytes, "2.000000000 seconds"));
}

TEST(Tree, ALostGpuIsGoneFromIt) {
  const auto world = server("dgx-a100", {"gpu-lost:3"});
  const auto found = TreeFolder(world).collected("pci").evidence;
  EXPECT_EQ(testing::find(found, "gpu.pci.path"_id, "gpu:" + world.gpus[3].place.address()),
            nullptr);
  EXPECT_NE(testing::find(found, "gpu.pci.path"_id, "gpu:" + world.gpus[2].place.address()),
            nullptr);
}

TEST(Tree, AMachineWithoutGpuHasNoDriver) {
  const TreeFolder folder(server("gpu-less"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() + "/dev/nvidiactl"));
  EXPECT_TRUE(folder.collected("modules").evidence.observations.empty());
}

}  // namespace
}  // namespace gpuvet::sim
