// SPDX-License-Identifier: Apache-2.0
// perftest's tables and its JSON.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer perftest();

namespace {

using namespace testing;

std::string head(const std::string& title, const std::string& device = "mlx5_0") {
  return "-----------------------------------------\n                    " + title +
         " Test\n Dual-port       : OFF\t\tDevice         : " + device +
         "\n Number of qps   : 2\t\tTransport type : IB\n"
         " Connection type : RC           Using SRQ      : OFF\n"
         " Data ex. method : Ethernet\n"
         "-----------------------------------------\n";
}
const std::string gigabits =
    " #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]\n";
const std::string times =
    " #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    "
    "t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec] \n";

std::string word(const Observation& o, std::string_view name) {
  const auto found = o.where.find(name);
  const auto* held = found == o.where.end() ? nullptr : std::get_if<std::string>(&found->second);
  return held == nullptr ? "" : *held;
}

TEST(Perftest, ReadsBandwidthPastRemarks) {
  const std::string text =
      head("RDMA_Write BW", "mlx5_2") + gigabits +
      "Conflicting CPU frequency values detected: 1500.000000 != 3300.0. CPU Frequency is not "
      "max.\n"
      " 65536      560845           0.00               196.50\t\t     0.374794\n"
      " 1048576    35052            0.00               197.20\t\t     0.023496\n----------------\n";
  EXPECT_EQ(recognise(text)->kind, "perftest");
  const auto seen = all_of(understood(perftest(), text), "nic.rdma.bandwidth", "nic:mlx5_2");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_DOUBLE_EQ(*seen[1].number(), 197.2e9 / 8);
  EXPECT_EQ(dimension(seen[1], "bytes"), 1048576.0);
  EXPECT_EQ(dimension(seen[1], "qps"), 2.0);
  EXPECT_EQ(word(seen[1], "verb"), "write");
  EXPECT_EQ(word(seen[1], "memory"), "host");
  EXPECT_EQ(word(seen[1], "direction"), "unidirectional");
  EXPECT_EQ(word(seen[1], "connection"), "RC");
  EXPECT_EQ(seen[1].line, 11U);
  EXPECT_EQ(seen[1].provenance->how, How::measured);
}

TEST(Perftest, MegabytesAreMebibytes) {
  // 0.072878 million messages of 64 KiB a second are 4555 MiB/s.
  const Evidence e = understood(
      perftest(), head("RDMA_Read Bidirectional BW") +
                      " #bytes     #iterations    BW peak[MB/sec]    BW average[MB/sec]   "
                      "MsgRate[Mpps]\n 65536      5000   4555.12  4554.89  0.072878\n");
  const auto* read = only(e, "nic.rdma.bandwidth", "nic:mlx5_0");
  ASSERT_NE(read, nullptr);
  EXPECT_NEAR(*read->number() / (0.072878e6 * 65536), 1, 1e-4);
  EXPECT_EQ(word(*read, "direction"), "bidirectional");
  EXPECT_EQ(word(*read, "verb"), "read");
}

TEST(Perftest, ReadsLatencyTypicalBeforeMean) {
  const Evidence e = understood(
      perftest(), head("RDMA_Write Latency") + times +
                      " 2       1000   0.90   4.70   0.93    0.95    0.08   1.05   4.70\n");
  EXPECT_DOUBLE_EQ(*number(e, "nic.rdma.latency", "nic:mlx5_0"), 0.93e-6);
  EXPECT_DOUBLE_EQ(*number(e, "nic.rdma.latency.p99", "nic:mlx5_0"), 1.05e-6);
  EXPECT_EQ(only(e, "nic.rdma.latency", "nic:mlx5_0")->detail, "typical (median)");
  const Evidence timed =
      understood(perftest(), head("Send Latency") +
                                 " #bytes        #iterations       t_avg[usec]    tps average\n"
                                 " 2             1000              0.85           0.05\n");
  EXPECT_DOUBLE_EQ(*number(timed, "nic.rdma.latency", "nic:mlx5_0"), 0.85e-6);
  EXPECT_EQ(only(timed, "nic.rdma.latency", "nic:mlx5_0")->detail, "mean");
}

TEST(Perftest, CyclesAreNoTime) {
  std::string cycles = times;
  for (auto at = cycles.find("usec"); at != std::string::npos; at = cycles.find("usec"))
    cycles.replace(at, 4, "cycles");
  const Evidence e = understood(
      perftest(), head("RDMA_Write Latency") + cycles + " 2 1000 900 4700 930 950 80 1050 4700\n");
  EXPECT_EQ(absence(e, "nic.rdma.latency", "nic:mlx5_0"), Absence::not_supported);
}

TEST(Perftest, KnowsWhoseMemoryItWas) {
  const std::string row = " 1048576 5000 0.00 390.00 0.046492\n---------\n";
  const std::string cuda = "initializing CUDA\ncreating CUDA Ctx\nallocated GPU buffer at 0x1\n";
  const std::string end = "deallocating RX GPU buffer 0x1\ndestroying current CUDA Ctx\n";
  const auto memories = [](const std::string& text) {
    std::vector<std::string> out;
    for (const auto& o : all_of(understood(perftest(), text), "nic.rdma.bandwidth"))
      out.push_back(word(o, "memory"));
    return out;
  };
  const std::string test = head("RDMA_Write BW") + gigabits + row;
  using Words = std::vector<std::string>;
  EXPECT_EQ(memories(test), Words{"host"});
  EXPECT_EQ(memories(cuda + test + end + test), (Words{"gpu", "host"}));
  EXPECT_EQ(memories(test + end), Words{"gpu"});  // the top was cut off
  EXPECT_EQ(memories(test + cuda + test + end), (Words{"host", "gpu"}));
}

TEST(Perftest, TwoPortsAreNotOne) {
  std::string text = head("RDMA_Write BW") + gigabits + " 65536 5000 0.00 390.00 0.743866\n";
  text.replace(text.find("OFF\t\tDevice"), 3, "ON ");
  const Evidence e = understood(perftest(), text);
  EXPECT_EQ(word(e.observations.at(0), "direction"), "two ports");
}

std::string json(const std::string& test, const std::string& results,
                 const std::string& info = "") {
  return "{\n\"test_info\": {\n\"test\": \"" + test +
         "\",\n\"Dual_port\": \"OFF\",\n\"Device\": \"mlx5_4\",\n\"Number_of_qps\": 1,\n"
         "\"Connection_type\": \"RC\"" +
         info + "\n},\n\"results\": {\n" + results + "\n}\n}\n";
}

TEST(Perftest, ReadsJsonAndFindsTheUnitByTheMessageRate) {
  const std::string gb = json("RDMA_Write_BW_Test",
                              "\"MsgSize\": 1048576,\n\"n_iterations\": 5000,\n\"BW_peak\": 0.00,\n"
                              "\"BW_average\": 392.71,\n\"MsgRate\": 0.046815",
                              ",\n\"cuda_device\": 0");
  EXPECT_EQ(recognise(gb)->kind, "perftest");
  const Evidence e = understood(perftest(), gb);
  EXPECT_DOUBLE_EQ(*number(e, "nic.rdma.bandwidth", "nic:mlx5_4"), 392.71e9 / 8);
  EXPECT_EQ(word(e.observations.at(0), "memory"), "gpu");
  const Evidence mib = understood(
      perftest(), json("RDMA_Read_BW_Test",
                       "\"MsgSize\": 1048576,\n\"BW_average\": 46815.00,\n\"MsgRate\": 0.046815"));
  EXPECT_DOUBLE_EQ(*number(mib, "nic.rdma.bandwidth", "nic:mlx5_4"), 46815.0 * 1048576);
  EXPECT_EQ(word(mib.observations.at(0), "memory"), "");  // it does not say
  const Evidence host =
      understood(perftest(), json("RDMA_Write_imm_BW_Test",
                                  "\"MsgSize\": 8,\n\"BW_average\": 0.64,\n\"MsgRate\": 10",
                                  ",\n\"Use_ROCm_memory\": \"OFF\""));
  EXPECT_EQ(word(host.observations.at(0), "memory"), "host");
  EXPECT_EQ(word(host.observations.at(0), "verb"), "write_imm");
  expect_error(perftest(),
               json("RDMA_Write_BW_Test", "\"MsgSize\": 8,\n\"BW_average\": 3,\n\"MsgRate\": 10"),
               9, "unit");
}

TEST(Perftest, ReadsLatencyFromJson) {
  const Evidence e =
      understood(perftest(), json("RDMA_Read_Latency_Test",
                                  "\"MsgSize\": 2,\n\"t_typical\": 1.92,\n\"t_avg\": 1.95,\n"
                                  "\"percentile_99\": 2.20,\n\"percentile_99.9\": 3.10"));
  EXPECT_DOUBLE_EQ(*number(e, "nic.rdma.latency", "nic:mlx5_4"), 1.92e-6);
  EXPECT_DOUBLE_EQ(*number(e, "nic.rdma.latency.p99", "nic:mlx5_4"), 2.20e-6);
}

TEST(Perftest, RefusesWhatItCannotUnderstand) {
  expect_error(perftest(), head("RDMA_Write BW") + gigabits, 8, "no figures");
  expect_error(perftest(), gigabits + " 65536 5000 0.00 390.00 0.7\n", 2, "without the title");
  expect_error(perftest(), head("RDMA_Write BW") + gigabits + " 65536 5000 x y z\n", 9,
               "no figure");
  expect_error(perftest(), head("RDMA_Write BW") + gigabits + " 65536 5000\n", 9, "no figure");
  expect_error(perftest(), head("RDMA_Write BW") + gigabits + " 65536 5000 0 -3 0\n", 9,
               "no figure");
  expect_error(perftest(), head("RDMA_Write BW") + gigabits + " 65536 5000 0 0 0\n", 9,
               "cannot be");
  expect_error(perftest(), head("RDMA_Write BW", "") + gigabits + " 65536 5000 0 1 0\n", 9,
               "device");
  expect_error(perftest(), json("Foo_BW_Test", "\"MsgSize\": 2"), 2, "unknown kind");
  expect_error(perftest(), "{ \"test_info\": {\"Connection_type\": \"RC\"} }", 0, "no results");
}

}  // namespace
}  // namespace gpuvet::ingest
