// SPDX-License-Identifier: Apache-2.0
// nccl-tests output: whole, prefixed, cut, elided, wrong.
#include <gtest/gtest.h>

#include <cmath>

#include "reading.hpp"

namespace gpuvet::ingest {
Importer nccl_tests();
}

namespace gpuvet::ingest::testing {
namespace {

constexpr double GB = 1e9, MiB = 1024.0 * 1024;

const std::string parameters =
    "# nThread 1 nGpus 8 minBytes 8 maxBytes 9 iters: 20 validation: 1 graph: 0\n";
const std::string header =
    "#       size         count      type   redop    root     time   algbw   busbw #wrong     time "
    "  algbw   busbw #wrong\n"
    "#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us) "
    " (GB/s)  (GB/s)\n";
const std::string old_header =
    "#       size         count      type   redop     time   algbw   busbw  error     time   algbw "
    "  busbw  error\n";
const std::string rows =
    "     1048576        262144     float     sum      -1    50.00   20.97   36.70      0    50.50 "
    "  20.76   36.34      0\n"
    "    16777216       4194304     float     sum      -1   100.00  167.77  293.60      0   100.10 "
    " 167.60  293.31      0\n";
const std::string closing = "# Out of bounds values : 0 OK\n# Avg bus bandwidth    : 165.1\n";

/// `n` rank lines, `per_host` on each host "node0", "node1", ...; with addresses 0000:10:00, ...
std::string ranks(int n, int per_host = 8) {
  std::string out = "# Using devices\n";
  for (int i = 0; i < n; ++i)
    out += "#  Rank " + std::to_string(i) + " Group  0 Pid  700 on      node" +
           std::to_string(i / per_host) + " device  " + std::to_string(i % per_host) +
           " [0000:" + std::to_string(10 + i % per_host) + ":00] NVIDIA H100 80GB HBM3\n";
  return out;
}

Evidence good(std::string_view output) {
  auto evidence = read(nccl_tests(), output);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

std::string replaced(std::string s, std::string_view from, std::string_view to) {
  for (std::size_t at = s.find(from); at != s.npos; at = s.find(from, at + to.size()))
    s.replace(at, from.size(), to);
  return s;
}

/// `s` with `prefix` before each line.
std::string prefixed(std::string_view prefix, const std::string& s) {
  return std::string(prefix) +
         replaced(s.substr(0, s.size() - 1), "\n", "\n" + std::string(prefix)) + "\n";
}

TEST(NcclTests, ReportsTheBusBandwidthOfTheLargestMessage) {
  const Evidence evidence = good(parameters + ranks(8) + header + rows + closing);
  const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
  ASSERT_NE(busbw, nullptr);
  EXPECT_DOUBLE_EQ(*busbw->number(), 293.60 * GB);
  EXPECT_EQ(busbw->line, 14U);
  EXPECT_EQ(dimension(*busbw, "gpus"), 8);
  EXPECT_EQ(dimension(*busbw, "nodes"), 1);
  EXPECT_EQ(dimension(*busbw, "bytes"), 16 * MiB);
  EXPECT_EQ(std::get<std::string>(busbw->where.at("datatype")), "float");
  EXPECT_EQ(number(evidence, "collective.all_reduce.wrong"), 0);
}

TEST(NcclTests, KeepsEveryRowAsATable) {
  const std::string out_of_place_only =
      "    33554432       8388608     float     sum      -1   200.00  167.77  293.60    N/A\n";
  const Evidence evidence = good(header + rows + out_of_place_only);
  const Table* series = table(evidence, "collective.all_reduce");
  ASSERT_NE(series, nullptr);
  ASSERT_EQ(series->rows(), 3U);
  EXPECT_EQ(series->subject, "node");
  EXPECT_DOUBLE_EQ(series->column("bytes")->values[0], MiB);
  EXPECT_DOUBLE_EQ(series->column("algbw")->values[1], 167.77 * GB);
  EXPECT_DOUBLE_EQ(series->column("busbw")->values[0], 36.70 * GB);
  EXPECT_DOUBLE_EQ(series->column("time")->values[1], 100e-6);
  EXPECT_DOUBLE_EQ(series->column("in_place_busbw")->values[1], 293.31 * GB);
  EXPECT_TRUE(std::isnan(series->column("in_place_busbw")->values[2]));
}

TEST(NcclTests, ReadsThroughWhatLaunchersPutBeforeLines) {
  const std::string plain = parameters + ranks(8) + header + rows + closing;
  for (const std::string_view prefix : {"0: ", "  0:   ", "[1,0]<stdout>:",
                                        "[pod/launcher-x/main] ", "2025-01-01T00:00:00Z ", "> "}) {
    SCOPED_TRACE(prefix);
    const std::string output = prefixed(prefix, plain);
    EXPECT_TRUE(nccl_tests().recognises(output));
    const Evidence evidence = good(output);
    EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 293.60 * GB);
    EXPECT_EQ(number(evidence, "collective.all_reduce.wrong"), 0);
    EXPECT_EQ(text(evidence, "node.hostname"), "node0");
  }
}

TEST(NcclTests, ReadsTagsInsideALineCrlfFencesAndElisions) {
  const std::string tag = "[1,0]<stdout>:";
  const std::string tagged =
      prefixed(tag, header) + tag + "    16777216       4194304     float     sum      -1" + tag +
      "   100.00  167.77  293.60      0" + tag + "   100.10  167.60  293.31      0\n";
  const std::string others[] = {tagged, replaced(header + rows, "\n", "\r\n"),
                                "```\n...\n" + header + rows + "        ...\n```\n"};
  for (const auto& output : others) {
    SCOPED_TRACE(output);
    const Evidence evidence = good(output);
    EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 293.60 * GB);
    EXPECT_DOUBLE_EQ(
        table(evidence, "collective.all_reduce")->column("in_place_busbw")->values.back(),
        293.31 * GB);
  }
}

TEST(NcclTests, PutsARowTogetherThatAnotherProcessCut) {
  const std::string noise = "node0:12:34 [1] NCCL INFO AllReduce: opCount 0 count 7 datatype 7\n";
  const std::string cut =
      "    16777216       4194304     float     sum      -1node0:12:34 [1] NCCL INFO AllReduce\n" +
      noise + "   100.00  167.77  293.60      0node0:12:34 [1] NCCL INFO AllReduce\n" + noise +
      "   100.10  167.60  293.31      0\n" + closing;
  const Evidence evidence = good(parameters + header + cut);
  const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
  ASSERT_NE(busbw, nullptr);
  EXPECT_DOUBLE_EQ(*busbw->number(), 293.60 * GB);
  EXPECT_EQ(busbw->line, 4U);
  EXPECT_DOUBLE_EQ(table(evidence, "collective.all_reduce")->column("in_place_busbw")->values[0],
                   293.31 * GB);
  EXPECT_EQ(number(evidence, "collective.all_reduce.wrong"), 0);
}

TEST(NcclTests, AFigureCutInHalfIsNoMeasurement) {
  const std::string cut =
      "    33554432       8388608     float     sum      -1    20[x.cu:1] noise\n0.00  167.77  "
      "293.60      0\n";
  const Evidence evidence = good(header + rows + cut);
  EXPECT_EQ(dimension(*only(evidence, "collective.all_reduce.busbw", "node"), "bytes"), 16 * MiB);
  EXPECT_EQ(table(evidence, "collective.all_reduce")->rows(), 2U);
}

TEST(NcclTests, ACutInPlaceHalfLeavesTheOtherHalf) {
  const Evidence evidence = good(
      header +
      "16777216 4194304 float sum -1 100.0 160.00 280.00 0 10[x.cu:1] noise\n0.0 1.00 1.00 0\n");
  EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 280 * GB);
  EXPECT_TRUE(
      std::isnan(table(evidence, "collective.all_reduce")->column("in_place_busbw")->values[0]));
}

