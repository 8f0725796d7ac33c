// SPDX-License-Identifier: Apache-2.0
// How long the outlook of every server of the catalogue for every workload takes on one core, and
// one training prediction, beside what Calculon (1.9 ms an evaluation) and Vidur (8.6 s an
// experiment) are published to take.
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <vector>

#include "catalogue/offer.hpp"
#include "catalogue/packed.hpp"
#include "model/outlook.hpp"

namespace {

using namespace gpuvet;

double seconds_since(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct Pair {
  const catalogue::Workload* workload;
  const model::Machine* machine;
  double seconds;
};

/// One step of a fixed layout, as a search over layouts asks thousands of times.
double training_prediction(const catalogue::Catalogue& catalogue, const model::Outlooks& outlooks) {
  const auto net = model::transformer_from(*catalogue.architecture("llama-3-8b"));
  const auto machine = model::machine_of(*catalogue.server("dgx-a100-80"), catalogue);
  if (!net || !machine) return 0;
  model::TrainingJob job;
  job.net = *net;
  job.global_batch = 64;
  job.sharding = model::Sharding::weights;
  constexpr int times = 20000;
  double sum = 0;
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < times; ++i) {
    job.sequence = 1024 + i % 1024;  // no two alike: nothing to remember
    const auto step = outlooks.models().training.step(job, machine->gpu, machine->fabric);
    sum += step ? step->total.base() : 0;
  }
  return sum > 0 ? seconds_since(start) / times : 0;
}

/// As it is sold; of several kinds and numbers of GPUs the first that it takes.
std::optional<model::Machine> machine_for(const catalogue::Server& server,
                                          const catalogue::Catalogue& catalogue) {
  if (auto machine = model::machine_of(server, catalogue)) return std::move(*machine);
  for (const auto& gpu : catalogue.gpus)
    for (const int gpus : {8, 4, 2, 1}) {
      catalogue::Offer offer;
      offer.name = server.id;
      offer.server = server.id;
      offer.gpu = gpu.id;
      offer.gpus = gpus;
      if (auto machine = model::machine_of(offer, catalogue)) return std::move(*machine);
    }
  return {};
}

}  // namespace

int main() {
  const auto catalogue = catalogue::built_in();
  const model::Outlooks outlooks(catalogue);
  std::vector<model::Machine> machines;
  for (const auto& server : catalogue.servers)
    if (auto machine = machine_for(server, catalogue)) machines.push_back(std::move(*machine));
  std::vector<Pair> pairs;
  int predicted = 0;
  const auto start = std::chrono::steady_clock::now();
  for (const auto& machine : machines)
    for (const auto& workload : catalogue.workloads) {
      const auto begin = std::chrono::steady_clock::now();
      const auto outlook = outlooks.of(workload, machine);
      pairs.push_back({&workload, &machine, seconds_since(begin)});
      predicted += outlook.rate ? 1 : 0;
    }
  const double all = seconds_since(start);
  fmt::print("{} servers x {} workloads: {:.3f} s, {} with a rate (asked: 40 x 12 in 1 s)\n",
             machines.size(), catalogue.workloads.size(), all, predicted);
  std::sort(pairs.begin(), pairs.end(),
            [](const Pair& a, const Pair& b) { return a.seconds > b.seconds; });
  for (const auto& workload : catalogue.workloads) {
    double sum = 0;
    for (const auto& pair : pairs) sum += pair.workload == &workload ? pair.seconds : 0;
    fmt::print("  {:<20} {:8.2f} ms\n", workload.id, 1e3 * sum);
  }
  fmt::print("slowest: {} on {} {:.1f} ms; Vidur's experiment 8.6 s, {:.0f} times as long\n",
             pairs.front().workload->id, pairs.front().machine->name, 1e3 * pairs.front().seconds,
             8.6 / pairs.front().seconds);
  const double one = training_prediction(catalogue, outlooks);
  fmt::print(
      "one training prediction: {:.2f} us (asked: 50); Calculon's 1.9 ms is {:.0f} times as long\n",
      1e6 * one, 1.9e-3 / one);
  return all <= 1 && one <= 50e-6 ? 0 : 1;
}
