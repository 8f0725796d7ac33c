// SPDX-License-Identifier: Apache-2.0
// The host around the GPUs: what there is for each of them, how they share their way to the CPU,
// which settings and versions get in each other's way.
#include <algorithm>
#include <array>
#include <map>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

/// The ratio of two facts of the server.
void ratio(const Evidence& evidence, Id above, Id below, Id to, Evidence& found) {
  const auto* a = find(evidence, above, "node");
  const auto* b = find(evidence, below, "node");
  if (a == nullptr || b == nullptr || a->number() == nullptr || b->number() == nullptr) return;
  if (*b->number() <= 0) return;
  Recorder(found, derived_from({a, b})).number(to, "node", *a->number() / *b->number());
}

/// How many GPUs have each value of `id`, most first; empty unless it is known for every GPU.
/// `alone` says of a GPU without a value that it shares with nobody.
template <class Alone>
std::vector<double> shared(const Evidence& evidence, const std::vector<std::string>& gpus, Id id,
                           std::vector<const Observation*>& sources, Alone alone) {
  std::map<std::string, double> users;
  for (const auto& gpu : gpus) {
    const auto* o = find(evidence, id, gpu);
    if (o != nullptr && o->text() != nullptr) {
      sources.push_back(o);
      ++users[*o->text()];
    } else if (const auto* why = alone(gpu)) {
      sources.push_back(why);
      ++users[gpu];
    } else {
      return {};
    }
  }
  std::vector<double> out;
  for (const auto& [way, count] : users) out.push_back(count);
  std::sort(out.rbegin(), out.rend());
  return out;
}

void ways_to_the_cpu(const Evidence& evidence, Evidence& found) {
  const auto gpus = gpus_of(evidence);
  std::vector<const Observation*> sources;
  const auto never = [](const std::string&) -> const Observation* { return nullptr; };
  if (const auto roots = shared(evidence, gpus, "gpu.pci.root"_id, sources, never); !roots.empty())
    Recorder(found, derived_from(sources))
        .number("topology.root_complexes"_id, "node", static_cast<double>(roots.size()));
  sources.clear();
  // A source that leaves root ports out names no way for a GPU without a switch above it.
  const auto without_switch = [&](const std::string& gpu) -> const Observation* {
    const auto* switches = find(evidence, "gpu.pci.switches"_id, gpu);
    return switches != nullptr && switches->number() != nullptr && *switches->number() == 0
               ? switches
               : nullptr;
  };
  const auto uplinks = shared(evidence, gpus, "gpu.pci.upstream"_id, sources, without_switch);
  if (uplinks.empty()) return;
  Recorder out(found, derived_from(sources));
  out.number("topology.gpus_per_uplink"_id, "node", uplinks.front());
  out.numbers("topology.uplinks"_id, "node", uplinks);
}

/// GPUs whose nearest adapter is behind another socket.
void far_adapters(const Evidence& evidence, Evidence& found) {
  std::vector<std::string> far;
  const auto paths = all_of(evidence, "gpu.nic.path"_id);
  for (const auto* o : paths)
    if (o->text() != nullptr && *o->text() == "sys") far.push_back(o->subject);
  if (!paths.empty())
    Recorder(found, derived_from(paths)).texts("topology.nic.remote"_id, "node", std::move(far));
}

/// Settings that keep NCCL from its fast paths, or make its choices for it. A trailing "=" stands
/// for any value.
constexpr std::array<std::string_view, 11> crippling{
    "NCCL_ALGO=",
    "NCCL_PROTO=",
    "NCCL_TOPO_FILE=",
    "NCCL_P2P_DISABLE=1",
    "NCCL_IB_DISABLE=1",
    "NCCL_SHM_DISABLE=1",
    "NCCL_P2P_LEVEL=LOC",
    "NCCL_P2P_LEVEL=0",
    "NCCL_NVLS_ENABLE=0",
    "NCCL_NET_GDR_LEVEL=LOC",
    "NCCL_NET_GDR_DISABLE=1",
};

bool cripples(std::string_view variable) {
  return std::any_of(crippling.begin(), crippling.end(), [&](std::string_view known) {
    return known.back() == '=' ? variable.substr(0, known.size()) == known : variable == known;
  });
}

