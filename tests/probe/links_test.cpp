// SPDX-License-Identifier: Apache-2.0
// The probes of links find what was planted, and nothing on healthy servers.
#include <gtest/gtest.h>

#include "device/sim/machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {
namespace {

using device::Plant;
using device::PlantKind;

constexpr std::uint64_t memory = std::uint64_t{8} << 20;

struct Outcome {
  Evidence evidence;
  Result<void> result;
};

void run(std::string_view name, std::vector<Plant> plants, Outcome& out) {
  const auto scenario = sim::scenario_named("hgx-a100-4");
  ASSERT_TRUE(scenario);
  auto machine = device::Machine::start(*scenario, {}, std::move(plants));
  ASSERT_TRUE(machine);
  auto devices = device::simulated_devices(*machine, memory);
  ASSERT_TRUE(devices);
  std::vector<device::Device*> pointers;
  for (auto& device : *devices) pointers.push_back(device.get());
  Recorder recorder(out.evidence, {});
  Context context;
  context.devices = pointers;
  context.out = &recorder;
  context.until = pointers.front()->now() + 2;
  out.result = probe_named(name)->run(context);
}

/// The sum of all figures of `id`, by subject.
std::map<std::string, double> sums(const Evidence& evidence, std::string_view id) {
  std::map<std::string, double> out;
  for (const auto& o : evidence.observations)
    if (o.id.name() == id && o.number() != nullptr) out[o.subject] += *o.number();
  return out;
}

double total(const Evidence& evidence, std::string_view id) {
  double out = 0;
  for (const auto& [subject, sum] : sums(evidence, id)) out += sum;
  return out;
}

TEST(HostLink, FindsWrongContentsOfTheRightGpu) {
  Outcome clean, corrupt;
  run("host-link", {}, clean);
  run("host-link", {{PlantKind::h2d_corrupt, 2}}, corrupt);
  EXPECT_TRUE(clean.result);
  EXPECT_EQ(total(clean.evidence, "hostlink.wrong"), 0);
  EXPECT_GT(total(clean.evidence, "hostlink.h2d"), 0);
  int gpus = 0;
  for (const auto& [subject, wrong] : sums(corrupt.evidence, "hostlink.wrong")) gpus += wrong > 0;
  EXPECT_EQ(gpus, 1);
}

TEST(Peer, FindsCopiesThatDoNotArrive) {
  Outcome clean, stale;
  run("peer", {}, clean);
  run("peer", {{PlantKind::peer_copy_stale, 0, 1}}, stale);
  EXPECT_TRUE(clean.result);
  EXPECT_EQ(total(clean.evidence, "peer.wrong"), 0);
  EXPECT_EQ(sums(clean.evidence, "peer.bandwidth").size(), 6U);
  int wrong = 0;
  for (const auto& [subject, sum] : sums(stale.evidence, "peer.wrong")) wrong += sum > 0;
  EXPECT_EQ(wrong, 1);
}

TEST(Collectives, FindAWrongSum) {
  Outcome clean, wrong;
  run("collectives", {}, clean);
  run("collectives", {{PlantKind::sum_wrong, 1}}, wrong);
  EXPECT_TRUE(clean.result);
  EXPECT_EQ(total(clean.evidence, "collective.ring.all_reduce.wrong"), 0);
  EXPECT_GT(total(clean.evidence, "collective.ring.all_reduce.busbw"), 0);
  EXPECT_EQ(total(clean.evidence, "collective.all_reduce.busbw"), 0);  // no NCCL figure
  EXPECT_GT(total(wrong.evidence, "collective.ring.all_reduce.wrong"), 0);
}

/// The GPUs that the probe blames, by rank: for slowness, for wrong sums.
struct Blamed {
  std::vector<std::size_t> slow, wrong;
};

Blamed blamed(std::vector<Plant> plants) {
  Outcome out;
  run("collectives", std::move(plants), out);
  Blamed found;
  std::size_t rank = 0, spoilers = 0;
  for (const auto& o : out.evidence.observations) {
    if (o.id == "collective.gpu.speedup_without"_id && *o.number() > 1.25)
      found.slow.push_back(rank);
    rank += o.id == "collective.gpu.speedup_without"_id;
    if (o.id == "collective.gpu.spoils"_id && std::get<bool>(*o.get()))
      found.wrong.push_back(spoilers);
    spoilers += o.id == "collective.gpu.spoils"_id;
  }
  EXPECT_EQ(rank, 4U);
  EXPECT_EQ(spoilers, 4U);
  return found;
}

TEST(Collectives, NameTheGpuToBlame) {
  using Ranks = std::vector<std::size_t>;
  const auto healthy = blamed({});
  EXPECT_EQ(healthy.slow, Ranks{});
  EXPECT_EQ(healthy.wrong, Ranks{});
  for (const int sick : {0, 2, 3}) {
    EXPECT_EQ(blamed({{PlantKind::rank_slow, sick}}).slow, Ranks{static_cast<std::size_t>(sick)});
    EXPECT_EQ(blamed({{PlantKind::sum_wrong, sick}}).wrong, Ranks{static_cast<std::size_t>(sick)});
  }
}

TEST(Coherency, FindsAForbiddenOutcome) {
  Outcome clean, broken;
  run("coherency", {}, clean);
  run("coherency", {{PlantKind::order_message_passing, 1}}, broken);
  EXPECT_EQ(total(clean.evidence, "coherency.forbidden"), 0);
  EXPECT_GT(total(clean.evidence, "coherency.runs"), 0);
  EXPECT_GT(total(broken.evidence, "coherency.forbidden"), 0);
}

}  // namespace
}  // namespace gpuvet::probe
