// SPDX-License-Identifier: Apache-2.0
// gdscheck -p: file systems, GPUs and platform.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer gds();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(gds().recognises(input));
  auto read_back = read(gds(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(gds(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string upper =
    "warn: error opening log file: Permission denied, logging will be disabled\n"
    " GDS release version: 1.13.0.11\n nvidia_fs version:  2.17 libcufile version: 2.12\n"
    " Platform: x86_64\n ============\n ENVIRONMENT:\n ============\n"
    " DRIVER CONFIGURATION:\n =====================\n NVMe P2PDMA        : Unsupported\n"
    " NVMe               : Supported\n NFS                : Unsupported\n"
    " --Mellanox PeerDirect : Enabled\n --rdma_device_status  : Up: 0 Down: 0\n";

const std::string lower_half =
    " CUFILE CONFIGURATION:\n properties.use_pci_p2pdma : false\n GPU INFO:\n"
    " GPU index 0 NVIDIA H100 80GB HBM3 bar:1 bar size (MiB):131072 supports GDS, IOMMU State: "
    "Disabled\n"
    " GPU index 1 NVIDIA T400 bar:1 bar size (MiB):256 does not support GDS, IOMMU State: "
    "Disabled\n"
    " PLATFORM INFO:\n IOMMU: enabled\n Cuda Driver Version Installed:  12080\n"
    " Platform: Server X, Arch: x86_64(Linux 5.15)\n Platform verification succeeded\n";

TEST(Gds, ReadsAWholeReport) {
  const Evidence e = facts(upper + lower_half);
  EXPECT_EQ(text(e, "node.gds.version"), "1.13.0.11");
  EXPECT_EQ(text(e, "node.nvidia_fs.version"), "2.17");
  EXPECT_EQ(value<bool>(e, "node.gpudirect.storage", "node"), true);
  EXPECT_EQ(value<bool>(e, "node.gpudirect.rdma", "node"), true);
  EXPECT_EQ(all_of(e, "gds.filesystem").size(), 3U);
  EXPECT_EQ(*all_of(e, "gds.filesystem")[1].text(), "supported");
  EXPECT_EQ(value<bool>(e, "gpu.gds", "gpu:cuda#0"), true);
  EXPECT_EQ(value<bool>(e, "gpu.gds", "gpu:cuda#1"), false);
  EXPECT_EQ(number(e, "gpu.bar1.total", "gpu:cuda#0"), 131072.0 * 1024 * 1024);
  EXPECT_EQ(text(e, "node.iommu"), "enabled");
  EXPECT_EQ(text(e, "node.cuda.version"), "12.8");
  EXPECT_EQ(text(e, "node.model"), "Server X");
}

TEST(Gds, ReadsTheUpperHalfAlone) {
  std::string half = upper;
  half.replace(half.find(" : Supported"), 12, " : Unsupported");
  half.replace(half.find("Enabled"), 7, "Disabled");
  half.replace(half.find("2.17"), 4, "");
  const Evidence e = facts(half);
  EXPECT_EQ(value<bool>(e, "node.gpudirect.storage", "node"), false);
  EXPECT_TRUE(all_of(e, "node.gpudirect.rdma").empty());  // dma-buf may do the same
  EXPECT_EQ(absence(e, "node.nvidia_fs.version"), Absence::not_supported);
}

TEST(Gds, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(contains(refusal(upper.substr(0, 230)), "cut off"));
  EXPECT_TRUE(contains(refusal(upper + " GPU index x\n"), "unreadable GPU index"));
  EXPECT_TRUE(contains(refusal(upper + std::string(1, '\0')), "NUL"));
}

}  // namespace
}  // namespace gpuvet::ingest
