// SPDX-License-Identifier: Apache-2.0
// What users of a language model wait for: a discrete-event simulation of continuous batching with
// a paged cache. Deterministic: the same load and seed give the same figures everywhere.
#pragma once

#include <cstdint>
#include <vector>

#include "model/inference.hpp"
#include "model/random.hpp"

namespace gpuvet::model {

/// Tokens of a request: log-normal with this mean and standard deviation over mean, cut at both
/// ends. spread 0: always the mean.
struct Lengths {
  double mean = 0, spread = 0;
  double least = 1, most = 1e9;
};

struct ServingLoad {
  enum class Arrivals { poisson, at_once, closed };
  Arrivals arrivals = Arrivals::poisson;
  double rate = 1;       ///< requests a second; poisson
  double at_a_time = 1;  ///< closed: requests in flight, each followed by the next
  std::size_t requests = 1000;
  Lengths prompt, output;
  std::vector<double> trace;  ///< seconds at which requests arrive, ascending; replaces `arrivals`
  std::uint64_t seed = 1;
};

struct Scheduler {
  double sequences = 256;        ///< at most at once
  double batched_tokens = 8192;  ///< of one step
  bool chunked = false;          ///< prompts are cut and share steps with decodes
  double block = 16;             ///< tokens of one block of the cache
};

struct Percentiles {
  Seconds mean, p50, p90, p95, p99;
};

struct ServingResult {
  Percentiles first_token;     ///< arrival to first token
  Percentiles between_tokens;  ///< one token to the next, over all tokens
  Percentiles per_token;       ///< of a request, mean after its first token
  Percentiles whole;           ///< arrival to last token
  Seconds makespan;
  /// Answered and generated over the makespan; under closed load up to the last request's start,
  /// so that the run's thin end does not count.
  double requests_per_second = 0, tokens_per_second = 0;
  double preemptions = 0;
  double mean_sequences = 0;  ///< running, over steps
  double busy = 0;            ///< share of the time in which a step ran
};

/// One replica under `load`. `cache` is what its KV cache holds, in tokens. Requests that the cache
/// can't hold even alone are cut to what it holds.
ServingResult simulate(const ServingLoad& load, const StepTimes&, double cache, const Scheduler&);

/// The same from what is deployed. Refuses what Inference refuses.
Answer<ServingResult> simulate(const ServingLoad&, const Inference&, const Deployment&, const Gpu&,
                               const Fabric&, const Scheduler&);

}  // namespace gpuvet::model
