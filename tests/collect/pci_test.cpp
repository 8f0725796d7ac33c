// SPDX-License-Identifier: Apache-2.0
#include "collect/tree.hpp"

namespace gpuvet::collect {

Result<void> collect_pci(const Machine&, Collected&);

namespace {

using Texts = std::vector<std::string>;

class Pci : public Tree {};

TEST_F(Pci, TellsWhereEachGpuAndAdapterHangs) {
  // Root port, switch, two of its ports: a GPU below each; an adapter at another root complex.
  pci("pci0000:40/0000:40:01.1", "0x060400", "0x1022", "1");
  pci("pci0000:40/0000:40:01.1/0000:41:00.0", "0x060400", "0x1000", "1");
  pci("pci0000:40/0000:40:01.1/0000:41:00.0/0000:42:00.0", "0x060400", "0x1000", "1");
  pci("pci0000:40/0000:40:01.1/0000:41:00.0/0000:42:00.0/0000:43:00.0", "0x030200", "0x10de", "1");
  pci("pci0000:80/0000:80:01.1/0000:81:00.0", "0x020700", "0x15b3", "2");
  Collected out;
  ASSERT_TRUE(collect_pci(machine_, out));
  const std::string gpu = "gpu:0000:43:00.0";
  const auto* path = find(out, "gpu.pci.path"_id, gpu);
  ASSERT_NE(path, nullptr);
  EXPECT_EQ(*path->as<Texts>(),
            (Texts{"0000:40:01.1", "0000:41:00.0", "0000:42:00.0", "0000:43:00.0"}));
  EXPECT_EQ(text(out, "gpu.pci.root"_id, gpu), "0000:40");
  EXPECT_EQ(text(out, "gpu.pci.upstream"_id, gpu), "0000:41:00.0");
  EXPECT_EQ(*find(out, "gpu.pci.switches"_id, gpu)->number(), 1);
  EXPECT_EQ(text(out, "topology.affinity.numa"_id, gpu), "1");
  EXPECT_EQ(text(out, "gpu.pci.device_id"_id, gpu), "20b2");
  EXPECT_EQ(text(out, "nic.numa"_id, "nic:0000:81:00.0"), "2");
  EXPECT_EQ(text(out, "node.iommu"_id, "node"), "disabled");
}

TEST_F(Pci, CountsTheGpusOnTheBusAndSaysWhenThereIsNone) {
  pci("pci0000:80/0000:80:01.1", "0x060400", "0x1022", "0");
  pci("pci0000:80/0000:80:01.1/0000:81:00.0", "0x020700", "0x15b3", "0");
  Collected none;
  ASSERT_TRUE(collect_pci(machine_, none));
  const auto* count = find(none, "node.gpu.on_bus"_id, "node");
  ASSERT_NE(count, nullptr);
  EXPECT_EQ(*count->number(), 0);
  EXPECT_EQ(count->detail, "none of the 2 devices on the PCI bus is an NVIDIA GPU");
  pci("pci0000:40/0000:40:01.1", "0x030000", "0x1a03", "0");  // the BMC's display
  pci("pci0000:40/0000:40:02.1", "0x030200", "0x10de", "0");
  pci("pci0000:40/0000:40:03.1", "0x068000", "0x10de", "0");  // an NVSwitch
  Collected one;
  ASSERT_TRUE(collect_pci(machine_, one));
  EXPECT_EQ(*find(one, "node.gpu.on_bus"_id, "node")->number(), 1);
  put("/sys/bus/pci/devices/0000:99:00.0/class", "");  // who made it cannot be read
  Collected unreadable;
  ASSERT_TRUE(collect_pci(machine_, unreadable));
  EXPECT_EQ(find(unreadable, "node.gpu.on_bus"_id, "node"), nullptr);
}

TEST_F(Pci, SeesAcsThatRedirectsAndWhoMayReadIt) {
  pci("pci0000:40/0000:40:01.1", "0x060400", "0x1022", "0");
  std::string config(512, '\0');
  config[0x100] = 0x0d;  // ACS capability, the only extended one
  config[0x106] = 0x04;  // request redirect on
  put("/sys/devices/pci0000:40/0000:40:01.1/config", config);
  Collected on;
  ASSERT_TRUE(collect_pci(machine_, on));
  EXPECT_EQ(*find(on, "node.acs.enabled"_id, "node")->as<Texts>(), Texts{"0000:40:01.1"});
  config[0x106] = 0x10;  // upstream forwarding alone redirects nothing
  put("/sys/devices/pci0000:40/0000:40:01.1/config", config);
  Collected off;
  ASSERT_TRUE(collect_pci(machine_, off));
  EXPECT_EQ(*find(off, "node.acs.enabled"_id, "node")->as<Texts>(), Texts{});
  put("/sys/devices/pci0000:40/0000:40:01.1/config", config.substr(0, 64));
  Collected denied;
  ASSERT_TRUE(collect_pci(machine_, denied));
  EXPECT_EQ(std::get<Absence>(find(denied, "node.acs.enabled"_id, "node")->value),
            Absence::permission)
      << "the first 64 bytes are everybody's, the rest is root's";
}

TEST_F(Pci, KnowsAPassthroughIommu) {
  pci("pci0000:40/0000:43:00.0", "0x030200", "0x10de", "0");
  put("/sys/devices/pci0000:40/0000:43:00.0/iommu_group/type", "identity\n");
  put("/sys/kernel/iommu_groups/7/type", "identity\n");
  Collected out;
  ASSERT_TRUE(collect_pci(machine_, out));
  EXPECT_EQ(text(out, "node.iommu"_id, "node"), "passthrough");
}

}  // namespace
}  // namespace gpuvet::collect
