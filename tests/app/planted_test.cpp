// SPDX-License-Identifier: Apache-2.0
// Every fault that only probes can find, planted at random places: found by its probe, as a finding
// about the right device; and clean servers without any alarm. GPUVET_PLANTS=1000 plants each kind
// so many times (default 2); GPUVET_WRITE_DOCS=1 then writes the rows of docs/planted.md anew.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/simulated.hpp"
#include "device/host/host.hpp"
#include "device/sim/cells.hpp"
#include "device/sim/machine.hpp"
#include "probe/probe.hpp"

namespace gpuvet::app {
namespace {

using device::Plant;
using device::PlantKind;
using judge::Status;

/// Bytes of each GPU: faults are as easily found in little memory as in much.
constexpr std::uint64_t memory = std::uint64_t{1} << 20;

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
  std::map<std::string, double> reached;  ///< share of each GPU's memory that was tested
};

/// Which GPUs take part, as `--gpus` says; none: all.
using Gpus = std::vector<std::size_t>;

/// Runs `probe` on the server's simulated GPUs and judges what it found, beside the inventory.
Run run(const std::string& scenario, const std::vector<Plant>& plants, const probe::Probe& probe,
        std::uint64_t seed, const Gpus& gpus = {}) {
  auto machine = device::Machine::start(sim::scenario_named(scenario).value(), {}, plants);
  const auto devices = device::simulated_devices(std::move(*machine), memory).value();
  device::Properties own;
  own.name = "host";
  own.subject = "node";
  device::HostDevice host(own, {-1, -1}, memory);
  Run out;
  std::vector<device::Device*> under_test;
  for (std::size_t i = 0; i < devices.size(); ++i) {
    out.subjects.push_back(devices[i]->properties().subject);
    if (gpus.empty() || std::find(gpus.begin(), gpus.end(), i) != gpus.end())
      under_test.push_back(devices[i].get());
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
  // Litmus tests run for real, about as long as simulated GPUs say that they take.
  const double seconds = plants.empty() || probe.name != "coherency" ? probe.quick : 1.5;
  context.until = devices.front()->now() + seconds;
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
  for (const auto& o : found.evidence.observations)
    if (const auto* share = o.number(); share != nullptr && o.id == "memory.allocated.share"_id)
      out.reached[o.subject] = *share;
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
  std::uint64_t out_of_reach = 0;  ///< in memory that nobody could allocate
  std::set<std::string> criteria;
};

/// Whether a finding is about the GPU, a link of it, or what it shares with others.
bool about(const std::string& subject, const std::string& gpu) {
  return subject.find(gpu.substr(gpu.find(':') + 1)) != std::string::npos;
}

/// The GPUs under test, where more than the sick one would only take longer: two others, to be of
/// another opinion than it, for what only a comparison shows.
Gpus gpus_for(const Plant& plant) {
  const auto gpu = static_cast<std::size_t>(plant.gpu);
  if (plant.kind == PlantKind::sibling_differs || plant.kind == PlantKind::compute_slow)
    return {gpu, (gpu + 1) % 4, (gpu + 2) % 4};
  const auto& probe = device::info(plant.kind).probe;
  return probe == "coherency" || probe == "compute" ? Gpus{gpu} : Gpus{};
}

/// Whether the fault needs a word that no test reaches: the guard before the memory under test, or
/// what nobody could allocate behind it.
bool out_of_reach(const Plant& plant, const Run& ran) {
  const auto reached = ran.reached.find(ran.subjects[static_cast<std::size_t>(plant.gpu)]);
  if (reached == ran.reached.end()) return false;
  const auto spot = device::spot_of(plant.seed, memory / 8);
  const bool two = plant.kind == PlantKind::coupling_invert ||
                   plant.kind == PlantKind::coupling_set || plant.kind == PlantKind::alias;
  const auto outside = [&](std::uint64_t word) {
    const auto at = static_cast<double>(8 * word), guard = double{device::Buffer::guard};
    return at < guard || at >= guard + reached->second * static_cast<double>(memory);
  };
  return outside(spot.word) || (two && outside(spot.partner));
}

Tally tally_of(const device::PlantInfo& kind) {
  Tally out;
  const auto* probe = probe::probe_named(kind.probe);
  EXPECT_NE(probe, nullptr);
  if (probe == nullptr) return out;
  const std::string server = server_of(kind.kind);
  for (std::uint64_t seed = 1; seed <= plants_asked(); ++seed) {
    const auto gpu = static_cast<std::size_t>(device::Pattern::mix(seed) % 4);
    const auto peer = (gpu + 1 + seed % 3) % 4;
    const Plant plant{kind.kind, static_cast<int>(gpu), static_cast<int>(peer), seed, 0};
    const auto ran = run(server, {plant}, *probe, seed, gpus_for(plant));
    ++out.planted;
    bool found = false;
    for (const auto& [criterion, subjects] : news(server, ran))
      for (const auto& subject : subjects)
        if (about(subject, ran.subjects[gpu])) {
          found = true;
          out.criteria.insert(criterion);
        }
    out.found += found ? 1 : 0;
    if (found) continue;
    if (out_of_reach(plant, ran))
      ++out.out_of_reach;
    else
      ADD_FAILURE() << "not found: seed " << seed;
  }
  return out;
}

/// Puts `line` in the place of the page's line that begins alike.
void write_line(std::string_view begins, std::string_view line) {
  const std::string path = std::string(GPUVET_SOURCE_DIR) + "/docs/planted.md";
  std::ifstream page(path);
  std::string all, old;
  while (std::getline(page, old)) all += fmt::format("{}\n", old.starts_with(begins) ? line : old);
  std::ofstream(path) << all;
}

void write_row(const device::PlantInfo& kind, const Tally& tally) {
  const auto begins = fmt::format("| `{}` |", kind.name);
  write_line(begins, fmt::format("{} {} | `{}` | {} | {} | {} | `{}` |", begins, kind.title,
                                 kind.probe, tally.planted, tally.found, tally.out_of_reach,
                                 fmt::join(tally.criteria, "`, `")));
}

class PlantedKind : public ::testing::TestWithParam<device::PlantInfo> {};

TEST_P(PlantedKind, IsFoundByItsProbe) {
  const auto& kind = GetParam();
  const auto tally = tally_of(kind);
  EXPECT_EQ(tally.found + tally.out_of_reach, tally.planted);
  EXPECT_GT(tally.found, 0U);
  if (std::getenv("GPUVET_WRITE_DOCS") != nullptr) write_row(kind, tally);
}

INSTANTIATE_TEST_SUITE_P(Each, PlantedKind, ::testing::ValuesIn(device::plant_kinds()),
                         [](const auto& kind) {
                           std::string out(kind.param.name);
                           std::replace(out.begin(), out.end(), '-', '_');
                           return out;
                         });

TEST(Planted, CleanServersRaiseNoAlarm) {
  const std::uint64_t seeds = plants_asked() > 2 ? 100 : 1;
  std::uint64_t probes = 0, alarms = 0;
  for (const auto& probe : probe::all()) {
    if (probe.needs == probe::Needs::host) continue;
    ++probes;
    for (std::uint64_t seed = 1; seed <= seeds; ++seed) {
      const auto found = news("hgx-a100-4", run("hgx-a100-4", {}, probe, seed));
      for (const auto& [criterion, subjects] : found)
        ADD_FAILURE() << probe.name << " seed " << seed << ": " << criterion;
      alarms += found.size();
    }
  }
  if (std::getenv("GPUVET_WRITE_DOCS") != nullptr)
    write_line("Without a fault", fmt::format("Without a fault, {} probes with {} seeds each: {} "
                                              "false alarms.",
                                              probes, seeds, alarms));
}

}  // namespace
}  // namespace gpuvet::app
