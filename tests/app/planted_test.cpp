// SPDX-License-Identifier: Apache-2.0
// Every fault that only probes can find, planted at random places: found by its probe, as a finding
// about the right device; and clean servers without any alarm. GPUVET_PLANTS=1000 plants each kind
// so many times (default 2); GPUVET_WRITE_DOCS=1 writes docs/planted.md anew.
#include <fmt/format.h>

#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/simulated.hpp"
#include "device/host/host.hpp"
#include "device/sim/machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::app {
namespace {

using device::Plant;
using device::PlantKind;
using judge::Status;

std::uint64_t plants_asked() {
  const char* asked = std::getenv("GPUVET_PLANTS");
  return asked == nullptr ? 2 : std::strtoull(asked, nullptr, 10);
}

/// Links can be exchanged only where there are two kinds, and a way is shared where several GPUs
/// are near one NUMA node.
const char* server_of(PlantKind kind) {
  if (kind == PlantKind::links_swapped) return "a100-pcie-bridged";
  return kind == PlantKind::uplink_narrow ? "dgx-h100" : "hgx-a100-4";
}

/// What the server's files say, read once.
std::vector<derive::FileEvidence> inventory(const std::string& scenario) {
  static std::map<std::string, std::vector<derive::FileEvidence>> known;
  auto& out = known[scenario];
  if (out.empty()) {
    const testing::Simulated server(scenario);
    out = std::move(gather({server.folder() + "/files"}, false)->evidence);
  }
  return out;
}

struct Run {
  std::map<std::string, std::set<std::string>> complaints;  ///< criterion -> subjects
  std::vector<std::string> subjects;                        ///< of the devices, by index
};

/// Runs `probe` on the server's simulated GPUs and judges what it found, beside the inventory.
Run run(const std::string& scenario, const std::vector<Plant>& plants, const probe::Probe& probe,
        std::uint64_t seed, std::uint64_t memory) {
  auto machine = device::Machine::start(sim::scenario_named(scenario).value(), {}, plants);
  const auto devices = device::simulated_devices(std::move(*machine), memory).value();
  device::Properties own;
  own.name = "host";
  own.subject = "node";
  device::HostDevice host(own, {-1, -1}, memory);
  Run out;
  std::vector<device::Device*> under_test;
  for (const auto& device : devices) {
    under_test.push_back(device.get());
    out.subjects.push_back(device->properties().subject);
  }
  derive::FileEvidence found{"probe", {}};
  Provenance provenance;
  provenance.how = How::measured;
  provenance.custody = Custody::simulated;
  provenance.tool = "gpuvet probe";
  Recorder recorder(found.evidence, provenance);
  probe::Context context;
  context.devices = under_test;
  context.host = &host;
  context.until = devices.front()->now() + probe.quick;
  context.seed = seed;
  context.call_limit = 5;
  context.out = &recorder;
  if (const auto done = probe.run(context); !done) {
    std::string about = "node";
    for (const auto& line : done.error().context)
      if (line.starts_with("gpu:")) about = line;
    if (probe::blames_device(done.error().code))
      recorder.flag("probe.completed"_id, about, false, {{"probe", std::string(probe.name)}});
  }
  auto files = inventory(scenario);
  files.push_back(std::move(found));
  for (const auto& finding : testing::judged(std::move(files)).findings)
    if (finding.status == Status::fail || finding.status == Status::warn)
      out.complaints[finding.id].insert(finding.subject);
  return out;
}

/// Without what the inventory alone complains of.
std::map<std::string, std::set<std::string>> news(const std::string& scenario, const Run& run) {
  static std::map<std::string, std::set<std::string>> known;
  auto& ids = known[scenario];
  if (ids.empty()) {
    ids.insert("none");
    for (const auto& finding : testing::judged(inventory(scenario)).findings)
      if (finding.status == Status::fail || finding.status == Status::warn) ids.insert(finding.id);
  }
  auto out = run.complaints;
  for (const auto& id : ids) out.erase(id);
  return out;
}

struct Tally {
  std::uint64_t planted = 0, found = 0;
  std::set<std::string> criteria;
};

/// Whether a finding is about the GPU itself, a link of it, or the node.
bool about(const std::string& subject, const std::string& gpu) {
  return subject == "node" || subject.find(gpu.substr(gpu.find(':') + 1)) != std::string::npos;
}

Tally tally_of(const device::PlantInfo& kind) {
  constexpr std::uint64_t memory = std::uint64_t{1} << 20;
  Tally out;
  const auto* probe = probe::probe_named(kind.probe);
  EXPECT_NE(probe, nullptr) << kind.name;
  if (probe == nullptr) return out;
  const std::string server = server_of(kind.kind);
  for (std::uint64_t seed = 1; seed <= plants_asked(); ++seed) {
    const auto gpu = static_cast<int>(device::Pattern::mix(seed) % 4);
    const auto peer = static_cast<int>((static_cast<std::uint64_t>(gpu) + 1 + seed % 3) % 4);
    const Plant plant{kind.kind, gpu, peer, seed, 0};
    const auto ran = run(server, {plant}, *probe, seed, memory);
    ++out.planted;
    bool found = false;
    for (const auto& [criterion, subjects] : news(server, ran))
      for (const auto& subject : subjects)
        if (about(subject, ran.subjects[static_cast<std::size_t>(gpu)])) {
          found = true;
          out.criteria.insert(criterion);
        }
    out.found += found ? 1 : 0;
  }
  return out;
}

constexpr std::string_view page_head = R"(# Faults that only active tests find

Generated by `tests/app/planted_test.cpp` (`GPUVET_PLANTS=N GPUVET_WRITE_DOCS=1`). Each kind was
planted at random places (bit, word, element, GPU, moment) of a simulated server; it counts as found
when the probe named leads to a failure or warning about that GPU, a link of it, or the node.

| fault | what is wrong | probe | planted | found | criteria |
|---|---|---|---|---|---|
)";

TEST(Planted, EachIsFoundByItsProbe) {
  std::string page(page_head);
  for (const auto& kind : device::plant_kinds()) {
    const auto tally = tally_of(kind);
    std::string criteria;
    for (const auto& id : tally.criteria) criteria += (criteria.empty() ? "`" : ", `") + id + "`";
    page += fmt::format("| `{}` | {} | `{}` | {} | {} | {} |\n", kind.name, kind.title, kind.probe,
                        tally.planted, tally.found, criteria);
    // A cell may lie in the twentieth of the memory that nobody can allocate.
    EXPECT_GE(tally.found + 1 + tally.planted / 12, tally.planted) << kind.name;
    EXPECT_GT(tally.found, 0U) << kind.name;
  }
  if (std::getenv("GPUVET_WRITE_DOCS") != nullptr)
    std::ofstream(std::string(GPUVET_SOURCE_DIR) + "/docs/planted.md") << page;
}

TEST(Planted, CleanServersRaiseNoAlarm) {
  const std::uint64_t seeds = plants_asked() > 2 ? 100 : 1;
  for (const auto& probe : probe::all()) {
    if (probe.needs == probe::Needs::host) continue;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const auto ran = run("hgx-a100-4", {}, probe, seed, std::uint64_t{1} << 20);
      EXPECT_TRUE(news("hgx-a100-4", ran).empty())
          << probe.name << " seed " << seed << ": " << news("hgx-a100-4", ran).begin()->first;
    }
  }
}

}  // namespace
}  // namespace gpuvet::app
