// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "device/host/host.hpp"
#include "device/sim/machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {
namespace {

using device::Device;
using device::Plant;
using device::PlantKind;

/// What the probe says of devices.
struct Run {
  explicit Run(std::vector<std::unique_ptr<Device>> owned, double seconds = 30,
               std::uint64_t seed = 1)
      : devices{std::move(owned)} {
    std::vector<Device*> pointers;
    for (auto& device : devices) pointers.push_back(device.get());
    Recorder recorder(evidence, {});
    recorder.how(How::measured);
    Context context;
    context.devices = pointers;
    context.until = devices.front()->now() + seconds;
    context.seed = seed;
    context.out = &recorder;
    context.publish = [this] { ++published; };
    result = probe_named("compute")->run(context);
  }
  [[nodiscard]] std::vector<const Observation*> all(Id id) const {
    std::vector<const Observation*> out;
    for (const auto& o : evidence.observations)
      if (o.id == id) out.push_back(&o);
    return out;
  }
  [[nodiscard]] double sum(Id id, const std::string& subject = {}) const {
    double out = 0;
    for (const auto* o : all(id))
      if (o->number() != nullptr && (subject.empty() || o->subject == subject)) out += *o->number();
    return out;
  }
  /// Subjects of which something is wrong.
  [[nodiscard]] std::set<std::string> accused() const {
    std::set<std::string> out;
    for (const Id id :
         {"compute.wrong"_id, "compute.wrong.exact"_id, "compute.wrong.inputs"_id,
          "compute.not_finite"_id, "compute.repeat.differing"_id, "compute.sibling.differing"_id})
      for (const auto* o : all(id))
        if (o->number() != nullptr && *o->number() > 0) out.insert(o->subject);
    return out;
  }