/// A table of one row with n GPUs listed and the given columns; busbw is `factor` times algbw.
std::string one_row(int n, std::string_view columns, double factor,
                    std::string_view count = "4194304") {
  char figures[128];
  std::snprintf(figures, sizeof figures, "  100.0  160.00  %.2f  0  100.0  160.00  %.2f  0\n",
                160 * factor, 160 * factor);
  return ranks(n) + header + "  16777216  " + std::string(count) + "  float  " +
         std::string(columns) + figures;
}

TEST(NcclTests, TellsTheCollectiveFromTheColumns) {
  struct Case {
    int n;
    std::string_view columns;
    double factor;
    std::string_view count, expected;
  };
  const Case cases[] = {
      {8, "sum -1", 1.75, "4194304", "all_reduce"},
      {2, "sum -1", 1, "4194304", "all_reduce"},
      {8, "sum -1", 0.875, "524288", "reduce_scatter"},
      {8, "none -1", 0.875, "524288", "all_gather"},
      {8, "none 0", 1, "4194304", "broadcast"},
      {8, "sum 0", 1, "4194304", "reduce"},
      {8, "sum -1", 1, "4194304", "sendrecv"},
  };
  for (const auto& [n, columns, factor, count, expected] : cases) {
    SCOPED_TRACE(expected);
    const Evidence evidence = good(one_row(n, columns, factor, count));
    const auto id = "collective." + std::string(expected) + ".busbw";
    const Observation* busbw = only(evidence, id, "node");
    ASSERT_NE(busbw, nullptr);
    EXPECT_DOUBLE_EQ(*busbw->number(), std::round(16000 * factor) / 100 * GB);
    EXPECT_EQ(dimension(*busbw, "gpus"), n);
    EXPECT_EQ(busbw->detail, "collective inferred from the columns");
  }
}