void environment(const Evidence& evidence, Evidence& found) {
  const auto logs = all_of(evidence, "nccl.environment"_id);
  std::vector<std::string> slow;
  for (const auto* o : logs) {
    const auto* set = o->as<std::vector<std::string>>();
    if (set == nullptr) continue;
    for (const auto& variable : *set)
      if (cripples(variable) && std::find(slow.begin(), slow.end(), variable) == slow.end())
        slow.push_back(variable);
  }
  if (!logs.empty())
    Recorder(found, derived_from(logs))
        .texts("nccl.environment.crippling"_id, "node", std::move(slow));
}

void fabric_manager(const Evidence& evidence, Evidence& found) {
  const auto* manager = find(evidence, "node.fabric_manager.version"_id, "node");
  const auto* driver = find(evidence, "node.driver.version"_id, "node");
  if (manager == nullptr || driver == nullptr || manager->text() == nullptr ||
      driver->text() == nullptr)
    return;
  Recorder(found, derived_from({manager, driver}))
      .flag("node.fabric_manager.matches"_id, "node",
            version_parts(*manager->text()) == version_parts(*driver->text()));
}

/// How far each GPU is below the best one, where the figures are comparable.
void behind_the_best(const Evidence& evidence, Evidence& found) {
  constexpr std::array ids{"compute.bf16"_id, "compute.burn"_id, "compute.fp16"_id,
                           "compute.fp32"_id, "compute.fp64"_id, "compute.fp8"_id,
                           "compute.int8"_id, "compute.tf32"_id};
  std::map<std::string, double> worst;
  std::vector<const Observation*> sources;
  for (const Id id : ids) {
    std::map<std::string, std::vector<const Observation*>> alike;
    for (const auto* o : all_of(evidence, id))
      if (o->number() != nullptr) alike[format(o->where)].push_back(o);
    for (const auto& [conditions, runs] : alike) {
      if (runs.size() < 2) continue;
      double best = 0;
      for (const auto* o : runs) best = std::max(best, *o->number());
      if (best <= 0) continue;
      for (const auto* o : runs) {
        auto& shortfall = worst.try_emplace(o->subject, 0).first->second;
        shortfall = std::max(shortfall, 1 - *o->number() / best);
        sources.push_back(o);
      }
    }
  }
  if (worst.size() < 2) return;
  Recorder out(found, derived_from(sources));
  for (const auto& [gpu, shortfall] : worst) out.number("compute.below_best"_id, gpu, shortfall);
}

/// Throughput for each GPU, of that of the smallest run of the same workload.
void scaling(const Evidence& evidence, Evidence& found) {
  struct Run {
    double gpus;
    const Observation* seen;
  };
  std::map<std::string, std::vector<Run>> workloads;
  for (const auto* o : all_of(evidence, "workload.throughput"_id)) {
    const auto gpus = o->where.find("gpus");
    if (o->number() == nullptr || gpus == o->where.end()) continue;
    if (const auto* n = std::get_if<double>(&gpus->second); n != nullptr && *n > 0)
      workloads[o->subject].push_back({*n, o});
  }
  for (const auto& [subject, runs] : workloads) {
    const auto smallest = std::min_element(
        runs.begin(), runs.end(), [](const Run& a, const Run& b) { return a.gpus < b.gpus; });
    const double each = *smallest->seen->number() / smallest->gpus;
    if (each <= 0) continue;
    for (const Run& run : runs)
      if (run.gpus > smallest->gpus)
        Recorder(found, derived_from({smallest->seen, run.seen}))
            .number("workload.scaling"_id, subject, *run.seen->number() / run.gpus / each,
                    {{"gpus", run.gpus}});
  }
}

}  // namespace

void relate_host(Evidence& evidence) {
  Evidence found;
  ratio(evidence, "node.cpu.cores"_id, "topology.gpu_count"_id, "node.cpu.cores_per_gpu"_id, found);
  ratio(evidence, "node.memory.total"_id, "node.gpu.memory"_id, "node.memory.over_gpu"_id, found);
  if (found.observations.empty() || found.observations.back().id != "node.memory.over_gpu"_id)
    ratio(evidence, "node.memory.installed"_id, "node.gpu.memory"_id, "node.memory.over_gpu"_id,
          found);
  ways_to_the_cpu(evidence, found);
  far_adapters(evidence, found);
  environment(evidence, found);
  fabric_manager(evidence, found);
  behind_the_best(evidence, found);
  scaling(evidence, found);
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
