// SPDX-License-Identifier: Apache-2.0
// What tests of the simulation share: servers of the built-in scenarios, and their tree in a folder
// of its own, read by the collectors.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include "collect/collector.hpp"
#include "platform/self.hpp"
#include "sim/simulation.hpp"
#include "sim/tree.hpp"

namespace gpuvet::sim::testing {

/// The server `id` as it is at time 0, with `faults`.
inline World server(const std::string& id, const std::vector<std::string>& faults = {}) {
  const auto scenario = scenario_named(id);
  EXPECT_TRUE(scenario) << id;
  std::vector<Injected> injected;
  for (const auto& fault : faults) injected.push_back(parse_injected(fault).value());
  auto simulation = Simulation::start(*scenario, std::move(injected));
  EXPECT_TRUE(simulation) << id << ": " << (simulation ? "" : simulation.error().message());
  return simulation->at(0);
}

inline std::vector<std::string> all_scenarios() {
  std::vector<std::string> out;
  for (const auto& named : scenarios()) out.push_back(named.id);
  return out;
}

/// A tree in a temporary folder, gone with the object. In memory where there is room: it is
/// thousands of files, which a disk takes ten seconds to make.
class TreeFolder {
 public:
  explicit TreeFolder(const World& world) {
    std::set<std::filesystem::path> folders;
    const auto files = tree_of(world);
    EXPECT_TRUE(files);
    for (const auto& file : *files) {
      const std::filesystem::path at = path() + file.path;
      const auto above = file.folder ? at : at.parent_path();
      if (folders.insert(above).second) std::filesystem::create_directories(above);
      if (file.folder) continue;
      if (file.link.empty())
        std::ofstream(at, std::ios::binary) << file.bytes;
      else
        std::filesystem::create_symlink(file.link, at);
    }
  }

  [[nodiscard]] const std::string& path() const { return folder_.path(); }

  /// What the collector `name` says of it.
  [[nodiscard]] collect::Collected collected(std::string_view name) const {
    collect::Machine machine;
    machine.root = platform::Root(path());
    machine.custody = Custody::simulated;
    collect::Collected out;
    for (const auto& collector : collect::all())
      if (collector.name == name) {
        const auto done = collector.collect(machine, out);
        EXPECT_TRUE(done) << name << ": " << (done ? "" : done.error().message());
      }
    return out;
  }

 private:
  platform::ScratchFolder folder_ = platform::ScratchFolder::make().value();
};

inline const Observation* find(const Evidence& evidence, Id id, std::string_view subject) {
  for (const auto& o : evidence.observations)
    if (o.id == id && o.subject == subject) return &o;
  return nullptr;
}
inline double number(const Evidence& evidence, Id id, std::string_view subject = "node") {
  const auto* o = find(evidence, id, subject);
  return o == nullptr || o->number() == nullptr ? -1 : *o->number();
}
inline std::string text(const Evidence& evidence, Id id, std::string_view subject = "node") {
  const auto* o = find(evidence, id, subject);
  return o == nullptr || o->text() == nullptr ? "" : *o->text();
}

}  // namespace gpuvet::sim::testing