TEST(NcclTests, TakesTheNameOfTheProgramWhereItFitsTheColumns) {
  struct Case {
    std::string_view line, columns;
    double factor;
    std::string_view expected;
  };
  const Case cases[] = {
      {"# Collective test starting: alltoall_perf", "none -1", 0.875, "alltoall"},
      {"$ mpirun -np 8 ./build/alltoall_perf -b 8 -e 16M", "none -1", 0.875, "alltoall"},
      {"EXEC=/opt/nccl-tests/scatter_perf_mpi", "none 0", 0.875, "scatter"},
      {"./gather_perf -g 8", "none 0", 0.875, "gather"},
      {"./hypercube_perf -g 8", "none 0", 1, "hypercube"},
      {"./sendrecv_perf -g 8", "sum -1", 1, "sendrecv"},
      {"./all_reduce_perf -g 8", "none -1", 0.875, "all_gather"},
      {"./all_gather_perf -g 8", "none 0", 1, "broadcast"},
      {"running the AllToAll test", "none -1", 0.875, "alltoall"},
  };
  for (const auto& [line, columns, factor, expected] : cases) {
    SCOPED_TRACE(line);
    const std::string count = factor < 1 ? "524288" : "4194304";
    const Evidence evidence = good(std::string(line) + "\n" + one_row(8, columns, factor, count));
    EXPECT_NE(only(evidence, "collective." + std::string(expected) + ".busbw", "node"), nullptr);
    EXPECT_EQ(evidence.tables.size(), 1U);
  }
}

TEST(NcclTests, ReadsOldColumnsWithoutRootOrOperation) {
  struct Case {
    std::string_view header, row, expected;
  };
  const Case cases[] = {
      {"size count type redop time algbw busbw error",
       "16777216 4194304 float sum 100.0 160.00 280.00 5e-07", "all_reduce"},
      {"size count type redop time algbw busbw error",
       "16777216 524288 float sum 100.0 160.00 140.00 5e-07", "reduce_scatter"},
      {"size count type time algbw busbw error", "16777216 524288 float 100.0 160.00 140.00 0e+00",
       "all_gather"},
      {"size count type root time algbw busbw error",
       "16777216 4194304 float 0 100.0 160.00 160.00 0e+00", "broadcast"},
  };
  for (const auto& [columns, row, expected] : cases) {
    SCOPED_TRACE(row);
    const Evidence evidence = good("# " + std::string(columns) + "\n" + std::string(row) +
                                   "\n# Out of bounds values : 0 OK\n");
    EXPECT_TRUE(only(evidence, "collective." + std::string(expected) + ".busbw", "node"));
    EXPECT_EQ(number(evidence, "collective." + std::string(expected) + ".wrong"), 0);
  }
}

