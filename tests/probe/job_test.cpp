// SPDX-License-Identifier: Apache-2.0
// Collectives of several processes, with threads in place of processes and memory in place of MPI.
#include <gtest/gtest.h>

#include <barrier>
#include <cmath>
#include <cstring>
#include <thread>

#include "device/host/host.hpp"
#include "probe/probe.hpp"
#include "probe/testing.hpp"

namespace gpuvet::probe {
namespace {

using device::Collective;

/// What the ranks hand each other.
struct Table {
  explicit Table(std::vector<std::string> hosts_of_ranks)
      : hosts{std::move(hosts_of_ranks)},
        meet{static_cast<std::ptrdiff_t>(hosts.size())},
        send(hosts.size()),
        bytes(hosts.size()) {}
  std::vector<std::string> hosts;
  std::barrier<> meet;
  std::vector<std::span<const float>> send;
  std::vector<std::span<const double>> numbers = std::vector<std::span<const double>>(hosts.size());
  std::vector<std::span<std::byte>> bytes;
  bool spoils = false;  ///< a sum is wrong on rank 1
};

class ThreadJob final : public device::Job {
 public:
  ThreadJob(Table& table, int rank) : table_{table}, rank_{rank} {}
  [[nodiscard]] int rank() const override { return rank_; }
  [[nodiscard]] int size() const override { return static_cast<int>(table_.hosts.size()); }
  [[nodiscard]] std::string library() const override { return "MPI (threads)"; }
  [[nodiscard]] const std::vector<std::string>& hosts() const override { return table_.hosts; }
  Result<void> broadcast(std::span<std::byte> bytes, int root) override {
    table_.bytes[own()] = bytes;
    table_.meet.arrive_and_wait();
    if (rank_ != root)
      std::memcpy(bytes.data(), table_.bytes[static_cast<std::size_t>(root)].data(), bytes.size());
    return barrier();
  }
  Result<std::vector<double>> gather(std::span<const double> numbers) override {
    table_.numbers[own()] = numbers;
    table_.meet.arrive_and_wait();
    std::vector<double> out;
    for (const auto& one : table_.numbers) out.insert(out.end(), one.begin(), one.end());
    table_.meet.arrive_and_wait();
    return out;
  }
  Result<void> barrier() override {
    table_.meet.arrive_and_wait();
    return {};
  }
  Result<void> run(Collective op, std::span<const float> send, std::span<float> receive) override {
    table_.send[own()] = send;
    table_.meet.arrive_and_wait();
    const auto n = table_.send.size();
    const auto sum = [&](std::size_t i) {
      float out = 0;
      for (const auto& one : table_.send) out += one[i];
      return out;
    };
    for (std::size_t i = 0; i < receive.size(); ++i) switch (op) {
        case Collective::all_reduce:
        case Collective::reduce:
          receive[i] = sum(i);
          break;
        case Collective::reduce_scatter:
          receive[i] = sum(own() * receive.size() + i);
          break;
        case Collective::broadcast:
          receive[i] = table_.send[0][i];
          break;
        case Collective::all_gather:
          receive[i] = table_.send[i / send.size()][i % send.size()];
          break;
        case Collective::alltoall: {
          const auto part = receive.size() / n;
          receive[i] = table_.send[i / part][own() * part + i % part];
          break;
        }
        case Collective::sendrecv:
          receive[i] = table_.send[(own() + n - 1) % n][i];
          break;
      }
    if (table_.spoils && rank_ == 1 && op == Collective::all_reduce) receive[0] += 1;
    return barrier();
  }

 private:
  [[nodiscard]] std::size_t own() const { return static_cast<std::size_t>(rank_); }
  Table& table_;
  int rank_;
};

/// What each rank recorded.
std::vector<Evidence> run(Table& table) {
  std::vector<Evidence> out(table.hosts.size());
  std::vector<std::thread> ranks;
  for (std::size_t r = 0; r < table.hosts.size(); ++r)
    ranks.emplace_back([&, r] {
      ThreadJob job(table, static_cast<int>(r));
      device::HostDevice host(testing::host_properties(), {}, std::uint64_t{1} << 18);
      device::Device* device = &host;
      Recorder recorder(out[r], {});
      Context context;
      context.devices = std::span(&device, 1);
      context.host = &host;
      context.job = &job;
      context.until = host.now() + 30;  // far more than it needs, for slow machines
      context.out = &recorder;
      const auto done = probe_named("collectives")->run(context);
      EXPECT_TRUE(done) << done.error().message();
    });
  for (auto& rank : ranks) rank.join();
  return out;
}

const Observation* find(const Evidence& evidence, std::string_view id) {
  for (const auto& o : evidence.observations)
    if (o.id.name() == id) return &o;
  return nullptr;
}

TEST(Job, TheFirstProcessReportsForAllOfThem) {
  Table table({"one", "one", "two"});
  const auto found = run(table);
  for (const auto* op : {"all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce",
                         "alltoall", "sendrecv"}) {
    const auto stem = std::string("collective.mpi.") + op;
    const auto* rate = find(found[0], stem + ".busbw");
    ASSERT_NE(rate, nullptr) << op;
    ASSERT_NE(rate->number(), nullptr) << op << ": " << rate->detail;
    EXPECT_GT(*rate->number(), 0) << op;
    EXPECT_EQ(std::get<double>(rate->where.at("gpus")), 3);
    EXPECT_EQ(std::get<double>(rate->where.at("nodes")), 2);
    const auto* wrong = find(found[0], stem + ".wrong");
    ASSERT_TRUE(wrong != nullptr && wrong->number() != nullptr) << op;
    EXPECT_EQ(*wrong->number(), 0) << op;
  }
  EXPECT_TRUE(found[1].observations.empty());
  EXPECT_TRUE(found[2].observations.empty());
}

TEST(Job, AWrongResultAnywhereCounts) {
  Table table({"one", "two"});
  table.spoils = true;
  const auto found = run(table);
  const auto* sums = find(found[0], "collective.mpi.all_reduce.wrong");
  const auto* others = find(found[0], "collective.mpi.broadcast.wrong");
  ASSERT_TRUE(sums != nullptr && sums->number() != nullptr);
  ASSERT_TRUE(others != nullptr && others->number() != nullptr);
  EXPECT_GT(*sums->number(), 0);
  EXPECT_EQ(*others->number(), 0);
}

TEST(Job, KnowsWhoSharesAHost) {
  Table table({"one", "two", "one"});
  const auto place = ThreadJob(table, 2).place();
  EXPECT_EQ(place.size, 2);
  EXPECT_EQ(place.rank, 1);
  EXPECT_EQ(ThreadJob(table, 1).place().size, 1);
}

}  // namespace
}  // namespace gpuvet::probe
