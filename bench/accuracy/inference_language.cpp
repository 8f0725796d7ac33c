// SPDX-License-Identifier: Apache-2.0
// Language models: batches of equal requests, ShareGPT conversations, single sequences.
#include <algorithm>
#include <cmath>

#include "accuracy/inference_rows.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Deployment;
using model::Engine;
using model::Weights;

std::string plain(std::string_view text) {
  std::string out;
  for (const char c : lower(text))
    if ((c >= '0' && c <= '9') || (c >= 'a' && c <= 'z')) out += c;
  return out;
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (auto at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

bool says(const Row& row, std::string_view word) {
  return contains_ignoring_case(row.workload, word) ||
         contains_ignoring_case(row.param("engine"), word) ||
         contains_ignoring_case(row.param("backend"), word) ||
         contains_ignoring_case(row.param("framework"), word);
}

model::Answer<Engine> engine_of(const Row& row) {
  if (says(row, "lmdeploy") || says(row, "turbomind")) return Engine::lmdeploy;
  if (says(row, "tensorrt") || says(row, "trt-llm") || says(row, "trtllm"))
    return Engine::tensorrt_llm;
  if (says(row, "vllm")) return Engine::vllm;
  if (says(row, "ds-zero")) return Engine::zero;
  if (says(row, "ds-inference") || says(row, "deepspeed")) return Engine::deepspeed;
  if (says(row, "eager") || says(row, "transformers") || says(row, "accelerate") ||
      says(row, "litgpt") || says(row, "huggingface"))
    return Engine::eager;
  return model::refuse("the row names no engine that is known");
}

Weights weights_of(const Row& row, Engine engine) {
  const std::string all = lower(std::string(row.param("weights")) + ' ' +
                                std::string(row.param("quantization")) + ' ' + row.workload);
  if (contains(all, "nf4-dq") || contains(all, "fp4-dq")) return Weights::nf4_double;
  if (contains(all, "nf4") || contains(all, "bnb.fp4")) return Weights::nf4;
  if (contains(all, "bnb.int8") || (contains(all, "int8") && contains(all, "accelerate")))
    return Weights::llm_int8;
  if (contains(all, "int4") || contains(all, "gptq") || contains(all, "awq") ||
      contains(all, "w4a16"))
    return Weights::int4;
  if (contains(all, "int8") || contains(all, "w8a16")) return Weights::int8;
  if (contains(all, "fp8")) return Weights::fp8;
  (void)engine;
  return Weights::as_computed;
}

double first_of(const Row& row, std::initializer_list<const char*> names, double otherwise) {
  for (const auto* name : names)
    if (const auto v = row.number(name)) return *v;
  return otherwise;
}

/// From the release in the workload's words: "v0.6.1", "v1.0".
bool early(const Row& row, Engine engine) {
  for (const auto word : words(row.workload)) {
    if (word.size() < 2 || word[0] != 'v') continue;
    const auto parts = version_parts(word.substr(1));
    if (parts.size() < 2) continue;
    if (parts[0] > 0) return false;
    if (engine == Engine::tensorrt_llm) return parts[1] < 8;
    if (engine == Engine::lmdeploy) return parts[1] < 3;
    if (engine == Engine::vllm) return parts[1] < 3;
  }
  return false;
}

struct Lengths {
  double prompt, output;
};

Lengths lengths_of(const Row& row, double prompt, double output) {
  return {std::max(1.0, first_of(row, {"prompt", "isl", "input", "input_len", "in"}, prompt)),
          std::max(1.0, first_of(row, {"output", "osl", "out", "output_len"}, output))};
}

bool at_once(const Row& row) { return contains(row.param("num_prompts"), "at once"); }

model::Answer<double> served(const Row& row, const World& world, const Deployment& d,
                             const model::Gpu& gpu, const model::Fabric& fabric) {
  const auto& benchmarks = world.models.serving_benchmarks;
  model::ServingLoad load;
  load.prompt = benchmarks.prompt(d.net.vocabulary);
  load.output = benchmarks.output(d.net.vocabulary);
  model::Scheduler scheduler;
  if (at_once(row)) {
    load.arrivals = model::ServingLoad::Arrivals::at_once;
    if (row.param("dataset").empty()) load.output = benchmarks.burst_output();
    const auto count = words(row.param("num_prompts"));
    load.requests = static_cast<std::size_t>(
        parse_number(count.empty() ? std::string_view() : count.front()).value_or(320));
  } else {
    const double batch = first_of(row, {"max_batch", "concurrency"}, 128);
    load.arrivals = model::ServingLoad::Arrivals::closed;
    load.at_a_time = scheduler.sequences = batch;
    // Fewer than were run: percentiles are steady long before 3,000, and a fit asks often.
    load.requests = std::min(static_cast<std::size_t>(first_of(row, {"prompts"}, 1000)),
                             static_cast<std::size_t>(8 * batch));
  }
  GPUVET_ANSWER(const auto r, simulate(load, world.models.inference, d, gpu, fabric, scheduler));
  const auto& m = row.metric;
  const bool p95 = contains(m, "p95"), p99 = contains(m, "p99"), p90 = contains(m, "p90");
  const bool mean = contains(m, "avg") || contains(m, "mean");
  const auto of = [&](const model::Percentiles& p) {
    return (p99 ? p.p99 : p95 ? p.p95 : p90 ? p.p90 : mean ? p.mean : p.p50).base();
  };
  if (contains(m, "itl") || contains(m, "tpot")) return of(r.between_tokens);
  if (contains(m, "first_token") || contains(m, "ttft")) return of(r.first_token);
  if (contains(m, "request_rate") || contains(m, "request_throughput"))
    return r.requests_per_second;
  if (contains(m, "output_throughput"))
    return r.tokens_per_second / (contains(m, "per_gpu") ? row.gpus : 1);
  if (contains(m, "e2e") || contains(m, "latency")) return of(r.whole);
  return model::refuse("no model for " + m);
}

model::Answer<double> batched(const Row& row, const World& world, const Deployment& d,
                              const model::Gpu& gpu, const model::Fabric& fabric) {
  const auto& inference = world.models.inference;
  GPUVET_ANSWER(const auto t, inference.steps(d, gpu, fabric));
  const auto& m = row.metric;
  const Lengths l = lengths_of(row, 128, 128);
  if (contains(m, "first_token") || contains(m, "ttft")) {
    // LMDeploy reads all but the prompt's last token first, then takes a step with that.
    if (d.engine == Engine::lmdeploy)
      return (l.prompt > 1 ? t.prompt(l.prompt - 1) : 0) + t.decode(1, l.prompt);
    return t.prompt(l.prompt);
  }
  const double most = contains(row.workload, "max load") ? 2048 : 1;
  const double sequences = first_of(row, {"concurrency", "batch", "batch_size", "bs"}, most);
  GPUVET_ANSWER(const auto s, inference.steady(d, gpu, fabric, sequences, l.prompt, l.output));
  if (contains(m, "output_throughput"))
    return s.tokens_per_second / (contains(m, "per_gpu") ? d.tensor : 1);
  if (contains(m, "request")) return s.tokens_per_second / l.output;
  if (contains(m, "itl") || contains(m, "tpot")) return s.between_tokens.base();
  return model::refuse("no model for " + m);
}

/// One sequence, or a batch of equal ones that start together.
model::Answer<double> generated(const Row& row, const World& world, const Deployment& d,
                                const model::Gpu& gpu, const model::Fabric& fabric) {
  GPUVET_ANSWER(const auto t, world.models.inference.steps(d, gpu, fabric));
  const double batch = first_of(row, {"batch", "batch_size"}, 1);
  const double output =
      contains(row.workload, "2048 tokens") ? 2048 : lengths_of(row, 1, 128).output;
  const double step = t.decode(batch, batch * output / 2);
  if (contains(row.metric, "time_per_token")) {
    // ZeRO runs a batch on every rank at once.
    const double ranks = d.engine == Engine::zero ? row.gpus : 1;
    return step / (batch * ranks);
  }
  if (contains(row.metric, "rate") || contains(row.metric, "throughput")) return batch / step;
  return model::refuse("no model for " + row.metric);
}

}  // namespace

const catalogue::Architecture* architecture_in(const catalogue::Catalogue& catalogue,
                                               std::string_view text) {
  // Names of the first and the second generation of LLaMA are used for each other, and the sizes
  // that both have are built alike.
  const std::string said = plain(text);
  const std::string older = replaced(replaced(said, "llamav", "llama"), "llama", "llama2");
  const catalogue::Architecture* found = nullptr;
  std::size_t longest = 0;
  for (const auto& spelling : {said, older}) {
    for (const auto& a : catalogue.architectures) {
      auto names = a.names;
      names.push_back(a.id);
      names.push_back(a.title);
      for (const auto& name : names) {
        const std::string one = plain(name);
        if (one.size() <= longest || one.size() < 4 || !contains(spelling, one)) continue;
        longest = one.size();
        found = &a;
      }
    }
    if (found != nullptr) break;
  }
  return found;
}

model::Answer<Deployment> deployment_of(const Row& row, const World& world) {
  const auto* architecture = architecture_in(world.catalogue, row.workload);
  if (architecture == nullptr) return model::refuse("no architecture is known for " + row.workload);
  Deployment d;
  GPUVET_ANSWER(d.net, model::transformer_from(*architecture));
  GPUVET_ANSWER(d.engine, engine_of(row));
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  d.weights = weights_of(row, d.engine);
  if (d.weights == Weights::fp8 && gpu.peak(model::Precision::fp8).base() > 0)
    d.compute = model::Precision::fp8;  // elsewhere weights are unpacked to fp16
  if (d.engine == Engine::tensorrt_llm && d.weights == Weights::fp8) d.kv_element = Bytes::base(1);
  d.early = early(row, d.engine);
  const bool in_turn = d.engine == Engine::eager && row.gpus > 1;
  d.in_turn = in_turn ? row.gpus : 1;
  d.tensor = in_turn || d.engine == Engine::zero
                 ? 1
                 : static_cast<int>(first_of(row, {"tp"}, std::max(1, row.gpus)));
  return d;
}

model::Answer<model::Estimate> predict_language(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto d, deployment_of(row, world));
  GPUVET_ANSWER(const auto fabric, fabric_of(row, gpu));
  model::Estimate e;
  e.setting = {gpu.id, std::string(name(d.engine)), std::string(topology_class(fabric)), 0};
  const bool conversations = at_once(row) ||
                             contains_ignoring_case(row.param("dataset"), "sharegpt") ||
                             row.number("max_batch");
  if (conversations) {
    e.family = "serving.conversations";
    GPUVET_ANSWER(e.value, served(row, world, d, gpu, fabric));
    if (contains(row.metric, "first_token") || contains(row.metric, "ttft"))
      e.difficulty = 2;  // hangs on how the client starts its threads, which no row tells
  } else if (d.engine == Engine::eager || d.engine == Engine::zero ||
             d.engine == Engine::deepspeed || contains(row.metric, "decode_rate")) {
    e.family = "inference.single";
    GPUVET_ANSWER(e.value, generated(row, world, d, gpu, fabric));
  } else {
    e.family = "inference.batched";
    GPUVET_ANSWER(e.value, batched(row, world, d, gpu, fabric));
  }
  return e;
}

model::Answer<double> language_roofline(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto d, deployment_of(row, world));
  const double weights = d.net.parameters() * stored(d.weights, d.compute).base() / d.tensor;
  const double reading = weights / gpu.memory_bandwidth.base();
  const double token = 2 * d.net.active_parameters() / d.tensor / gpu.peak(d.compute).base();
  const Lengths l = lengths_of(row, 225, 220);
  if (contains(row.metric, "first_token")) return std::max(reading, token * l.prompt);
  const double batch = first_of(row, {"concurrency", "batch", "max_batch"}, at_once(row) ? 256 : 1);
  const double step = std::max(reading, token * batch);
  if (contains(row.metric, "itl")) return step;
  if (contains(row.metric, "time_per_token")) return step / batch;
  const double rate = batch / (step + token * batch * l.prompt / l.output);
  if (contains(row.metric, "request")) return rate / l.output;
  return rate / (contains(row.metric, "per_gpu") ? d.tensor : 1);
}

}  // namespace gpuvet::accuracy