TEST(NcclTests, CountsGpusFromAnElidedRankList) {
  const auto rank = [](std::string_view n, std::string_view host) {
    return "#  Rank " + std::string(n) + " Group 0 Pid 9 on " + std::string(host) +
           " device 0 [0x0f] NVIDIA GB200\n";
  };
  struct Case {
    std::string list;
    double gpus;
    std::optional<double> nodes;
  };
  const Case cases[] = {
      {rank("0", "a") + rank("7", "a") + rank("8", "b") + rank("15", "b"), 16, 2},
      {rank("0", "a") + rank("15", "b"), 16, std::nullopt},
      {rank("1439", "a"), 1440, std::nullopt},
      {rank("0", "a") + rank("1", "b"), 2, 2},
  };
  for (const auto& [list, gpus, nodes] : cases) {
    SCOPED_TRACE(list);
    const Evidence evidence =
        good(list + header + "16777216 4194304 float sum -1 100.0 0.50 0.90 0\n");
    const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
    ASSERT_NE(busbw, nullptr);
    EXPECT_EQ(dimension(*busbw, "gpus"), gpus);
    EXPECT_EQ(dimension(*busbw, "nodes"), nodes);
    EXPECT_TRUE(all_of(evidence, "gpu.name").empty());  // [0x0f] is no PCI address
  }
}

TEST(NcclTests, InfersGpusFromTheRatioOnlyWhereRoundingLeavesOneNumber) {
  struct Case {
    std::string_view figures;
    std::optional<double> gpus;
  };
  const Case cases[] = {
      {"-1 100.0 99.85 187.22 0", 16},
      {"-1 100.0 4.00 4.00 0", 2},
      {"-1 100.0 98.61 191.05 0", 32},
      {"-1 100.0 203.01 405.74 0", std::nullopt},  // 1440, or 1500
      {"-1 100.0 0.50 0.94 0", std::nullopt},      // too slow to tell
      {"-1 100.0 100.00 250.00 0", std::nullopt},  // beyond 2
  };
  for (const auto& [figures, gpus] : cases) {
    SCOPED_TRACE(figures);
    const Evidence evidence =
        good(header + "16777216 4194304 float sum " + std::string(figures) + "\n");
    const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
    ASSERT_NE(busbw, nullptr);
    EXPECT_EQ(dimension(*busbw, "gpus"), gpus);
    EXPECT_EQ(dimension(*busbw, "nodes"), std::nullopt);
  }
}

TEST(NcclTests, BelievesThreadsTimesGpusOnlyIfTheRatioAgrees) {
  const std::string eight = "16777216 4194304 float sum -1 100.0 160.00 280.00 0\n";
  const std::string sixteen = "16777216 4194304 float sum -1 100.0 160.00 300.00 0\n";
  const std::string slow = "16777216 4194304 float sum -1 100.0 0.16 0.28 0\n";
  const auto gpus = [&](const std::string& row) {
    const Evidence evidence = good(parameters + header + row);
    return dimension(*only(evidence, "collective.all_reduce.busbw", "node"), "gpus");
  };
  EXPECT_EQ(gpus(eight), 8);
  EXPECT_EQ(gpus(sixteen), 16);
  EXPECT_EQ(gpus(slow), std::nullopt);
}

TEST(NcclTests, SaysWhereRanksAndFiguresDisagree) {
  const Evidence evidence =
      good(ranks(8) + header + "16777216 4194304 float sum -1 100.0 160.00 300.00 0\n");
  const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
  ASSERT_NE(busbw, nullptr);
  EXPECT_EQ(dimension(*busbw, "gpus"), 8);
  EXPECT_EQ(busbw->detail,
            "collective inferred from the columns; ranks listed: 8, but the figures fit 16");
}

