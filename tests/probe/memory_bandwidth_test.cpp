// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <map>

#include "device/host/host.hpp"
#include "device/sim/machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {
namespace {

using device::PlantKind;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

struct Run {
  Evidence evidence;
  std::vector<std::unique_ptr<device::Device>> devices;

  /// "copy sm 1" -> figure, of one device.
  [[nodiscard]] std::map<std::string, double> figures(std::size_t device) const {
    std::map<std::string, double> out;
    for (const auto& o : evidence.observations) {
      if (o.subject != devices[device]->properties().subject || o.number() == nullptr) continue;
      std::string key(o.id.name().substr(o.id.name().rfind('.') + 1));
      if (const auto engine = o.where.find("engine"); engine != o.where.end())
        key += " " + std::get<std::string>(engine->second);
      const auto together = o.where.find("concurrent");
      if (together == o.where.end()) continue;
      key += " " + std::to_string(static_cast<int>(std::get<double>(together->second)));
      out[key] = *o.number();
    }
    return out;
  }
};

Run run_on(std::vector<std::unique_ptr<device::Device>> devices, double seconds) {
  Run out;
  out.devices = std::move(devices);
  std::vector<device::Device*> pointers;
  for (const auto& d : out.devices) pointers.push_back(d.get());
  Recorder recorder(out.evidence, {How::measured, Custody::own, "gpuvet", "", "probe", ""});
  Context context;
  context.devices = pointers;
  context.until = pointers.front()->now() + seconds;
  context.out = &recorder;
  const auto done = probe_named("memory.bandwidth")->run(context);
  EXPECT_TRUE(done) << done.error().message();
  return out;
}

Run simulated(std::vector<device::Plant> plants) {
  auto machine =
      device::Machine::start(sim::scenario_named("hgx-a100-4").value(), {}, std::move(plants));
  return run_on(device::simulated_devices(std::move(*machine), MiB).value(), 10);
}

std::unique_ptr<device::Device> host(std::uint64_t bytes, std::uint64_t cache, std::string name) {
  device::Properties properties;
  properties.name = "host";
  properties.subject = std::move(name);
  properties.cache = cache;
  return std::make_unique<device::HostDevice>(properties, std::vector<int>{-1}, bytes);
}

TEST(MemoryBandwidth, MeasuresEachGpuAloneAndAllAtOnce) {
  const auto run = simulated({});
  for (std::size_t i = 0; i < 4; ++i) {
    const auto figures = run.figures(i);
    for (const auto* key : {"read 1", "write 1", "copy sm 1", "copy ce 1", "triad 1", "read 4",
                            "write 4", "copy sm 4", "copy ce 4", "triad 4"})
      EXPECT_TRUE(figures.contains(key)) << key;
    EXPECT_EQ(figures.size(), 10U);
    // Each GPU has memory of its own: what the model gives one, it gives all.
    EXPECT_NEAR(figures.at("read 4") / figures.at("read 1"), 1, 0.02);
  }
}

TEST(MemoryBandwidth, SlowMemoryIsSlowAloneAndAmongAll) {
  const auto run = simulated({{PlantKind::memory_slow, 2}});
  for (const auto* key : {"read 1", "copy sm 1", "copy ce 1", "read 4"}) {
    EXPECT_LT(run.figures(2).at(key), 0.9 * run.figures(1).at(key)) << key;
    EXPECT_NEAR(run.figures(3).at(key) / run.figures(1).at(key), 1, 0.02) << key;
  }
}

TEST(MemoryBandwidth, ADeviceThatLacksMemoryDoesNotKeepOthersFromTheirFigures) {
  std::vector<std::unique_ptr<device::Device>> devices;
  devices.push_back(host(8 * MiB, 64 * MiB, "a"));
  devices.push_back(host(8 * MiB, 0, "b"));
  const auto run = run_on(std::move(devices), 2);
  EXPECT_TRUE(run.figures(0).empty());
  int absent = 0;
  for (const auto& o : run.evidence.observations) absent += o.subject == "a" && !o.get() ? 1 : 0;
  EXPECT_EQ(absent, 5);
  EXPECT_GT(run.figures(1).at("copy ce 1"), 0);
  EXPECT_FALSE(run.figures(1).contains("read 2"));  // one alone is not all at once
}

}  // namespace
}  // namespace gpuvet::probe
