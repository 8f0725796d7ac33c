// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer hwloc_xml();

namespace testing {
namespace {

const Importer importer = hwloc_xml();

constexpr std::string_view processors =
    "<object type=\"Core\"><object type=\"PU\" os_index=\"0\"/><object type=\"PU\" "
    "os_index=\"1\"/></object>\n";

/// A machine of one package with `inside` it.
std::string machine(std::string_view inside, std::string_view version = "2.0",
                    std::string_view cpus = "0x00000003") {
  return "<?xml version=\"1.0\"?>\n<!DOCTYPE topology SYSTEM \"hwloc2.dtd\">\n<topology "
         "version=\"" +
         std::string(version) + "\">\n<object type=\"Machine\" cpuset=\"" + std::string(cpus) +
         "\" complete_cpuset=\"0x00000003\" nodeset=\"0x00000003\">\n"
         "<info name=\"DMIProductName\" value=\"G 4\"/><info name=\"HostName\" value=\"n1\"/>\n"
         "<object type=\"Package\" os_index=\"0\" nodeset=\"0x00000002\">\n"
         "<info name=\"CPUModel\" value=\"EPYC\"/>\n"
         "<object type=\"NUMANode\" os_index=\"1\" nodeset=\"0x00000002\" "
         "local_memory=\"810234351616\"/>\n" +
         std::string(inside) + "</object></object></topology>\n";
}

/// A device behind root port 0000:40:01.1 and one switch.
std::string behind_switch(std::string_view device) {
  return "<object type=\"Bridge\" bridge_type=\"0-1\" depth=\"0\" bridge_pci=\"0000:[40-47]\">\n"
         "<object type=\"Bridge\" bridge_type=\"1-1\" pci_busid=\"0000:40:01.1\">\n"
         "<object type=\"Bridge\" bridge_type=\"1-1\" pci_busid=\"0000:41:00.0\">\n"
         "<object type=\"Bridge\" bridge_type=\"1-1\" pci_busid=\"0000:42:00.0\">\n" +
         std::string(device) + "</object></object></object></object>\n";
}

const std::string gpu =
    "<object type=\"PCIDev\" pci_busid=\"0000:43:00.0\" pci_type=\"0302 [10de:20B2] [10de:1463] "
    "a1\" pci_link_speed=\"31.507692\">\n"
    "<object type=\"OSDev\" name=\"cuda3\" subtype=\"CUDA\" osdev_type=\"5\">"
    "<info name=\"GPUModel\" value=\"NVIDIA A100-SXM4-80GB\"/></object>\n"
    "<object type=\"OSDev\" name=\"nvml2\" osdev_type=\"1\">"
    "<info name=\"GPUModel\" value=\"NVIDIA A100-SXM4-80GB\"/>"
    "<info name=\"NVIDIASerial\" value=\"1650\"/>"
    "<info name=\"NVIDIAUUID\" value=\"GPU-04732404-7fc3-5ae6-cddd-c879b3a379bb\"/></object>\n"
    "</object>\n";

Evidence good(std::string_view xml) {
  auto evidence = read(importer, xml);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

TEST(HwlocXmlTest, MachineAndGpuBehindASwitch) {
  const Evidence evidence = good(machine(std::string(processors) + behind_switch(gpu)));
  EXPECT_EQ(text(evidence, "node.model"), "G 4");
  EXPECT_EQ(text(evidence, "node.hostname"), "n1");
  EXPECT_EQ(text(evidence, "node.cpu.model"), "EPYC");
  EXPECT_EQ(number(evidence, "node.cpu.sockets"), 1);
  EXPECT_EQ(number(evidence, "node.cpu.cores"), 1);
  EXPECT_EQ(number(evidence, "node.cpu.threads"), 2);
  EXPECT_EQ(number(evidence, "node.gpu.attached"), 1);
  EXPECT_EQ(number(evidence, "numa.memory", "numa:1"), 810234351616);
  const std::string subject = "gpu:0000:43:00.0";
  EXPECT_EQ(text(evidence, "gpu.pci.address", subject), "0000:43:00.0");
  EXPECT_EQ(text(evidence, "gpu.pci.root", subject), "0000:40");
  EXPECT_EQ(text(evidence, "gpu.pci.upstream", subject), "0000:41:00.0");
  EXPECT_EQ(number(evidence, "gpu.pci.switches", subject), 1);
  EXPECT_EQ(text(evidence, "topology.affinity.numa", subject), "1");
  EXPECT_EQ(text(evidence, "gpu.pci.device_id", subject), "20b2");
  EXPECT_EQ(text(evidence, "gpu.name", subject), "NVIDIA A100-SXM4-80GB");
  EXPECT_EQ(number(evidence, "gpu.index", subject), 2);  // NVML's, not CUDA's
  EXPECT_EQ(text(evidence, "gpu.uuid", subject), "GPU-04732404-7fc3-5ae6-cddd-c879b3a379bb");
  EXPECT_EQ(text(evidence, "gpu.serial", subject), "1650");
  EXPECT_EQ(only(evidence, "gpu.pci.address", subject)->line, 14U);
}

TEST(HwlocXmlTest, AdaptersAndDrives) {
  const std::string devices =
      "<object type=\"PCIDev\" pci_busid=\"0000:44:00.0\" pci_type=\"0207 [15b3:1021] [15b3:1] "
      "00\">"
      "<object type=\"OSDev\" name=\"ib0\" osdev_type=\"2\"/>"
      "<object type=\"OSDev\" name=\"mlx5_0\" osdev_type=\"3\">"
      "<info name=\"Port1State\" value=\"1\"/></object></object>\n"
      "<object type=\"PCIDev\" pci_busid=\"0000:45:00.0\" pci_type=\"0108 [144d:a80a] [1:1] 00\">"
      "<object type=\"OSDev\" name=\"nvme0n1\" subtype=\"Disk\" osdev_type=\"0\">"
      "<info name=\"Size\" value=\"1562813784\"/><info name=\"Model\" value=\"LVM PV x on "
      "/dev/nvme0n1\"/><info name=\"SerialNumber\" value=\"S3\"/></object></object>\n"
      "<object type=\"PCIDev\" pci_busid=\"0000:46:00.0\" pci_type=\"0300 [1a03:2000] [1:1] "
      "41\"/>\n";
  const Evidence evidence = good(machine(behind_switch(devices)));
  EXPECT_EQ(text(evidence, "nic.pci.address", "nic:mlx5_0"), "0000:44:00.0");
  EXPECT_EQ(text(evidence, "nic.pci.root", "nic:mlx5_0"), "0000:40");
  EXPECT_EQ(text(evidence, "nic.pci.upstream", "nic:mlx5_0"), "0000:41:00.0");
  EXPECT_EQ(text(evidence, "nic.numa", "nic:mlx5_0"), "1");
  EXPECT_EQ(text(evidence, "nic.netdev", "nic:mlx5_0"), "ib0");
  EXPECT_EQ(text(evidence, "nic.state", "nic:mlx5_0"), "Down");
  EXPECT_EQ(value<bool>(evidence, "nic.rdma", "nic:mlx5_0"), true);
  EXPECT_TRUE(all_of(evidence, "nic.name", "nic:ib0").empty());
  EXPECT_EQ(number(evidence, "drive.capacity", "drive:nvme0n1"), 1562813784.0 * 1024);
  EXPECT_EQ(text(evidence, "drive.serial", "drive:nvme0n1"), "S3");
  EXPECT_EQ(only(evidence, "drive.model", "drive:nvme0n1"), nullptr);
  EXPECT_EQ(only(evidence, "node.gpu.attached", "node"), nullptr);  // a BMC's screen is no GPU
}

TEST(HwlocXmlTest, TypesAreBitsInVersion3) {
  const std::string devices =
      "<object type=\"PCIDev\" pci_busid=\"0000:44:00.0\" pci_type=\"0207 [15b3:1021] [1:1] 00 "
      "00\">"
      "<object type=\"OSDev\" name=\"ib0\" osdev_type=\"16\"/>"
      "<object type=\"OSDev\" name=\"mlx5_0\" osdev_type=\"32\"/></object>\n"
      "<object type=\"PCIDev\" pci_busid=\"0000:45:00.0\" pci_type=\"0108 [144d:a80a] [1:1] 00 "
      "02\">"
      "<object type=\"OSDev\" name=\"nvme0n1\" osdev_type=\"1\"><info name=\"Size\" "
      "value=\"1562813784\"/></object></object>\n";
  const Evidence evidence = good(machine(behind_switch(devices), "3.0"));
  EXPECT_EQ(text(evidence, "nic.netdev", "nic:mlx5_0"), "ib0");
  EXPECT_EQ(text(evidence, "drive.bus", "drive:nvme0n1"), "nvme");
  EXPECT_EQ(only(evidence, "drive.capacity", "drive:nvme0n1"), nullptr);
}

TEST(HwlocXmlTest, Version1HoldsDevicesInNumaNodes) {
  const Evidence evidence = good(
      "<topology>\n<object type=\"Machine\" nodeset=\"0x00000003\" cpuset=\"0x3\" "
      "complete_cpuset=\"0x3\">\n"
      "<object type=\"NUMANode\" os_index=\"1\" nodeset=\"0x00000002\" local_memory=\"4096\">\n"
      "<object type=\"Socket\">" +
      std::string(processors) + "</object>\n" + behind_switch(gpu) +
      "</object></object></topology>");
  EXPECT_EQ(number(evidence, "node.cpu.sockets"), 1);
  EXPECT_EQ(number(evidence, "numa.memory", "numa:1"), 4096);
  EXPECT_EQ(text(evidence, "topology.affinity.numa", "gpu:0000:43:00.0"), "1");
}

TEST(HwlocXmlTest, VirtualMachineHidesTheTree) {
  const Evidence evidence = good(
      "<topology version=\"2.0\"><object type=\"Machine\" nodeset=\"0x00000001,0x00000001\">"
      "<object type=\"Bridge\" bridge_type=\"0-1\" bridge_pci=\"0000:[00-00]\">" +
      gpu + "</object></object></topology>");
  for (const std::string_view id :
       {"gpu.pci.root", "gpu.pci.upstream", "gpu.pci.switches", "topology.affinity.numa"})
    EXPECT_EQ(absence(evidence, id, "gpu:0000:43:00.0"), Absence::not_supported) << id;
}

TEST(HwlocXmlTest, PartOfTheProcessorsIsNoCount) {
  const std::string hole = "<object type=\"Core\"><object type=\"PU\" os_index=\"3\"/></object>\n";
  for (const std::string& xml : {machine(hole), machine(processors, "2.0", "0x00000001")}) {
    const Evidence evidence = good(xml);
    EXPECT_EQ(absence(evidence, "node.cpu.cores"), Absence::permission);
    EXPECT_EQ(absence(evidence, "node.cpu.threads"), Absence::permission);
    EXPECT_EQ(number(evidence, "node.cpu.sockets"), 1);
  }
}

TEST(HwlocXmlTest, RefusesWhatIsNoWholeTopology) {
  const std::string whole = machine(behind_switch(gpu));
  const auto cut = read(importer, whole.substr(0, whole.size() - 40));
  ASSERT_FALSE(cut);
  EXPECT_EQ(cut.error().code, Errc::malformed);
  EXPECT_NE(cut.error().input_line, 0U);
  const auto address = read(importer, machine("<object type=\"PCIDev\" pci_busid=\"x\"/>\n"));
  ASSERT_FALSE(address);
  EXPECT_EQ(address.error().what, "pci_busid \"x\" is no PCI address");
  EXPECT_EQ(address.error().input_line, 9U);
  EXPECT_FALSE(read(importer, "<topology version=\"2.0\"/>"));
  EXPECT_FALSE(read(importer, "<graph/>"));
  const Evidence odd =
      good(machine("<object type=\"NUMANode\" os_index=\"5\" "
                   "local_memory=\"-1,5\"/>\n"));
  EXPECT_EQ(absence(odd, "numa.memory", "numa:5"), Absence::not_supported);
}

TEST(HwlocXmlTest, RecognisesTopologiesOnly) {
  EXPECT_TRUE(importer.recognises(machine("")));
  EXPECT_FALSE(importer.recognises("<topology><node/></topology>"));
  EXPECT_FALSE(importer.recognises("<system version=\"1\"><cpu numaid=\"0\"/></system>"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