TEST(NcclTests, CountsWrongResults) {
  const std::string row = "16777216 4194304 float sum -1 100.0 160.00 280.00 ";
  struct Case {
    std::string output;
    double wrong;
    std::size_t line;
  };
  const std::string on = "# nThread 1 nGpus 8 minBytes 8 maxBytes 9 validation: 1\n";
  const std::string off = "# nThread 1 nGpus 8 minBytes 8 maxBytes 9 validation: 0\n";
  const Case cases[] = {
      {header + row + "0 100.0 160.00 280.00 0\n", 0, 3},
      {header + row + "0 100.0 160.00 280.00 N/A\n", 0, 3},  // alltoall can't run in place
      {header + row + "0\n" + row + "5 100.0 160.00 280.00 2\n# Out of bounds values : 2 FAILED\n",
       7, 4},
      {header + row + "0 100.0 160.00 280.00 0\n# Out of bounds values : 3 FAILED\n", 3, 4},
      {off + header + row + "N/A\n# Out of bounds values : 3 FAILED\n", 3, 5},
      {on + old_header +
           "16777216 4194304 float sum 100.0 160.00 280.00 5e-07\n# Out of bounds values : 4 "
           "FAILED\n",
       4, 4},
      {on + header + row + "N/A\n# Out of bounds values : 0 OK\n", 0, 4},
  };
  for (const auto& [output, wrong, line] : cases) {
    SCOPED_TRACE(output);
    const Evidence evidence = good(output);
    EXPECT_EQ(number(evidence, "collective.all_reduce.wrong"), wrong);
    EXPECT_EQ(only(evidence, "collective.all_reduce.wrong", "node")->line, line);
  }
}

TEST(NcclTests, UncheckedResultsAreAbsentNotZero) {
  const std::string row = "16777216 4194304 float sum -1 100.0 160.00 280.00";
  struct Case {
    std::string output, detail;
  };
  const Case cases[] = {
      {header + row + " N/A 100.0 160.00 280.00 N/A\n# Out of bounds values : 0 OK\n",
       "validation was off"},
      {"# nThread 1 nGpus 8 minBytes 8 validation: 0\n" + header + row +
           "\n# Out of bounds values : 0 OK\n",
       "validation was off"},
      {header + row + "\n", "nothing says whether results were compared"},
  };
  for (const auto& [output, detail] : cases) {
    SCOPED_TRACE(output);
    const Evidence evidence = good(output);
    EXPECT_EQ(absence(evidence, "collective.all_reduce.wrong"), Absence::not_asked);
    EXPECT_EQ(only(evidence, "collective.all_reduce.wrong", "node")->detail, detail);
  }
}

TEST(NcclTests, JoinsRunsThatMeasureTheSame) {
  const auto run = [](int n, std::string_view row) {
    return parameters + ranks(n) + header + std::string(row) + closing;
  };
  const Evidence evidence = good(run(8, "1024 256 float sum -1 10.0 0.10 0.18 0\n") +
                                 run(8, "16777216 4194304 float sum -1 100.0 160.00 280.00 1\n") +
                                 run(8, "16777216 8388608 half sum -1 100.0 150.00 262.50 0\n") +
                                 run(4, "16777216 4194304 float sum -1 100.0 160.00 240.00 0\n"));
  const auto busbw = all_of(evidence, "collective.all_reduce.busbw");
  ASSERT_EQ(busbw.size(), 3U);
  EXPECT_EQ(evidence.tables[0].rows(), 2U);
  EXPECT_DOUBLE_EQ(*busbw[0].number(), 280 * GB);
  EXPECT_EQ(std::get<std::string>(busbw[1].where.at("datatype")), "half");
  EXPECT_EQ(dimension(busbw[2], "gpus"), 4);
  EXPECT_EQ(*all_of(evidence, "collective.all_reduce.wrong")[0].number(), 1);
  EXPECT_EQ(all_of(evidence, "gpu.name").size(), 8U);  // each GPU once
}

