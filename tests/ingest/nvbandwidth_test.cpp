// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvbandwidth();

namespace testing {
namespace {

const Importer importer = nvbandwidth();

constexpr std::string_view header =
    "nvbandwidth Version: v0.8\n"
    "Built from Git version: v0.8\n\n"
    "CUDA Runtime Version: 12080\nCUDA Driver Version: 12080\nDriver Version: 570.86.10\n\n"
    "node-a\n"
    "Device 0: NVIDIA L40S (00000000:17:00)\n"
    "Device 1: NVIDIA L40S (00000000:ca:00)\n\n";

std::string with_header(std::string_view rest) { return std::string(header) + std::string(rest); }

std::vector<double> figures(const Evidence& evidence, std::string_view id,
                            std::string_view subject) {
  std::vector<double> out;
  for (const auto& o : all_of(evidence, id, subject)) out.push_back(*o.number());
  return out;
}

std::string dimension_text(const Observation& o, std::string_view name) {
  const auto found = o.where.find(name);
  return found == o.where.end() ? "" : std::get<std::string>(found->second);
}

TEST(NvbandwidthTest, HostLinks) {
  const auto evidence =
      read(importer, with_header("Running host_to_device_memcpy_ce.\n"
                                 "memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)\n"
                                 "           0         1\n"
                                 " 0     26.50     13.25\n\n"
                                 "SUM host_to_device_memcpy_ce 39.75\n\n"
                                 "Running all_to_host_memcpy_ce.\n"
                                 "memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)\n"
                                 "           0         1\n"
                                 " 0     12.00       N/A\n\n"
                                 "SUM all_to_host_memcpy_ce 12.00\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto* h2d = only(*evidence, "hostlink.h2d", "gpu:0000:ca:00.0");
  ASSERT_NE(h2d, nullptr);
  EXPECT_DOUBLE_EQ(*h2d->number(), 13.25e9);
  EXPECT_EQ(h2d->line, 15U);
  EXPECT_EQ(dimension(*h2d, "concurrent"), 1);
  EXPECT_EQ(dimension_text(*h2d, "memory"), "pinned");
  EXPECT_EQ(h2d->provenance->how, How::measured);
  EXPECT_EQ(h2d->provenance->version, "v0.8");
  const auto* d2h = only(*evidence, "hostlink.d2h", "gpu:0000:17:00.0");
  ASSERT_NE(d2h, nullptr);
  EXPECT_EQ(dimension(*d2h, "concurrent"), 2);
  EXPECT_EQ(absence(*evidence, "hostlink.d2h", "gpu:0000:ca:00.0"), Absence::not_supported);
  EXPECT_EQ(text(*evidence, "gpu.name", "gpu:0000:17:00.0"), "NVIDIA L40S");
  EXPECT_EQ(text(*evidence, "node.driver.version"), "570.86.10");
  EXPECT_TRUE(all_of(*evidence, "node.gpu.attached").empty());
}

TEST(NvbandwidthTest, BidirectionalHostTestsAreHalves) {
  const std::string to =
      "Running host_to_device_bidirectional_memcpy_ce.\n"
      "memcpy CE CPU(row) <-> GPU(column) bandwidth (GB/s)\n"
      "0 1\n0 18.50 19.00\n";
  const std::string from =
      "Running device_to_host_bidirectional_memcpy_ce.\n"
      "memcpy CE CPU(row) <-> GPU(column) bandwidth (GB/s)\n"
      "0 1\n0 17.50 16.00\n";
  const auto both = read(importer, to + from);
  ASSERT_TRUE(both) << both.error().message();
  EXPECT_EQ(number(*both, "hostlink.bidirectional", "gpu:cuda#0"), 36e9);
  EXPECT_EQ(number(*both, "hostlink.bidirectional", "gpu:cuda#1"), 35e9);
  EXPECT_TRUE(all_of(*both, "hostlink.h2d").empty());
  const auto one = read(importer, to);
  ASSERT_TRUE(one) << one.error().message();
  EXPECT_EQ(absence(*one, "hostlink.bidirectional", "gpu:cuda#0"), Absence::not_asked);
}

TEST(NvbandwidthTest, PeersByReaderAndWriter) {
  const auto evidence =
      read(importer, with_header("Running device_to_device_memcpy_read_ce.\n"
                                 "memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)\n"
                                 "           0         1\n"
                                 " 0       N/A     24.50\n"
                                 " 1     11.25       N/A\n\n"
                                 "Running device_to_device_memcpy_write_sm.\n"
                                 "memcpy SM GPU(row) <- GPU(column) bandwidth (GB/s)\n"
                                 "           0         1\n"
                                 " 0       N/A     26.00\n"
                                 " 1       N/A       N/A\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto peers = all_of(*evidence, "peer.bandwidth", "link:0000:17:00.0~0000:ca:00.0");
  ASSERT_EQ(peers.size(), 4U);
  EXPECT_DOUBLE_EQ(*peers[0].number(), 24.5e9);
  EXPECT_EQ(peers[0].detail, "GPU 0 reads from GPU 1");
  EXPECT_EQ(dimension_text(peers[0], "direction"), "read");
  EXPECT_DOUBLE_EQ(*peers[1].number(), 11.25e9);
  EXPECT_EQ(peers[1].detail, "GPU 1 reads from GPU 0");
  EXPECT_EQ(peers[1].line, 16U);
  EXPECT_EQ(dimension_text(peers[2], "engine"), "sm");
  EXPECT_EQ(dimension_text(peers[2], "direction"), "write");
  EXPECT_EQ(peers[3].number(), nullptr);  // N/A between GPUs that are no peers
}

TEST(NvbandwidthTest, BidirectionalPeersBeforeAndSinceTotals) {
  const auto halves = read(importer,
                           "Running device_to_device_bidirectional_memcpy_read_ce.\n"
                           "memcpy CE GPU(row) <-> GPU(column) bandwidth (GB/s)\n"
                           "0 1\n0 N/A 170.00\n1 172.00 N/A\n");
  ASSERT_TRUE(halves) << halves.error().message();
  EXPECT_EQ(figures(*halves, "peer.bandwidth", "link:cuda#0~cuda#1"), std::vector{342e9});
  // The kernel's figure is the sum already.
  const auto sums = read(importer,
                         "Running device_to_device_bidirectional_memcpy_write_sm.\n"
                         "memcpy SM GPU(row) <- GPU(column) bandwidth (GB/s)\n"
                         "0 1\n0 N/A 300.00\n1 310.00 N/A\n");
  ASSERT_TRUE(sums) << sums.error().message();
  EXPECT_EQ(figures(*sums, "peer.bandwidth", "link:cuda#0~cuda#1"), (std::vector{300e9, 310e9}));
  const auto totals = read(importer,
                           "Running device_to_device_bidirectional_memcpy_write_ce.\n"
                           "memcpy CE GPU(row) <-> GPU(column) Write1 bandwidth (GB/s)\n"
                           "0 1\n0 N/A 390.00\n1 391.00 N/A\n\nSUM a 781.00\n\n"
                           "memcpy CE GPU(row) <-> GPU(column) Write2 bandwidth (GB/s)\n"
                           "0 1\n0 N/A 392.00\n1 393.00 N/A\n\nSUM b 785.00\n\n"
                           "memcpy CE GPU(row) <-> GPU(column) Total bandwidth (GB/s)\n"
                           "0 1\n0 N/A 782.00\n1 784.00 N/A\n\nSUM c 1566.00\n");
  ASSERT_TRUE(totals) << totals.error().message();
  EXPECT_EQ(figures(*totals, "peer.bandwidth", "link:cuda#0~cuda#1"), (std::vector{782e9, 784e9}));
}

TEST(NvbandwidthTest, LatencyAndLocalCopy) {
  const std::string rest =
      "Running host_device_latency_sm.\n"
      "memory latency SM CPU(row) <-> GPU(column) (ns)\n"
      " 0 1\n 0 750.50 760.25\n\nSUM host_device_latency_sm 1510.75\n\n"
      "Running device_to_device_latency_sm.\n"
      "Device to Device Latency SM GPU(row) <-> GPU(column) (ns)\n"
      " 0 1\n 0 N/A 800.00\n 1 900.00 N/A\n\n"
      "Running device_local_copy.\n"
      "memcpy local GPU(column) bandwidth (GB/s)\n"
      " 0 1\n 0 350.00 340.00\n";
  const auto evidence = read(importer, with_header(rest));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_NEAR(*number(*evidence, "hostlink.latency", "gpu:0000:17:00.0"), 750.5e-9, 1e-15);
  const auto latency = figures(*evidence, "peer.latency", "link:0000:17:00.0~0000:ca:00.0");
  ASSERT_EQ(latency.size(), 2U);
  EXPECT_NEAR(latency[1], 900e-9, 1e-15);
  // Bytes copied count twice: read and written.
  EXPECT_EQ(number(*evidence, "memory.bandwidth.copy", "gpu:0000:ca:00.0"), 680e9);

  std::string old = with_header(rest);
  old.replace(old.find("v0.8"), 4, "v0.7");
  const auto before = read(importer, old);
  ASSERT_TRUE(before) << before.error().message();
  for (const auto& o : all_of(*before, "peer.latency")) EXPECT_EQ(o.number(), nullptr);
}

TEST(NvbandwidthTest, AddressesOfAnyWidthAndShared) {
  const auto old = read(importer,
                        "nvbandwidth Version: v0.5\nDevice 0: Tesla T4 (0:3b:0)\n"
                        "Running device_local_copy.\nmemcpy local GPU(column) bandwidth (GB/s)\n"
                        "0\n0 120.00\n");
  ASSERT_TRUE(old) << old.error().message();
  EXPECT_TRUE(number(*old, "memory.bandwidth.copy", "gpu:0000:3b:00.0"));
  const auto slices = read(importer,
                           "nvbandwidth Version: v0.8\n"
                           "Device 0: NVIDIA A30 MIG 2g.12gb (00000000:3b:00)\n"
                           "Device 1: NVIDIA A30 MIG 2g.12gb (00000000:3b:00)\n"
                           "Running device_local_copy.\nmemcpy local GPU(column) bandwidth (GB/s)\n"
                           "0 1\n0 120.00 121.00\n");
  ASSERT_TRUE(slices) << slices.error().message();
  EXPECT_TRUE(number(*slices, "memory.bandwidth.copy", "gpu:cuda#1"));
  EXPECT_TRUE(all_of(*slices, "gpu.name").empty());
}

TEST(NvbandwidthTest, WaivedFailedAndCorrupt) {
  const auto waived = read(importer, with_header("Waived: \nWaived: \n"));
  ASSERT_TRUE(waived) << waived.error().message();
  EXPECT_EQ(absence(*waived, "peer.bandwidth", "link:0000:17:00.0~0000:ca:00.0"),
            Absence::not_supported);
  const auto died = read(importer, with_header("Running host_to_device_memcpy_ce.\n"
                                               " Invalid value when checking the pattern at 0x7f\n"
                                               " Current offset [ 12/1024] \n"));
  ASSERT_TRUE(died) << died.error().message();
  const auto results = all_of(*died, "diag.result", "node");
  ASSERT_EQ(results.size(), 1U);
  EXPECT_EQ(*results[0].text(), "fail");
  EXPECT_NE(text(*died, "diag.errors").value_or("").find("copied data differ"), std::string::npos);
}

TEST(NvbandwidthTest, Json) {
  const auto evidence = read(importer, R"json({
	"nvbandwidth" : { "CUDA Runtime Version" : 12080, "Driver Version" : "570.86.10",
		"GPU Device list" : [ "0: NVIDIA L40S (00000000:17:00): (node-a)",
		                      "1: NVIDIA L40S (00000000:ca:00): (node-a)" ],
		"testcases" : [
		 { "name" : "device_to_host_memcpy_ce", "status" : "Passed", "sum" : 52.0,
		   "bandwidth_description" : "memcpy CE CPU(row) <- GPU(column) bandwidth (GB/s)",
		   "bandwidth_matrix" : [ [ "26.125", "1.5e+01" ] ] },
		 { "name" : "device_to_device_bidirectional_memcpy_read_ce", "status" : "Passed",
		   "bandwidth_description" : "memcpy CE GPU(row) <-> GPU(column) Total bandwidth (GB/s)",
		   "bandwidth_matrix" : [ ["N/A","20"],["21","N/A"], ["N/A","20"],["21","N/A"],
		                          ["N/A","40"],["42","N/A"] ] },
		 { "name" : "device_to_device_memcpy_write_ce", "status" : "Waived" },
		 { "name" : "host_to_device_memcpy_ce", "status" : "Error", "error" : "CUDA_ERROR_ECC" }
		], "version" : "v0.8"
}
})json");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "hostlink.d2h", "gpu:0000:17:00.0"), 26.125e9);
  EXPECT_EQ(number(*evidence, "hostlink.d2h", "gpu:0000:ca:00.0"), 15e9);
  const auto peers = all_of(*evidence, "peer.bandwidth", "link:0000:17:00.0~0000:ca:00.0");
  ASSERT_EQ(peers.size(), 3U);
  EXPECT_EQ(*peers[0].number(), 40e9);
  EXPECT_EQ(*peers[1].number(), 42e9);
  EXPECT_EQ(peers[2].number(), nullptr);
  EXPECT_EQ(all_of(*evidence, "diag.result").size(), 2U);
  EXPECT_EQ(text(*evidence, "gpu.name", "gpu:0000:17:00.0"), "NVIDIA L40S");
}

TEST(NvbandwidthTest, RefusedWithTheReason) {
  const std::string title =
      "Running device_to_device_memcpy_read_ce.\n"
      "memcpy CE GPU(row) -> GPU(column) bandwidth (GB/s)\n 0 1\n";
  expect_error(importer, title + " 0 N/A 24.50\n", 4,
               "ends inside the matrix of device_to_device_memcpy_read_ce");
  expect_error(importer, title + " 0 N/A 24.5", 4, "no figure with two decimals");
  expect_error(importer, "Running device_to_device_memcpy_read_ce.\n", 1,
               "file ends where the figures of");
  expect_error(importer, title + " 0 N/A 24,50\n 1 24,50 N/A\n", 4, "\"24,50\"");
  expect_error(importer, title + " 0 N/A\n", 4, "1 cells, the header has 2");
  expect_error(importer, title + " 1 N/A 24.50\n", 4, "row 0 of the matrix is due");
  expect_error(importer, title + " 0 N/A -24.50\n 1 24.50 N/A\n", 4, "no bandwidth");
  expect_error(importer, title + " 0 N/A " + std::string(300, '9') + ".00\n 1 24.50 N/A\n", 4,
               "no bandwidth");
  expect_error(importer, "nvbandwidth Version: v0.8\n\nIndex, Name:\n\tDescription\n", 4,
               "measured nothing");
  expect_error(importer,
               "nvbandwidth Version: v0.8\n[CUDA_ERROR_NO_DEVICE] no CUDA-capable device\n", 2,
               "stopped with an error: [CUDA_ERROR_NO_DEVICE]");
  expect_error(importer, "{ \"nvbandwidth\" : { \"testcases\" : [ ", 1, "cut off");
  expect_error(importer, "{ \"nvbandwidth\" : { \"error\" : \"no device\" } }", 1, "no device");
  expect_error(importer, "nvbandwidth Version: v0.8\nRunning a" + std::string(1, '\0'), 2, "NUL");
}

TEST(NvbandwidthTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises(header));
  EXPECT_TRUE(importer.recognises("{\n\t\"nvbandwidth\" : \n\t{"));
  EXPECT_TRUE(
      importer.recognises("Running host_to_device_memcpy_ce.\r\n"
                          "memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)\r\n"));
  EXPECT_FALSE(importer.recognises("Running host_to_device_memcpy_ce.\n"));
  EXPECT_FALSE(importer.recognises("Unidirectional P2P=Enabled Bandwidth Matrix (GB/s)\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
