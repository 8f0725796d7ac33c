// SPDX-License-Identifier: Apache-2.0
// Every fault, injected alone into a server that can have it: found by its criterion on the right
// part, with a next step, and nothing fails that it does not explain. docs/faults.md is the table
// of what came out; GPUVET_WRITE_DOCS=1 writes it anew.
#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "app/simulated.hpp"
#include "core/text.hpp"

namespace gpuvet::app {
namespace {

using judge::Finding;
using judge::Status;
using testing::Simulated;
using Key = std::pair<std::string, std::string>;

constexpr std::array servers = {"dgx-a100", "dgx-h100", "a100-pcie-bridged", "t4-box"};

int badness(Status status) {
  switch (status) {
    case Status::fail:
    case Status::error:
      return 3;
    case Status::warn:
      return 2;
    case Status::no_evidence:
      return 1;
    default:
      return 0;
  }
}

std::map<Key, Finding> by_key(const judge::Verdict& verdict) {
  std::map<Key, Finding> out;
  for (const auto& f : verdict.findings) {
    auto& kept = out[{f.id, f.subject}];
    if (kept.id.empty() || badness(f.status) > badness(kept.status)) kept = f;
  }
  return out;
}

/// When the fault is looked at, and what the GPUs do meanwhile: some need time or work to show.
struct Moment {
  double seconds = 0, load = -1;
};

Moment moment_of(std::string_view fault) {
  constexpr double minute = 60;
  if (fault == "airflow-blocked") return {30 * minute, 1};
  if (fault == "nvlink-errors" || fault == "nic-flapping") return {30 * minute, -1};
  return {};
}

const std::map<Key, Finding>& clean(const std::string& scenario, Moment moment) {
  static std::map<std::pair<std::string, double>, std::map<Key, Finding>> all;
  const std::pair key{scenario, moment.seconds * (moment.load + 2)};
  const auto found = all.find(key);
  if (found != all.end()) return found->second;
  return all[key] = by_key(Simulated(scenario, "", moment.seconds, moment.load).as_machine());
}

/// What got worse: failures and warnings; for a fault that takes evidence away, its lack too.
std::map<Key, Finding> worse(const std::map<Key, Finding>& base, const judge::Verdict& verdict) {
  std::map<Key, Finding> out;
  for (const auto& [key, finding] : by_key(verdict)) {
    const auto before = base.find(key);
    const int was = before == base.end() ? 0 : badness(before->second.status);
    const bool lost = finding.status == Status::no_evidence && before != base.end() &&
                      before->second.status == Status::pass;
    if ((badness(finding.status) >= 2 && badness(finding.status) > was) || lost)
      out.emplace(key, finding);
  }
  return out;
}

std::set<std::string> names_in(std::string_view list) {
  std::set<std::string> out;
  for (const auto name : words(list)) out.emplace(name);
  return out;
}

std::string kind_of(const std::string& subject) { return subject.substr(0, subject.find(':')); }

struct Row {
  std::string id, title, server, criterion, status, subject, next, also;
};

/// The fault on the first server that can have it.
std::optional<Row> examined(const sim::Fault& fault) {
  for (const auto* server : servers) {
    const auto moment = moment_of(fault.id);
    const Simulated simulated(server, std::string(fault.id), moment.seconds, moment.load);
    if (!simulated.possible()) continue;
    const auto verdict = simulated.as_machine();
    const auto changed = worse(clean(server, moment), verdict);
    Row row{std::string(fault.id), std::string(fault.title), server, "-", "-", "-", "-", ""};
    const auto expected = names_in(fault.also);
    std::set<std::string> also;
    for (const auto& [key, finding] : changed) {
      if (key.first == fault.criterion) {
        row.criterion = key.first;
        row.status = judge::name(finding.status);
        row.subject = kind_of(key.second);
        row.next = finding.next.empty() ? "" : finding.next.front();
        EXPECT_EQ(row.subject, fault.subject) << fault.id;
        if (row.subject == "gpu") {
          const auto& gpu = simulated.world().gpus.at(
              std::min<std::size_t>(5, simulated.world().gpus.size() - 1));
          const bool all_of_them = fault.id == "persistence-off" || fault.id == "ecc-off" ||
                                   fault.id == "airflow-blocked" || fault.id == "supply-lost" ||
                                   fault.id == "symbol-missing";
          EXPECT_TRUE(all_of_them || key.second == "gpu:" + gpu.uuid ||
                      key.second == "gpu:" + gpu.place.address() ||
                      key.second == fmt::format("gpu:smi#{}", gpu.index))
              << fault.id << " was found on " << key.second;
        }
        continue;
      }
      if (finding.status == Status::no_evidence) continue;  // told less, and failed nothing
      also.insert(key.first);
      EXPECT_TRUE(expected.contains(key.first))
          << fault.id << " on " << server << " also set off " << key.first << " of " << key.second
          << ": " << finding.message;
    }
    for (const auto& name : also) row.also += (row.also.empty() ? "" : ", ") + name;
    EXPECT_EQ(row.criterion, fault.criterion) << fault.id << " on " << server << ": not found";
    EXPECT_FALSE(row.next.empty()) << fault.id << ": no next step";
    return row;
  }
  return {};
}

std::string escaped(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

TEST(Faults, EachIsFoundAndDocumented) {
  std::string page =
      "# What a rehearsal can find\n\n"
      "Each fault of the simulation, injected alone (`gpuvet vet sim:SERVER --fault NAME`), and "
      "what "
      "`vet` then says. Written and checked by `tests/app/faults_test.cpp`.\n\n"
      "| fault | what is wrong | server | found by | as | on | next step | sets off too |\n"
      "|---|---|---|---|---|---|---|---|\n";
  for (const auto& fault : sim::faults()) {
    const auto row = examined(fault);
    if (!row) {
      ADD_FAILURE() << fault.id << ": none of the servers can have it";
      continue;
    }
    page += fmt::format("| `{}` | {} | {} | {} | {} | {} | {} | {} |\n", row->id,
                        escaped(row->title), row->server, row->criterion, row->status, row->subject,
                        escaped(row->next), row->also);
  }
  const std::string path = GPUVET_SOURCE_DIR "/docs/faults.md";
  if (std::getenv("GPUVET_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream in(path);
  std::stringstream kept;
  kept << in.rdbuf();
  EXPECT_EQ(kept.str(), page) << "docs/faults.md is out of date: run this test with "
                                 "GPUVET_WRITE_DOCS=1";
}

}  // namespace
}  // namespace gpuvet::app