TEST(NcclTests, OfRepeatsItTakesTheLowerMedian) {
  std::string repeated = header;
  for (const std::string_view busbw : {"280.00", "10.00", "282.00", "281.00"})
    repeated += "16777216 4194304 float sum -1 100.0 160.00 " + std::string(busbw) + " 0\n";
  const Evidence evidence = good(repeated);
  EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 280 * GB);
  EXPECT_EQ(only(evidence, "collective.all_reduce.busbw", "node")->line, 3U);
}

TEST(NcclTests, KeepsSeveralCollectivesApart) {
  const Evidence evidence = good("$ ./all_reduce_perf -g 8\n" + one_row(8, "sum -1", 1.75) +
                                 "$ ./broadcast_perf -g 8\n" + one_row(8, "none 0", 1));
  EXPECT_EQ(number(evidence, "collective.all_reduce.busbw"), 280 * GB);
  EXPECT_EQ(number(evidence, "collective.broadcast.busbw"), 160 * GB);
  EXPECT_EQ(evidence.observations[0].provenance->tool, "nccl-tests");
}

TEST(NcclTests, NamesGpusOfOneMachineOnly) {
  const Evidence one = good(ranks(8) + header + rows);
  EXPECT_EQ(text(one, "gpu.name", "gpu:0000:12:00.0"), "NVIDIA H100 80GB HBM3");
  EXPECT_EQ(text(one, "gpu.pci.address", "gpu:0000:12:00.0"), "0000:12:00.0");
  EXPECT_EQ(only(one, "gpu.name", "gpu:0000:12:00.0")->line, 4U);
  const Evidence two = good(ranks(16) + header + rows);
  EXPECT_TRUE(all_of(two, "gpu.name").empty());
  EXPECT_TRUE(all_of(two, "gpu.pci.address").empty());
  ASSERT_EQ(all_of(two, "node.hostname").size(), 2U);
  EXPECT_EQ(all_of(two, "node.hostname")[1].line, 10U);
}

TEST(NcclTests, NamesVersions) {
  struct Case {
    std::string_view line, nccl, tool, version;
  };
  const Case cases[] = {
      {"NCCL version 2.29.3+cuda13.1", "2.29.3", "nccl-tests all_reduce_perf", ""},
      {"# nccl-tests version 2.17.9 nccl-headers=22903 nccl-library=22903", "2.29.3",
       "nccl-tests all_reduce_perf", "2.17.9"},
      {"# nccl-tests version 2.10.0 nccl-library=2708", "2.7.8", "nccl-tests all_reduce_perf",
       "2.10.0"},
      {"rccl-tests: Version develop:abc", "", "rccl-tests all_reduce_perf", "develop:abc"},
  };
  for (const auto& [line, nccl, tool, version] : cases) {
    SCOPED_TRACE(line);
    const Evidence evidence = good(std::string(line) + "\n" + header + rows);
    EXPECT_EQ(text(evidence, "node.nccl.version").value_or(""), nccl);
    EXPECT_EQ(evidence.observations[0].provenance->tool, tool);
    EXPECT_EQ(evidence.observations[0].provenance->version, version);
  }
}

TEST(NcclTests, RowsOfNothingAreNoMeasurement) {
  const Evidence evidence = good(header +
                                 "0 0 float none -1 0.33 0.00 0.00 0 0.36 0.00 0.00 0\n1024 32 "
                                 "float none -1 10.0 0.10 0.09 0\n");
  EXPECT_EQ(table(evidence, "collective.all_gather")->rows(), 1U);
}

