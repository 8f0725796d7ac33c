// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <array>
#include <cmath>

#include "device/communicator.hpp"
#include "device/host/host.hpp"
#include "device/sim/machine.hpp"

namespace gpuvet::device {
namespace {

constexpr std::uint64_t memory = std::uint64_t{64} << 20;
constexpr std::array operations = {Collective::all_reduce,     Collective::all_gather,
                                   Collective::reduce_scatter, Collective::broadcast,
                                   Collective::reduce,         Collective::alltoall,
                                   Collective::sendrecv};

std::vector<std::unique_ptr<Device>> hosts(int n) {
  std::vector<std::unique_ptr<Device>> out;
  for (int i = 0; i < n; ++i)
    out.push_back(std::make_unique<HostDevice>(Properties{}, std::vector{-1}, memory));
  return out;
}

float value(std::size_t rank, std::size_t index) {
  return static_cast<float>((index * 7 + rank * 131) % 61);
}

/// What element `i` of rank `r`'s result must be.
float expected(Collective op, std::size_t n, std::size_t r, std::size_t i, std::size_t part) {
  const auto sum = [&](std::size_t index) {
    float out = 0;
    for (std::size_t rank = 0; rank < n; ++rank) out += value(rank, index);
    return out;
  };
  switch (op) {
    case Collective::all_reduce:
    case Collective::reduce:
      return sum(i);
    case Collective::reduce_scatter:
      return sum(r * part + i);
    case Collective::broadcast:
      return value(0, i);
    case Collective::sendrecv:
      return value((r + n - 1) % n, i);
    case Collective::all_gather:
      return value(i / part, i % part);
    case Collective::alltoall:
      return value(i / part, r * part + i % part);
  }
  return 0;
}

/// The number of wrong elements of `op` of `bytes`, done twice in a row over changed inputs.
std::uint64_t wrong(std::vector<std::unique_ptr<Device>>& devices, Collective op,
                    std::uint64_t bytes) {
  const auto n = devices.size();
  std::vector<Device*> pointers;
  for (auto& device : devices) pointers.push_back(device.get());
  const auto ring = ring_communicator(pointers).value();
  const auto sizes = bytes_of(op, bytes, static_cast<int>(n));
  std::vector<Buffer> send, receive;
  std::vector<std::unique_ptr<Stream>> streams;
  std::vector<Range> sends, receives;
  std::vector<Stream*> stream;
  for (std::size_t r = 0; r < n; ++r) {
    send.push_back(devices[r]->allocate(sizes.send).value());
    receive.push_back(devices[r]->allocate(sizes.receive).value());
    std::vector<float> data(sizes.send / 4);
    for (std::size_t i = 0; i < data.size(); ++i) data[i] = value(r, i);
    EXPECT_TRUE(devices[r]->write(send[r].all(), std::as_bytes(std::span(data))));
    sends.push_back(send[r].all());
    receives.push_back(receive[r].all());
    streams.push_back(devices[r]->stream().value());
    stream.push_back(streams[r].get());
  }
  std::uint64_t out = 0;
  for (int round = 0; round < 2; ++round) {
    for (std::size_t r = 0; r < n; ++r)
      EXPECT_TRUE(streams[r]->fill(receives[r], {PatternKind::constant, ~std::uint64_t{0}}));
    EXPECT_TRUE(ring->run(op, sends, receives, stream));
    EXPECT_TRUE(ring->run(op, sends, receives, stream));  // at once again: nobody may be overtaken
    for (auto* one : stream) EXPECT_TRUE(one->synchronize(60));
    for (std::size_t r = 0; r < n; ++r) {
      if (op == Collective::reduce && r != 0) continue;
      std::vector<float> found(sizes.receive / 4);
      EXPECT_TRUE(devices[r]->read(receives[r], std::as_writable_bytes(std::span(found))));
      for (std::size_t i = 0; i < found.size(); ++i)
        out += found[i] == expected(op, n, r, i, bytes / n / 4) ? 0U : 1U;
    }
  }
  for (const auto* buffers : {&send, &receive})
    for (const auto& buffer : *buffers) EXPECT_TRUE(buffer.guards_intact().value());
  return out;
}

TEST(Ring, EveryOperationIsRightOnAnyNumberOfRanks) {
  for (const int n : {2, 3, 5, 8}) {
    auto devices = hosts(n);
    for (const auto op : operations)
      for (const std::uint64_t words : {1U, 3U, 1024U})
        EXPECT_EQ(wrong(devices, op, words * 8 * static_cast<std::uint64_t>(n)), 0U)
            << name(op) << " of " << words << " words on " << n;
  }
}

TEST(Ring, SumsLessThanAWordForEachRank) {
  auto devices = hosts(5);
  EXPECT_EQ(wrong(devices, Collective::all_reduce, 8), 0U);
  EXPECT_EQ(wrong(devices, Collective::reduce, 24), 0U);
}

TEST(Ring, AWrongAdderShows) {
  const auto made = sim::scenario_named("hgx-a100-4").value();
  auto machine = Machine::start(made, {}, {{PlantKind::sum_wrong, 2}}).value();
  auto devices = simulated_devices(machine, memory).value();
  EXPECT_GT(wrong(devices, Collective::all_reduce, 1 << 16), 0U);
  EXPECT_EQ(wrong(devices, Collective::all_gather, 1 << 16), 0U);
}

TEST(Ring, RefusesASingleDevice) {
  auto devices = hosts(1);
  Device* only = devices[0].get();
  EXPECT_FALSE(ring_communicator(std::span(&only, 1)));
}

TEST(Collectives, SizesAndFactorsAreThoseOfNcclTests) {
  EXPECT_EQ(bytes_of(Collective::all_gather, 800, 4).send, 200U);
  EXPECT_EQ(bytes_of(Collective::all_gather, 800, 4).receive, 800U);
  EXPECT_EQ(bytes_of(Collective::reduce_scatter, 800, 4).receive, 200U);
  EXPECT_EQ(bytes_of(Collective::alltoall, 800, 4).send, 800U);
  EXPECT_DOUBLE_EQ(bus_factor(Collective::all_reduce, 8), 1.75);
  EXPECT_DOUBLE_EQ(bus_factor(Collective::all_gather, 4), 0.75);
  EXPECT_DOUBLE_EQ(bus_factor(Collective::broadcast, 8), 1);
}

}  // namespace
}  // namespace gpuvet::device
