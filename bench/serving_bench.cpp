// SPDX-License-Identifier: Apache-2.0
// How long a simulation of 100,000 requests takes on one core, beside what Vidur is reported to
// take for one experiment: 8.6 s (inference-sim/sim-to-real-accuracy-validation, as published
// there).
#include <fmt/format.h>

#include <algorithm>
#include <chrono>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"
#include "model/models.hpp"

int main() {
  using namespace gpuvet;
  const auto catalogue = catalogue::built_in();
  const model::Models models{model::Constants(catalogue)};
  const auto gpu = model::gpu_from(*catalogue.gpu("a100-sxm4-80gb"));
  const auto net = model::transformer_from(*catalogue.architecture("llama-2-7b"));
  if (!gpu || !net) return 2;
  model::Deployment deployment;
  deployment.net = *net;
  model::ServingLoad load;
  load.requests = 100000;
  load.prompt = models.serving_benchmarks.prompt(net->vocabulary);
  load.output = models.serving_benchmarks.output(net->vocabulary);
  for (const double rate : {2.0, 5.0, 20.0}) {
    load.rate = rate;
    double best = 1e9;
    model::ServingResult result;
    for (int run = 0; run < 5; ++run) {
      const auto start = std::chrono::steady_clock::now();
      result = *simulate(load, models.inference, deployment, *gpu, usual_fabric(*gpu, 1), {});
      const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
      best = std::min(best, took.count());
    }
    fmt::print(
        "{:>4} requests/s: {:.3f} s for 100,000 requests, {:.0f} times faster than Vidur's 8.6 s; "
        "first token p99 {:.3g} s, {:.0f} preemptions\n",
        rate, best, 8.6 / best, result.first_token.p99.base(), result.preemptions);
  }
  return 0;
}
