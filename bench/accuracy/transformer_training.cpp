// SPDX-License-Identifier: Apache-2.0
// Rows of kind training that are about language models.
#include <algorithm>
#include <array>

#include "accuracy/kind.hpp"
#include "accuracy/score.hpp"
#include "accuracy/training_rows.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto what, training_row(row, world));
  GPUVET_ANSWER(auto step, world.models.training.step(what.job, what.gpu, what.fabric));
  GPUVET_ANSWER(const auto value, metric_of(row, what, step.total.base()));
  model::Estimate out;
  out.family = what.to_target                           ? "training.llm.to_target"
               : what.job.method != model::Method::full ? "training.llm.adapters"
                                                        : "training.llm";
  out.value = value;
  out.setting = {what.gpu.id, what.framework, std::string(model::topology_class(what.fabric)),
                 what.job.net.parameters()};
  out.difficulty = what.difficulty;
  out.notes = std::move(step.notes);
  out.notes.insert(out.notes.end(), what.notes.begin(), what.notes.end());
  return out;
}

/// The rate that counts for utilisation: of 16-bit products, whatever the row's precision.
double peak_of(const TrainingRow& what) {
  const auto at = [&](model::Precision p) { return what.gpu.peak(p).base(); };
  if (what.job.precision == model::Precision::fp32) return at(model::Precision::fp32);
  return std::max(at(model::Precision::bf16), at(model::Precision::fp16));
}

model::Answer<double> by_utilisation(const Row& row, const World& world, double share) {
  GPUVET_ANSWER(const auto what, training_row(row, world));
  const double rate = share * peak_of(what) * what.fabric.ranks();
  return metric_of(row, what, nominal_flop(what.job) / rate);
}

model::Answer<double> half(const Row& row, const World& world, const std::vector<const Row*>&) {
  return by_utilisation(row, world, 0.5);
}

/// Median utilisation of what is known of the same GPU at the same width of numbers.
model::Answer<double> median_utilisation(const Row& row, const World& world,
                                         const std::vector<const Row*>& known) {
  GPUVET_ANSWER(const auto what, training_row(row, world));
  std::vector<double> shares, all;
  for (const auto* other : known) {
    const auto theirs = training_row(*other, world);
    if (!theirs) continue;
    const auto full = metric_of(
        *other, *theirs, nominal_flop(theirs->job) / (peak_of(*theirs) * theirs->fabric.ranks()));
    if (!full || *full <= 0) continue;
    const bool a_time = other->metric.find("time") != std::string::npos;
    const double share = a_time ? *full / *other->value : *other->value / *full;
    all.push_back(share);
    if (theirs->gpu.id == what.gpu.id && theirs->job.precision == what.job.precision)
      shares.push_back(share);
  }
  if (all.empty()) return model::refuse("nothing is known");
  return by_utilisation(row, world, quantile(shares.empty() ? all : shares, 0.5));
}

}  // namespace

bool is_language_model(const Row& row) {
  constexpr std::array<std::string_view, 24> names = {
      "MPT-",   "GPT",        "Llama",    "Nemotron", "Qwen",  "OPT-",     "Mixtral",  "Mistral",
      "Falcon", "Switch",     "Gemma",    "DeepSeek", "BLOOM", "Pythia",   "Megatron", "NeMo",
      "LoRA",   "torchtitan", "fms-fsdp", "T5-",      "Phi-",  "StableLM", "Baichuan", "InternLM"};
  return std::any_of(names.begin(), names.end(),
                     [&](auto name) { return contains_ignoring_case(row.workload, name); });
}

Kind transformer_training_kind() {
  return {"transformer_training",
          [](const Row& row) { return row.kind == "training" && is_language_model(row); },
          predict,
          {{"median MFU of the same GPU", median_utilisation}, {"50 % MFU", half}},
          {"training"}};
}

}  // namespace gpuvet::accuracy
