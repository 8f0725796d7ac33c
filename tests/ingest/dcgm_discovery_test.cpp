// SPDX-License-Identifier: Apache-2.0
// dcgmi discovery: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_discovery();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_discovery().recognises(input));
  auto read_back = read(dcgm_discovery(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_discovery(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string listing =
    "2 GPUs found.\n"
    "+--------+--------------------------------------------+\n"
    "| GPU ID | Device Information                         |\n"
    "+--------+--------------------------------------------+\n"
    "| 0      | Name: NVIDIA H100 80GB HBM3                |\n"
    "|        | PCI Bus ID: 00000000:19:00.0               |\n"
    "|        | Device UUID: GPU-aaaaaaaa-1111             |\n"
    "+--------+--------------------------------------------+\n"
    "| 3      | Status: Lost                               |\n"
    "|        | Name: NVIDIA H100 80GB HBM3 (last known)   |\n"
    "|        | PCI Bus ID: 00000000:3B:00.0 (last known)  |\n"
    "|        | Device UUID: GPU-bbbbbbbb-2222             |\n"
    "+--------+--------------------------------------------+\n"
    "4 NvSwitches found.\n"
    "+-----------+\n| Switch ID |\n+-----------+\n| 9         |\n+-----------+\n";

TEST(DcgmDiscovery, NamesGpusByUuidAndLinksDcgmsNumbers) {
  const Evidence e = facts(listing);
  EXPECT_EQ(text(e, "gpu.name", "gpu:GPU-bbbbbbbb-2222"), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(text(e, "gpu.pci.address", "gpu:GPU-bbbbbbbb-2222"), "0000:3b:00.0");
  EXPECT_EQ(text(e, "gpu.pci.address", "gpu:dcgm#3"), "0000:3b:00.0");
  EXPECT_EQ(text(e, "gpu.health", "gpu:GPU-bbbbbbbb-2222"), "Lost");
  EXPECT_EQ(number(e, "node.gpu.attached"), 2);
  EXPECT_EQ(all_of(e, "gpu.name").size(), 2U);
}

TEST(DcgmDiscovery, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(contains(refusal(listing.substr(0, 400)), "1 are listed: the file is cut off"));
  EXPECT_TRUE(contains(refusal("| GPU ID | Device Information |\n"), "how many GPUs"));
  EXPECT_TRUE(contains(refusal("Error: Cannot get GPU list from remote node.\n"), "an error"));
  EXPECT_TRUE(contains(refusal("1 GPU found.\n| 0 | Name: x |\n"), "neither PCI address nor UUID"));
}

TEST(DcgmDiscovery, DoesNotCountWhenInactiveGpusAreLeftOut) {
  const Evidence e = facts(
      "1 GPU found (Active).\nNote: Use -a flag to show all GPUs, including those that are not "
      "active.\n| GPU ID | Device Information |\n| 0 | Name: x |\n| | PCI Bus ID: 00000000:19:00.0 "
      "|\n");
  EXPECT_TRUE(all_of(e, "node.gpu.attached").empty());
  EXPECT_EQ(text(e, "gpu.name", "gpu:0000:19:00.0"), "x");
}

}  // namespace
}  // namespace gpuvet::ingest