TEST(NcclTests, RefusesTablesWithoutFigures) {
  struct Case {
    std::string output;
    std::string_view what;
    std::size_t line;
  };
  const Case cases[] = {
      {header + "268435456 4194304 float none -1 XXXXX XXX.XX XXX.XX N/A XXXXXX XXX.XX XXX.XX 0\n",
       "rows hold placeholders, no figures", 3},
      {header + "268435456 4194304 float sum -1 host:1:2 [0] NCCL INFO a\n",
       "rows are cut off before their figures", 3},
      {parameters + header + closing, "no row of figures below the column header", 2},
      {header + "0 0 float none -1 0.33 0.00 0.00 0\n", "no row of figures below the column header",
       1},
      {"", "no row of figures below the column header", 1},
  };
  for (const auto& [output, what, line] : cases) {
    SCOPED_TRACE(output);
    const auto evidence = read(nccl_tests(), output);
    ASSERT_FALSE(evidence);
    EXPECT_EQ(evidence.error().code, Errc::malformed);
    EXPECT_EQ(evidence.error().what, what);
    EXPECT_EQ(evidence.error().input_line, line);
  }
}

TEST(NcclTests, BoundsRows) {
  std::string many = header;
  for (int i = 0; i <= 1 << 18; ++i) many += "8 2 float sum -1 1 1 1 0\n";
  const auto evidence = read(nccl_tests(), many);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code, Errc::too_large);
  EXPECT_EQ(evidence.error().input_line, (1U << 18) + 3);
}

TEST(NcclTests, RecognisesItsOwnOutputOnly) {
  for (const std::string_view yes :
       {std::string_view(parameters), std::string_view(header), std::string_view(old_header),
        std::string_view("junk\n# Collective test starting: all_reduce_perf\n")})
    EXPECT_TRUE(nccl_tests().recognises(yes)) << yes;
  for (const std::string_view no : {"", "busbw algbw\n", "payload  busbw  algbw\n32GB 100 90\n",
                                    "nThread\n", "host:1:2 [0] NCCL INFO NCCL version 2.23.4\n"})
    EXPECT_FALSE(nccl_tests().recognises(no)) << no;
}

TEST(NcclTests, BrokenRunsAreFailures) {
  const std::string failure =
      "n1: Test NCCL failure common.cu:400 'unhandled system error (run with NCCL_DEBUG=INFO) / '\n"
      " .. n1 pid 700: Test failure common.cu:592\n"
      "mpirun detected that one or more processes exited with non-zero status, thus causing\n";
  const std::string start = "# Collective test starting: all_reduce_perf\n" + parameters;
  const Evidence early = good(start + failure + failure);
  const auto results = all_of(early, "diag.result", "node");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(*results[0].text(), "fail");
  EXPECT_EQ(std::get<std::string>(results[0].where.at("test")), "all_reduce_perf");
  EXPECT_EQ(results[0].line, 3U);
  const auto errors = value<std::vector<std::string>>(early, "diag.errors", "node");
  ASSERT_TRUE(errors);
  ASSERT_EQ(errors->size(), 1U);  // the cause alone, once
  EXPECT_NE((*errors)[0].find("unhandled system error"), std::string::npos);
  EXPECT_EQ(absence(early, "collective.all_reduce.busbw"), Absence::malformed);
  EXPECT_EQ(early.observations[0].provenance->tool, "nccl-tests all_reduce_perf");

  // What was measured before stays.
  const Evidence late = good(start + header + rows + failure);
  EXPECT_EQ(number(late, "collective.all_reduce.busbw"), 293.6 * GB);
  EXPECT_EQ(text(late, "diag.result"), "fail");

  EXPECT_TRUE(all_of(good(start + header + rows + closing), "diag.result").empty());
}

TEST(NcclTests, FailuresOfEachKindAreSeen) {
  for (const std::string_view words :
       {"n1: Test CUDA failure common.cu:9 'out of memory'", "n1: Test timeout (30s) common.cu:525",
        " .. n1 pid 7: Test failure all_gather.cu:9",
        "Invalid number of GPUs: 8 requested but only 4 were found.",
        "mpirun noticed that process rank 3 with PID 1 on node n1 exited on signal 11",
        "srun: error: n1: task 3: Segmentation fault",
        "slurmstepd: error: *** STEP 12.0 ON n1 CANCELLED AT 2026-01-01 DUE TO TIME LIMIT ***"}) {
    const Evidence evidence = good(parameters + std::string(words) + "\n");
    EXPECT_EQ(text(evidence, "diag.result"), "fail") << words;
  }
  const Evidence named = good(parameters + "n1: Test NCCL failure all_gather.cu:47 'x / '\n");
  EXPECT_EQ(std::get<std::string>(only(named, "diag.result", "node")->where.at("test")),
            "all_gather_perf");
}

