// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer memory_usage();

namespace testing {
namespace {

const Importer importer = memory_usage();

constexpr double kib = 1024, mib = kib * 1024, gib = mib * 1024;

Evidence understood(std::string_view given) {
  EXPECT_TRUE(importer.recognises(given)) << given;
  auto evidence = read(importer, given);
  EXPECT_TRUE(evidence) << given << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

const std::string header =
    "               total        used        free      shared  buff/cache   available\n";
const std::string bytes = header +
                          "Mem:    540917592064  9437184000 501219328000    12582912 30261080064 "
                          "528280408064\n"
                          "Swap:     8589930496     1048576  8588881920\n";
const std::string kibibytes =
    header +
    "Mem:       528239836    9216000   489472000       12288    29551836   "
    "515898836\n"
    "Swap:        8388604       1024     8387580\n";
const std::string mebibytes =
    header +
    "Mem:          515859        9001      478000          11       28859   "
    "     503807\n"
    "Swap:           8191           0        8191\n";
const std::string human =
    header +
    "Mem:           503Gi       8.8Gi       466Gi        12Mi        28Gi     "
    "  492Gi\n"
    "Swap:          8.0Gi          0B       8.0Gi\n";

TEST(MemoryUsageTest, FiguresInBytesShowIt) {
  const auto evidence = understood(bytes);
  EXPECT_EQ(number(evidence, "node.memory.total"), 540917592064);
  EXPECT_EQ(number(evidence, "node.memory.available"), 528280408064);
  EXPECT_EQ(number(evidence, "node.swap.total"), 8589930496);
  EXPECT_EQ(number(evidence, "node.swap.used"), 1048576);
  EXPECT_EQ(only(evidence, "node.swap.used", "node")->line, 3U);
  EXPECT_EQ(only(evidence, "node.memory.total", "node")->provenance->tool, "free");
  EXPECT_TRUE(all_of(evidence, "node.hugepages").empty());
}

TEST(MemoryUsageTest, FiguresInKibibytesShowItWhereNoServerHasAsManyMebibytes) {
  const auto evidence = understood(kibibytes);
  EXPECT_EQ(number(evidence, "node.memory.total"), 528239836 * kib);
  EXPECT_EQ(number(evidence, "node.memory.available"), 515898836 * kib);
  EXPECT_EQ(number(evidence, "node.swap.used"), mib);
}

TEST(MemoryUsageTest, FiguresOfNoCertainUnitAreRefused) {
  expect_error(importer, mebibytes, 2, "run free -b");
  // 16 GiB in KiB, or 16 TiB in MiB.
  expect_error(importer, header + "Mem: 16777216 4 16777200 4 12 16000000\nSwap: 0 0 0\n", 2,
               "run free -b");
  // Too few figures to show anything.
  expect_error(importer, header + "Mem: 134217728 0 134217728 0 0 134217728\nSwap: 0 0 0\n", 2,
               "free -b");
  // No whole pages.
  expect_error(importer,
               header + "Mem: 528239835 9216000 489472000 12288 29551836 515898836\nSwap: 0 0 0\n",
               2, "run free -b");
}

TEST(MemoryUsageTest, ThePromptTellsTheUnit) {
  const auto total = [](const std::string& prompt, const std::string& table) {
    return number(understood(prompt + "\n" + table), "node.memory.total");
  };
  EXPECT_EQ(total("$ free -m", mebibytes), 515859 * mib);
  EXPECT_EQ(total("$ LC_ALL=C free --mebi", mebibytes), 515859 * mib);
  EXPECT_EQ(total("[root@node ~]# sudo /usr/bin/free -wtm > free.txt", mebibytes), 515859 * mib);
  EXPECT_EQ(total("user@node:~$ free", mebibytes), 515859 * kib);
  EXPECT_EQ(total("$ free -m --si", mebibytes), 515859e6);
  EXPECT_EQ(total("$ free -b", mebibytes), 515859);
  EXPECT_EQ(total("$ free -g -s 10", mebibytes), 515859 * gib);
  EXPECT_EQ(total("$ cat notes of the free memory", kibibytes), 528239836 * kib);
  EXPECT_EQ(total("$ free --mega", kibibytes), 528239836 * kib);  // by its figures alone
  expect_error(importer, "$ free --mega\n" + mebibytes, 3, "run free -b");
  expect_error(importer, "$ free -x\n" + mebibytes, 3, "run free -b");
  expect_error(importer, "free memory of node 7\n" + mebibytes, 3, "run free -b");
}

TEST(MemoryUsageTest, NoSwapInUseIsNoneOnlyWhereTheUnitShowsIt) {
  const auto coarse = understood("$ free -m\n" + mebibytes);
  EXPECT_EQ(number(coarse, "node.swap.total"), 8191 * mib);
  EXPECT_EQ(absence(coarse, "node.swap.used"), Absence::not_asked);
  EXPECT_EQ(only(coarse, "node.swap.used", "node")->detail, "less than 1 MiB: run free -b");
  EXPECT_EQ(number(understood(human), "node.swap.used"), 0);
  const auto none = understood("$ free -g\n" + header + "Mem: 503 8 466 0 28 492\nSwap: 0 0 0\n");
  EXPECT_EQ(number(none, "node.swap.total"), 0);
  EXPECT_EQ(number(none, "node.swap.used"), 0);
}

TEST(MemoryUsageTest, HumanUnits) {
  const auto evidence = understood(human);
  EXPECT_EQ(number(evidence, "node.memory.total"), 503 * gib);
  EXPECT_EQ(number(evidence, "node.memory.available"), 492 * gib);
  EXPECT_EQ(number(evidence, "node.swap.total"), 8 * gib);
  // An old free -h means GiB by G, a new one with --si GB.
  const std::string letters = header + "Mem: 503G 8.8G 466G 12M 28G 492G\nSwap: 8.0G 512K 8.0G\n";
  expect_error(importer, letters, 2, "run free -b");
  EXPECT_EQ(number(understood("$ free -h\n" + letters), "node.memory.total"), 503 * gib);
  EXPECT_EQ(number(understood("$ free -h --si\n" + letters), "node.swap.used"), 512e3);
}

TEST(MemoryUsageTest, WideAndOldTables) {
  const auto wide = understood(
      "$ free -wb\r\n"
      "               total        used        free      shared     buffers       cache   "
      "available\r\n"
      "Mem:    540917592064  9437184000 501219328000    12582912   409600 30260670464 "
      "528280408064\r\nSwap:              0           0           0\r\n");
  EXPECT_EQ(number(wide, "node.memory.available"), 528280408064);
  const auto old = understood(
      "             total       used       free     shared    buffers     cached\n"
      "Mem:     132055960   40125500   91930460          0     812344   21036812\n"
      "-/+ buffers/cache:   18276344  113779616\n"
      "Swap:      2097148          0    2097148\n"
      "Total:   134153108   40125500   94027608\n");
  EXPECT_EQ(number(old, "node.memory.total"), 132055960 * kib);
  EXPECT_EQ(absence(old, "node.memory.available"), Absence::not_supported);
  EXPECT_EQ(number(old, "node.swap.used"), 0);
}

TEST(MemoryUsageTest, TheLastOfRepeatedTablesCounts) {
  std::string later = bytes;
  later.replace(later.find("1048576"), 7, "2097152");
  later.replace(later.find("8588881920"), 10, "8587833344");
  EXPECT_EQ(number(understood(bytes + "\n" + later), "node.swap.used"), 2097152);
  expect_error(importer, bytes + human, 5, "two machines");
  expect_error(importer, "$ free -b\n" + bytes + "$ free -m\n" + mebibytes, 5, "second free");
}

const std::string meminfo =
    "MemTotal:       528239836 kB\n"
    "MemFree:        489472000 kB\n"
    "MemAvailable:   515898836 kB\n"
    "SwapTotal:        8388604 kB\n"
    "SwapFree:         8387580 kB\n"
    "HugePages_Total:      64\n"
    "HugePages_Free:       64\n"
    "Hugepagesize:       2048 kB\n";

TEST(MemoryUsageTest, Meminfo) {
  const auto evidence = understood(meminfo);
  EXPECT_EQ(number(evidence, "node.memory.total"), 528239836 * kib);
  EXPECT_EQ(number(evidence, "node.memory.available"), 515898836 * kib);
  EXPECT_EQ(number(evidence, "node.swap.total"), 8388604 * kib);
  EXPECT_EQ(number(evidence, "node.swap.used"), mib);
  EXPECT_EQ(number(evidence, "node.hugepages"), 64);
  EXPECT_EQ(only(evidence, "node.memory.total", "node")->provenance->tool, "/proc/meminfo");
  const auto excerpt = understood("$ grep Mem /proc/meminfo\nMemTotal:  528239836 kB\n");
  EXPECT_EQ(number(excerpt, "node.memory.total"), 528239836 * kib);
  for (const auto* id :
       {"node.memory.available", "node.swap.total", "node.swap.used", "node.hugepages"})
    EXPECT_EQ(absence(excerpt, id), Absence::not_asked) << id;
}

TEST(MemoryUsageTest, NoPrefixTellsAnotherFigure) {
  for (const auto* whole : {&bytes, &kibibytes, &human, &meminfo}) {
    const auto all = read(importer, *whole);
    ASSERT_TRUE(all);
    for (std::size_t n = 0; n < whole->size(); ++n) {
      const auto part = read(importer, std::string_view(*whole).substr(0, n));
      if (!part) continue;
      for (const Observation& o : part->observations)
        if (o.number() != nullptr) {
          EXPECT_EQ(*o.number(), number(*all, o.id.name())) << o.id.name() << " at " << n;
        }
    }
  }
  expect_error(importer, bytes.substr(0, bytes.size() - 2), 3, "is the file cut");
  expect_error(importer, bytes.substr(0, bytes.find("Swap:") - 1), 2, "ends early");
  expect_error(importer, meminfo.substr(0, meminfo.find("64") + 1), 6, "ends early");
}

TEST(MemoryUsageTest, Broken) {
  expect_error(importer, "bash: free: command not found\n", 1, "isn't installed");
  expect_error(importer, "", 0, "neither");
  expect_error(importer, header, 1, "ends early");
  expect_error(importer, "Mem: 1 2 3\n", 1, "without the header");
  expect_error(importer, header + "Mem: 1 2 3\nSwap: 0 0 0\n", 2, "row of 3 figures, due are 6");
  expect_error(importer, header + "Mem: 1 2 3 4 5 6 7\n", 2, "more than 6");
  for (const auto* odd : {"-5", "x", "1.5", "1e400", "99999999999999999999", "Gi", "i", "5Bi"})
    expect_error(importer, header + "Mem: 1 2 3 4 5 " + odd + "\n", 2, "a figure that is none");
  expect_error(importer, header + "Mem: 503Gi 8,8Gi 4Gi 1Gi 1Gi 4Gi\n", 2, "decimal comma");
  expect_error(importer, header + "Mem: 0Gi 0Gi 0Gi 0Gi 0Gi 0Gi\nSwap: 0B 0B 0B\n", 2, "no total");
  expect_error(importer, header + "Mem: 1025Ti 0B 0B 0B 0B 1Ti\nSwap: 0B 0B 0B\n", 2, "no total");
  expect_error(importer, header + "Mem: 9Gi 0B 0B 0B 0B 1Gi\nSwap: 1Gi 2Gi 0B\n", 3,
               "more swap in use");
  expect_error(importer, std::string_view("total used free shared\n\0\n", 25), 2, "NUL");
  expect_error(importer, "MemTotal: 4,5 kB\n", 1, "unreadable");
  expect_error(importer, "MemTotal: -4 kB\n", 1, "unreadable");
  expect_error(importer, "MemTotal: 9223372036854775807 kB\n", 1, "unreadable");
  expect_error(importer, "MemTotal: 0 kB\n", 1, "no memory");
  expect_error(importer, "MemTotal: 8 kB\nSwapTotal: 4 kB\nSwapFree: 8 kB\n", 3,
               "more swap is free");
  expect_error(importer, meminfo + meminfo, 9, "two machines");
  expect_error(importer, meminfo + header, 9, "in one file");
  expect_error(importer, bytes + meminfo, 4, "in one file");
}

TEST(MemoryUsageTest, RecognisesItsOutputOnly) {
  EXPECT_TRUE(importer.recognises("bash: free: command not found\n"));
  EXPECT_FALSE(importer.recognises("Node 0 MemTotal:  96549 kB\n"));
  EXPECT_FALSE(importer.recognises("MemTotal: unknown\n"));
  EXPECT_FALSE(importer.recognises("total used free\n"));
  EXPECT_FALSE(importer.recognises("1\n2\n3\n4\n5\n6\n" + bytes));  // somewhere in a long log
  EXPECT_FALSE(importer.recognises("node 0 size: 96549 MB\nnode 0 free: 91010 MB\n"));
  EXPECT_FALSE(importer.recognises(""));
}

TEST(MemoryUsageTest, ShortRowIsCalledCutOnlyAtTheEnd) {
  const std::string half = header + "Mem:    540917592064  9437184000";
  expect_error(importer, half, 2, "inside a row");
  expect_error(importer, half + "\n" + "Swap:     8589930496     1048576  8588881920\n", 2,
               "2 figures");
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
