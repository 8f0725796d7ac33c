// SPDX-License-Identifier: Apache-2.0
// The network probe: TCP for real over loopback, RDMA with a program in perftest's place.
#include "probe/network.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "probe/testing.hpp"

namespace gpuvet::probe {

Result<void> network(Context&);

namespace {

using testing::Bench;

void add_port(Bench& bench, const std::string& device, const std::string& state = "4: ACTIVE",
              const std::string& port = "1") {
  const auto at = "/sys/class/infiniband/" + device;
  bench.file(at + "/ports/" + port + "/state", state + "\n");
  bench.file(at + "/device/numa_node", "1\n");
}

/// Behaves as perftest: without a host it waits until somebody came, else it needs the waiting side
/// and prints what it measured. The folder serves as the wire.
std::string stub(Bench& bench) {
  return bench.program("perftest", R"(
here=$(dirname "$0")
echo "$*" >> "$here/calls"
for last; do :; done
device=$2
case $last in
127.0.0.1|peer.example)
  if [ $last = 127.0.0.1 ]; then
    [ -e "$here/waiting" ] || { echo "Couldn't connect to 127.0.0.1:18620" >&2; exit 1; }
    other=$(cat "$here/waiting"); rm "$here/waiting"
    [ -e "$here/apart" ] && [ $other != $device ] && { echo "Failed to modify QP to RTR" >&2; exit 1; }
  fi
  case "$*" in
  *"-s 2 "*)
    echo '                    RDMA_Write Latency Test'
    printf ' Dual-port       : OFF\t\tDevice         : %s\n' $device
    echo ' Connection type : RC           Using SRQ      : OFF'
    echo ' #bytes #iterations    t_min[usec]    t_max[usec]  t_typical[usec]    t_avg[usec]    t_stdev[usec]   99% percentile[usec]   99.9% percentile[usec] '
    echo ' 2       5000   0.90   4.70   0.93    0.95    0.08   1.05   4.70';;
  *)
    echo '                    RDMA_Write BW Test'
    printf ' Dual-port       : OFF\t\tDevice         : %s\n' $device
    echo ' Connection type : RC           Using SRQ      : OFF'
    echo ' #bytes     #iterations    BW peak[Gb/sec]    BW average[Gb/sec]   MsgRate[Mpps]'
    echo ' 1048576    35052            0.00               197.20     0.023508';;
  esac;;
*)
  sleep 0.3
  echo $device > "$here/waiting"
  while [ -e "$here/waiting" ]; do sleep 0.05; done;;
esac
)");
}

void install(Bench& bench) {
  const auto path = stub(bench);
  for (const char* tool : {"ib_write_bw", "ib_write_lat", "ib_read_bw"}) bench.tools[tool] = path;
}

std::string word(const Observation& o, std::string_view name) {
  const auto found = o.where.find(name);
  return found == o.where.end() ? "" : std::get<std::string>(found->second);
}

TEST(Network, TcpIsMeasuredAndNamedAsSuch) {
  Bench bench(3);
  ASSERT_TRUE(network(bench.context));
  const auto* tcp = bench.find("node.tcp.bandwidth", "tcp");
  ASSERT_NE(tcp, nullptr);
  ASSERT_NE(tcp->number(), nullptr) << tcp->detail;
  EXPECT_GT(*tcp->number(), 0);
  EXPECT_EQ(word(*tcp, "route"), "loopback");
  EXPECT_EQ(*bench.find("node.tcp.wrong", "tcp")->number(), 0);
  EXPECT_GT(*bench.find("node.tcp.latency", "tcp")->number(), 0);
  for (const char* id : {"nic.rdma.bandwidth", "nic.rdma.latency"}) {
    const auto* rdma = bench.find(id);
    ASSERT_NE(rdma, nullptr);
    EXPECT_EQ(rdma->get(), nullptr);
    EXPECT_TRUE(contains(rdma->detail, "no RDMA port"));
  }
}

