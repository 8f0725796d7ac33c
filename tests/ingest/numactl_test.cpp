// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer numactl();

namespace testing {
namespace {

const Importer importer = numactl();

constexpr double mib = 1024. * 1024;

constexpr std::string_view two =
    "$ numactl --hardware\n"
    "available: 2 nodes (0,8)\n"
    "node 0 cpus: 0 1 2 3 8\n"
    "node 0 size: 96549 MB\n"
    "node 0 free: 91010 MB\n"
    "node 8 cpus:\n"
    "node 8 size: 0 MB\n"
    "node 8 free: 0 MB\n"
    "node distances:\n"
    "node   0   8\n"
    "  0:  10  31\n"
    "  8:  40  10\n";

TEST(NumactlTest, NodesMemoryAndDistances) {
  const auto evidence = understood(importer, two);
  EXPECT_EQ(text(evidence, "numa.cpus", "numa:0"), "0-3,8");
  EXPECT_EQ(absence(evidence, "numa.cpus", "numa:8"), Absence::not_supported);
  EXPECT_EQ(number(evidence, "node.cpu.numa_nodes"), 1);
  EXPECT_EQ(number(evidence, "numa.memory", "numa:0"), 96549 * mib);
  EXPECT_EQ(number(evidence, "numa.memory", "numa:8"), 0);
  EXPECT_EQ(number(evidence, "numa.memory.free", "numa:0"), 91010 * mib);
  const auto distances = all_of(evidence, "numa.distance", "numa:8");
  ASSERT_EQ(distances.size(), 2U);
  EXPECT_EQ(*distances[0].number(), 40);
  EXPECT_EQ(dimension(distances[0], "to"), 0);
  EXPECT_EQ(dimension(distances[1], "to"), 8);
}

TEST(NumactlTest, WithoutDistancesAndWithoutALastLineEnd) {
  const auto evidence = understood(
      importer,
      "available: 1 nodes (0)\nnode 0 cpus: 0-3\nnode 0 size: 7826 MB\nnode 0 free: 1637 MB\n"
      "No distance information available.\n");
  EXPECT_EQ(text(evidence, "numa.cpus", "numa:0"), "0-3");
  EXPECT_EQ(understood(importer, two.substr(0, two.size() - 1)).observations.size(),
            understood(importer, two).observations.size());
}

TEST(NumactlTest, PastedFromAWebPage) {
  const auto evidence =
      understood(importer,
                 "available: 1 nodes (0)\nnode 0 cpus: 0\nnode 0 size: 9 MB\nnode 0 free: 1 MB\n"
                 "node distances:\nnode\xc2\xa0 \xc2\xa0 0\n\xc2\xa0 0:\xc2\xa0 10");
  EXPECT_EQ(number(evidence, "numa.distance", "numa:0"), 10);
}

TEST(NumactlTest, NoPrefixIsTakenForAWholeMatrix) {
  for (std::size_t n = two.find("node distances"); n + 1 < two.size(); ++n) {
    const auto evidence = read(importer, two.substr(0, n));
    if (!evidence) continue;  // cut before or right at the matrix, all that came is whole
    EXPECT_TRUE(all_of(*evidence, "numa.distance").empty()) << n;
    EXPECT_EQ(number(*evidence, "numa.memory", "numa:0"), 96549 * mib) << n;
  }
}

TEST(NumactlTest, Broken) {
  expect_error(importer, "No NUMA available on this system\n", 1, "no NUMA nodes");
  expect_error(importer, "bash: numactl: command not found\n", 1, "isn't installed");
  expect_error(importer, "available: 2 nodes (0-1)\nnode 0 cpus: 0\nnode 0 size: 1 MB\n", 3,
               "ends early");
  expect_error(importer, "available: x nodes\n", 1, "no number");
  expect_error(importer, "available: 9999 nodes\n", 1, "more than 256");
  expect_error(importer, "available: 1 nodes (0)\nnode 0 cpus: 0 zwei\n", 2, "unreadable");
  expect_error(importer, "available: 1 nodes (0)\nnode 0 cpus: 0\nnode 0 size: 7,5 MB\n", 3,
               "decimal comma");
  expect_error(importer, "available: 1 nodes (0)\nnode distances:\nnode 0\n 0: 10 20\n", 4,
               "row of 2");
  expect_error(importer, "available: 1 nodes (0)\navailable: 1 nodes (0)\n", 2, "second list");
  expect_error(importer, std::string_view("available: 1 nodes (0)\n\0\n", 25), 2, "NUL");
  const auto odd =
      understood(importer, "available: 1 nodes (0)\nnode 0 cpus: 0\nnode 0 size: -1 MB\n");
  EXPECT_EQ(absence(odd, "numa.memory", "numa:0"), Absence::malformed);
}

TEST(NumactlTest, RecognisesItsOutputOnly) {
  EXPECT_TRUE(importer.recognises(two));
  EXPECT_TRUE(importer.recognises("No NUMA available on this system\n"));
  EXPECT_FALSE(importer.recognises("Upgrade available: 2 nodes\nnode 0 is old\n"));
  EXPECT_FALSE(importer.recognises("Architecture: x86_64\nCPU(s): 4\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