  std::vector<std::unique_ptr<Device>> devices;
  Evidence evidence;
  Result<void> result;
  int published = 0;
};

std::vector<std::unique_ptr<Device>> host(int nodes = 1) {
  std::vector<std::unique_ptr<Device>> out;
  for (int i = 0; i < nodes; ++i) {
    device::Properties properties;
    properties.name = "processor";
    properties.subject = "node";
    properties.index = i;
    out.push_back(std::make_unique<device::HostDevice>(properties, std::vector<int>{-1, -1},
                                                       std::uint64_t{3} << 20));
  }
  return out;
}

std::vector<std::unique_ptr<Device>> simulated(std::vector<Plant> plants = {},
                                               std::uint64_t memory = 1 << 20) {
  const auto scenario = sim::scenario_named("hgx-a100-4").value();
  auto machine = device::Machine::start(scenario, {}, std::move(plants)).value();
  return device::simulated_devices(std::move(machine), memory).value();
}

TEST(Compute, TellsARateOfEveryPrecisionOnTheHost) {
  const Run run(host(), 2);
  ASSERT_TRUE(run.result);
  for (const auto id : {"compute.fp64"_id, "compute.fp32"_id, "compute.tf32"_id, "compute.bf16"_id,
                        "compute.fp16"_id, "compute.fp8"_id, "compute.int8"_id}) {
    bool own = false;
    for (const auto* o : run.all(id)) {
      const auto& backend = std::get<std::string>(o->where.at("backend"));
      EXPECT_TRUE(backend == "own" || backend == "openblas");
      if (backend != "own") continue;
      own = true;
      ASSERT_NE(o->number(), nullptr) << o->detail;
      EXPECT_GT(*o->number(), 0);
      EXPECT_GE(std::get<double>(o->where.at("size")), 128);
    }
    EXPECT_TRUE(own);
  }
  EXPECT_TRUE(run.accused().empty());
  EXPECT_GE(run.all("compute.wrong"_id).size(), 7U);
  EXPECT_GE(run.sum("compute.verified"_id), 7 * 5);
  EXPECT_GT(run.sum("compute.check.share"_id), 0);
  EXPECT_EQ(run.published, 2);
}

TEST(Compute, SimulatedGpusAreLabelledAndComparedAndRunTogether) {
  const Run run(simulated());
  ASSERT_TRUE(run.result);
  EXPECT_TRUE(run.accused().empty());
  std::map<std::string, int> backends;
  int together = 0;
  for (const auto* o : run.all("compute.bf16"_id)) {
    ASSERT_NE(o->number(), nullptr) << o->detail;
    ++backends[std::get<std::string>(o->where.at("backend"))];
    together += o->where.count("gpus") == 1 ? 1 : 0;
  }
  EXPECT_EQ(backends["cublas"], 8);  // four alone, four at once
  EXPECT_EQ(backends["own"], 4);
  EXPECT_EQ(together, 4);
  EXPECT_GE(run.all("compute.sibling.differing"_id).size(), 8U);
}

TEST(Compute, WhatTheModelLacksIsAbsentNotZero) {
  const Run run(simulated());
  const auto fp8 = run.all("compute.fp8"_id);
  ASSERT_EQ(fp8.size(), 8U);  // each of 4 GPUs, by either engine: an A100 has none
  for (const auto* o : fp8) EXPECT_EQ(std::get<Absence>(o->value), Absence::not_supported);
}

TEST(Compute, WithoutTimeEverythingIsAbsentAndNothingPasses) {
  const Run run(simulated(), 0);
  EXPECT_TRUE(run.result);
  ASSERT_FALSE(run.evidence.observations.empty());
  for (const auto& o : run.evidence.observations) EXPECT_EQ(o.get(), nullptr) << name(o.id);
  EXPECT_FALSE(run.all("compute.wrong"_id).empty());
}

TEST(Compute, ALostDeviceLeavesTheOthersFigures) {
  const Run run(simulated({{PlantKind::lost, 1}}));
  EXPECT_TRUE(run.result);
  int figures = 0, absent = 0;
  for (const auto* o : run.all("compute.wrong"_id))
    (o->number() != nullptr ? figures : absent) += 1;
  EXPECT_GT(figures, 20);
  EXPECT_GT(absent, 0);
  EXPECT_TRUE(run.accused().empty());
}

class ComputePlants : public testing::TestWithParam<PlantKind> {};
INSTANTIATE_TEST_SUITE_P(All, ComputePlants,
                         testing::Values(PlantKind::wrong_element, PlantKind::nan_element,
                                         PlantKind::inf_element, PlantKind::wrong_row,
                                         PlantKind::wrong_column, PlantKind::wrong_tile,
                                         PlantKind::nondeterministic, PlantKind::sibling_differs,
                                         PlantKind::wrong_input),
                         [](const auto& p) {
                           std::string out(device::info(p.param).name);
                           std::replace(out.begin(), out.end(), '-', '_');
                           return out;
                         });

TEST_P(ComputePlants, AreFoundOnTheRightDevice) {
  for (std::uint64_t seed = 1; seed <= 5; ++seed) {
    const int gpu = static_cast<int>(seed % 4);
    const Run run(simulated({{GetParam(), gpu, 0, seed}}), 30, seed);
    const auto accused = run.accused();
    ASSERT_EQ(accused.size(), 1U) << seed;
    EXPECT_EQ(*accused.begin(), run.devices[static_cast<std::size_t>(gpu)]->properties().subject);
  }
}

TEST(Compute, ASlowDeviceIsSlowerThanItsSiblings) {
  const Run run(simulated({{PlantKind::compute_slow, 2}}));
  EXPECT_TRUE(run.accused().empty());
  std::map<std::string, double> rate;
  for (const auto* o : run.all("compute.bf16"_id))
    if (o->number() != nullptr && o->where.count("gpus") == 0 &&
        std::get<std::string>(o->where.at("backend")) == "cublas")
      rate[o->subject] = *o->number();
  ASSERT_EQ(rate.size(), 4U);
  const auto& slow = run.devices[2]->properties().subject;
  for (const auto& [subject, value] : rate)
    if (subject != slow) {
      EXPECT_LT(rate[slow], 0.9 * value);
    }
}

TEST(Compute, RightDevicesAreNeverAccused) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const Run run(simulated(), 5, seed);
    ASSERT_TRUE(run.accused().empty()) << seed;
  }
}

}  // namespace
}  // namespace gpuvet::probe