std::string report(std::string_view config, std::string_view end) {
  return "{\"version\":3,\"start_time\":\"2026-07-01 10:00:00\",\n"
         "\"args\":[\"./build/all_reduce_perf\",\"-J\",\"a.json\"],\n"
         "\"env\":[\"PASSWORD=x\",\"NCCL_ALGO=Ring\"],\"nccl_version\":22706,\n"
         "\"config\":{" +
         std::string(config) +
         ",\"validation\":1,\"devices\":[\n"
         "{\"rank\":0,\"hostname\":\"n1\",\"device_hex\":\"0000:0f:00\",\"device_info\":\"NVIDIA "
         "H100\"}]},\n\"results\":[\n"
         "{\"size\":16777216,\"count\":4194304,\"type\":\"float\",\"redop\":\"sum\",\"root\":\"    "
         "-1\",\"out_of_place\":{\"time\":100.0,\"alg_bw\":167.77216,\"bus_bw\":293.60128,"
         "\"nwrong\":0.0},\"in_place\":{\"time\":\"nan\",\"alg_bw\":1.0,\"bus_bw\":1.0,\"nwrong\":"
         "null}}]" +
         std::string(end) + "}\n";
}

TEST(NcclTests, JsonReport) {
  const Evidence evidence =
      good(report("\"nthreads\":1,\"ngpus\":8",
                  ",\"out_of_bounds\":{\"count\":2,\"okay\":\"false\"},\"end_time\":\"x\""));
  const Observation* busbw = only(evidence, "collective.all_reduce.busbw", "node");
  ASSERT_NE(busbw, nullptr);
  EXPECT_NEAR(*busbw->number(), 293.60128 * GB, 1);
  EXPECT_EQ(dimension(*busbw, "gpus"), 8);
  EXPECT_EQ(dimension(*busbw, "nodes"), 1);
  EXPECT_EQ(busbw->line, 7U);
  EXPECT_EQ(number(evidence, "collective.all_reduce.wrong"), 2);
  EXPECT_EQ(text(evidence, "node.nccl.version"), "2.27.6");
  EXPECT_EQ(value<std::vector<std::string>>(evidence, "nccl.environment", "node"),
            std::vector<std::string>{"NCCL_ALGO=Ring"});
  EXPECT_EQ(busbw->provenance->when, "2026-07-01 10:00:00");
  EXPECT_EQ(busbw->provenance->how, How::measured);
  // The report lists one GPU of the eight: it must not pass for the only one.
  EXPECT_TRUE(all_of(evidence, "gpu.pci.address").empty());
  EXPECT_TRUE(all_of(evidence, "diag.result").empty());
}

TEST(NcclTests, JsonReportOfABrokenRun) {
  const Evidence evidence =
      good(report("\"nthreads\":1,\"ngpus\":1", ",\"end_time\":\"2026-07-01 10:00:09\""));
  EXPECT_EQ(text(evidence, "diag.result"), "fail");
  EXPECT_EQ(text(evidence, "gpu.pci.address", "gpu:0000:0f:00.0"), "0000:0f:00.0");
  const std::string whole = report("\"ngpus\":1", "");
  EXPECT_TRUE(nccl_tests().recognises(whole));
  EXPECT_FALSE(nccl_tests().recognises("{\"start_time\":1,\"args\":[]}"));
  EXPECT_FALSE(read(nccl_tests(), whole.substr(0, whole.size() / 2)));
}

}  // namespace
}  // namespace gpuvet::ingest::testing
