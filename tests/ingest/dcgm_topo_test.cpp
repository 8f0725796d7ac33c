// SPDX-License-Identifier: Apache-2.0
// dcgmi topo: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_topo();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_topo().recognises(input));
  auto read_back = read(dcgm_topo(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_topo(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string table =
    "+-------------------+---------------------------------------------------------+\n"
    "| Topology Information                                                        |\n"
    "| GPU ID: 1                                                                   |\n"
    "+===================+=========================================================+\n"
    "| CPU Core Affinity | 0 - 31, 64 - 95                                         |\n"
    "+-------------------+---------------------------------------------------------+\n"
    "| To GPU 0          | Connected via a CPU-level link                          |\n"
    "|                   | Connected via four NVLINKs (Links: 0, 1, 2, 3)          |\n"
    "| To GPU 2          | Connected via multiple PCIe switches                    |\n"
    "| To GPU 3          | Connected via a CPU-level link                          |\n"
    "+-------------------+---------------------------------------------------------+\n";

TEST(DcgmTopo, ReadsPathsAndLinks) {
  std::string whole = table;
  whole.erase(whole.find("+-------------------+", 250), 80);  // newer ones have no border here
  const Evidence e = facts(whole);
  EXPECT_EQ(text(e, "topology.affinity.cpu", "gpu:dcgm#1"), "0 - 31, 64 - 95");
  EXPECT_EQ(text(e, "link.kind", "link:dcgm#0~dcgm#1"), "nvlink");
  EXPECT_EQ(number(e, "link.nvlink_count", "link:dcgm#0~dcgm#1"), 4);
  EXPECT_EQ(text(e, "link.kind", "link:dcgm#1~dcgm#2"), "pxb");
  EXPECT_EQ(absence(e, "link.kind", "link:dcgm#1~dcgm#3"), Absence::not_asked);
  EXPECT_EQ(only(e, "link.kind", "link:dcgm#1~dcgm#2")->line, 8U);
}

TEST(DcgmTopo, RefusesWhatSaysTooLittle) {
  EXPECT_TRUE(contains(refusal("| Topology Information |\n| Group 0 |\n"), "only the worst path"));
  EXPECT_TRUE(contains(refusal(table.substr(0, table.size() - 90)), "cut off"));
  EXPECT_TRUE(contains(refusal("| Topology Information |\n"), "no table"));
}

}  // namespace
}  // namespace gpuvet::ingest