TEST(Network, FindsActivePortsOnly) {
  Bench bench(1);
  add_port(bench, "mlx5_0");
  add_port(bench, "mlx5_1", "1: DOWN");
  add_port(bench, "mlx5_2", "4: ACTIVE", "2");
  const auto ports = active_ports(bench.context.root);
  ASSERT_EQ(ports.size(), 2U);
  EXPECT_EQ(ports[0].device, "mlx5_0");
  EXPECT_EQ(ports[0].numa, 1);
  EXPECT_EQ(ports[1].device, "mlx5_2");
  EXPECT_EQ(ports[1].port, 2);
}

TEST(Network, PerftestRunsBetweenPortsAndIsIngested) {
  Bench bench(60);
  install(bench);
  measure_rdma(bench.context, {{"mlx5_0", 1, 0}, {"mlx5_1", 2, 0}}, 4);
  const auto* write = bench.find("nic.rdma.bandwidth", "perftest");
  ASSERT_NE(write, nullptr);
  ASSERT_NE(write->number(), nullptr) << write->detail;
  EXPECT_DOUBLE_EQ(*write->number(), 197.2e9 / 8);
  EXPECT_EQ(write->subject, "nic:mlx5_0");
  EXPECT_EQ(word(*write, "route"), "between ports");
  EXPECT_EQ(word(*write, "memory"), "host");
  EXPECT_EQ(write->provenance->tool, "perftest");
  EXPECT_EQ(write->provenance->custody, Custody::own);
  EXPECT_EQ(write->provenance->how, How::measured);
  EXPECT_DOUBLE_EQ(*bench.find("nic.rdma.latency", "perftest")->number(), 0.93e-6);
  EXPECT_TRUE(contains(bench.kept["ib_write_bw_mlx5_0_1.txt"], "197.20"));
  EXPECT_EQ(bench.evidence.observations.back().subject, "nic:mlx5_1/2");
}

TEST(Network, RailsApartAreMeasuredEachOnItsOwn) {
  Bench bench(60);
  install(bench);
  bench.file("/apart", "");
  measure_rdma(bench.context, {{"mlx5_0", 1, 0}, {"mlx5_1", 1, 0}}, 4);
  for (const auto& o : bench.evidence.observations) {
    EXPECT_NE(o.get(), nullptr) << o.detail;
    EXPECT_EQ(word(o, "route"), "same port");
  }
  EXPECT_EQ(bench.evidence.observations.size(), 8U);  // p99 of latency beside three tests each
}

TEST(Network, APeerIsAskedDirectly) {
  Bench bench(60);
  install(bench);
  bench.context.peer = "peer.example";
  measure_rdma(bench.context, {{"mlx5_0", 1, 0}}, 4);
  const auto* write = bench.find("nic.rdma.bandwidth", "perftest");
  ASSERT_NE(write, nullptr);
  ASSERT_NE(write->number(), nullptr) << write->detail;
  EXPECT_EQ(word(*write, "route"), "peer");
}

TEST(Network, WhatPerftestSaysIsTheReason) {
  Bench bench(60);
  const auto path =
      bench.program("broken", "echo 'Unable to find the Infiniband/RoCE device' >&2\nexit 1\n");
  for (const char* tool : {"ib_write_bw", "ib_write_lat"}) bench.tools[tool] = path;
  measure_rdma(bench.context, {{"mlx5_0", 1, 0}}, 4);
  const auto* write = bench.find("nic.rdma.bandwidth");
  ASSERT_NE(write, nullptr);
  EXPECT_EQ(write->get(), nullptr);
  EXPECT_TRUE(contains(write->detail, "Unable to find the Infiniband")) << write->detail;
  const auto& read = bench.evidence.observations.back();
  EXPECT_EQ(word(read, "verb"), "read");
  EXPECT_TRUE(contains(read.detail, "ib_read_bw is not installed"));
}

TEST(Network, ThisMachinesNetworkIsNotASimulatedServers) {
  Bench bench(3, device::Backend::sim);
  EXPECT_EQ(network(bench.context).error().code, Errc::not_supported);
  EXPECT_TRUE(bench.evidence.observations.empty());
}

TEST(Network, ListeningEndsWithTheTime) {
  Bench bench(0.3);
  bench.context.listen = true;
  EXPECT_TRUE(network(bench.context));
}

}  // namespace
}  // namespace gpuvet::probe
