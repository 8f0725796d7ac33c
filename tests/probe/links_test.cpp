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

/// The ranks that the probe blames.
std::vector<std::string> stragglers(std::vector<Plant> plants) {
  Outcome out;
  run("collectives", std::move(plants), out);
  for (const auto& o : out.evidence.observations)
    if (o.id == "collective.stragglers"_id)
      if (const auto* value = o.get())
        if (const auto* names = std::get_if<std::vector<std::string>>(value)) return *names;
  return {"none was looked for"};
}

TEST(Collectives, NameTheRankThatHoldsTheOthersUp) {
  EXPECT_EQ(stragglers({}), std::vector<std::string>{});
  for (const int slow : {0, 2, 3}) {
    const auto found = stragglers({{PlantKind::rank_slow, slow}});
    ASSERT_EQ(found.size(), 1);
    EXPECT_TRUE(found[0].starts_with("rank " + std::to_string(slow) + " (gpu:")) << found[0];
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
