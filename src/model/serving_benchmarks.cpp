// SPDX-License-Identifier: Apache-2.0
#include "model/serving_benchmarks.hpp"

#include <algorithm>
#include <cmath>

namespace gpuvet::model {
namespace {

constexpr std::array<double, 4> quantiles = {0.5, 0.9, 0.95, 0.99};
constexpr double usual_load = 0.88;

}  // namespace

ServingBenchmarks::ServingBenchmarks(const Constants& c)
    : prompt_mean_(c.at("serving.prompt_mean")),
      prompt_spread_(c.at("serving.prompt_spread")),
      output_mean_(c.at("serving.output_mean")),
      output_spread_(c.at("serving.output_spread")),
      vocabulary_(c.at("serving.vocabulary_exponent")),
      burst_output_(c.at("serving.burst_output")),
      burst_spread_(c.at("serving.burst_spread")),
      slope_(c.at("serving.load_slope")),
      hopper_(c.at("serving.hopper_server")),
      ampere_(c.at("serving.ampere_server")),
      bert_{c.at("serving.bert_p50"), c.at("serving.bert_p90"), c.at("serving.bert_p95"),
            c.at("serving.bert_p99")},
      resnet_{c.at("serving.resnet_p50"), c.at("serving.resnet_p90"), c.at("serving.resnet_p95"),
              c.at("serving.resnet_p99")} {}

Lengths ServingBenchmarks::prompt(double vocabulary) const {
  return {prompt_mean_ * std::pow(vocabulary / 32000, -vocabulary_), prompt_spread_, 4, 1024};
}

Lengths ServingBenchmarks::output(double vocabulary) const {
  return {output_mean_ * std::pow(vocabulary / 32000, -vocabulary_), output_spread_, 4, 1800};
}

Lengths ServingBenchmarks::burst_output() const { return {burst_output_, burst_spread_, 4, 1800}; }

Answer<Seconds> ServingBenchmarks::mlperf_server(std::string_view net, const Gpu& gpu,
                                                 double quantile, double load) const {
  const bool bert = net == "bert";
  if (!bert && net != "resnet50")
    return refuse("no server of " + std::string(net) + " has been measured");
  const auto found = std::find(quantiles.begin(), quantiles.end(), quantile);
  if (found == quantiles.end()) return refuse("only p50, p90, p95 and p99 are known");
  if (load >= 1.1) return refuse("more is offered than the GPUs can answer");
  const auto at = static_cast<std::size_t>(found - quantiles.begin());
  const double bound = bert ? 0.130 : 0.015;
  const bool hopper = gpu.architecture == "Hopper" || gpu.architecture == "Blackwell";
  constexpr double least_idle = 0.03;  // nobody submits a run whose queue grows
  const double idle = std::max(least_idle, 1 - load / (hopper ? hopper_ : ampere_));
  const double share = (bert ? bert_ : resnet_)[at] * std::pow(idle / (1 - usual_load), -slope_);
  return Seconds::base(bound * share);
}

}  // namespace gpuvet::model
