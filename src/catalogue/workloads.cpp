// SPDX-License-Identifier: Apache-2.0
// data/workloads and workload files of the user's own: needs, and what one job or load is.
#include <algorithm>
#include <array>

#include "catalogue/parse.hpp"

namespace gpuvet::catalogue {
namespace {

double number_or(TomlReader& in, std::string_view key, double otherwise) {
  const auto measure = in.measure(key);
  if (measure && measure->value < 0) in.refuse(key, "must not be negative");
  return measure ? measure->value : otherwise;
}

double positive(TomlReader& in, std::string_view key) {
  const double value = number_or(in, key, 0);
  if (value <= 0) in.refuse(key, "must be a number above 0");
  return value;
}

std::string choice(TomlReader& in, std::string_view key, std::string_view otherwise,
                   std::initializer_list<std::string_view> choices) {
  std::string value = in.text_or(key, otherwise);
  if (!value.empty() && std::find(choices.begin(), choices.end(), value) == choices.end()) {
    std::string list;
    for (const auto one : choices) list += (list.empty() ? "" : ", ") + std::string(one);
    in.refuse(key, "must be one of " + list);
  }
  return value;
}

TrainingSpec training(TomlReader& in) {
  TrainingSpec t;
  t.architecture = in.text("architecture");
  t.method = choice(in, "method", "full", {"full", "lora", "qlora"});
  t.rank = number_or(in, "rank", t.method == "full" ? 0 : 8);
  t.sequence = number_or(in, "sequence", 0);
  t.global_batch = positive(in, "global_batch");
  t.micro_batch = number_or(in, "micro_batch", 0);
  t.tensor = number_or(in, "tensor", 0);
  t.pipeline = number_or(in, "pipeline", 0);
  t.sharding = choice(in, "sharding", "", {"none", "zero-1", "zero-2", "zero-3"});
  t.recompute = choice(in, "recompute", "", {"none", "selective", "full"});
  t.precision = choice(in, "precision", "bf16", {"bf16", "fp16", "fp8", "tf32", "fp32"});
  t.framework = in.text_or("framework", "");
  t.flash_attention = in.flag_or("flash_attention", true);
  t.compiled = in.flag_or("compiled", false);
  t.reference_model = in.flag_or("reference_model", false);
  t.samples = positive(in, "samples");
  t.epochs = number_or(in, "epochs", 1);
  t.job = in.text("job");
  return t;
}

ServingSpec serving(TomlReader& in) {
  ServingSpec s;
  s.architecture = in.text("architecture");
  s.precision = choice(in, "precision", "fp16", {"fp16", "bf16", "fp8", "int8", "nf4"});
  s.engine = in.text_or("engine", "vllm");
  s.rate = positive(in, "rate");
  s.prompt = positive(in, "prompt");
  s.output = positive(in, "output");
  s.spread = number_or(in, "spread", 0);
  s.first_token = number_or(in, "first_token", 0);
  s.per_token = number_or(in, "per_token", 0);
  s.tensor = number_or(in, "tensor", 0);
  s.availability = number_or(in, "availability", 0.999);
  if (s.availability >= 1) in.refuse("availability", "must be below 1: nothing never fails");
  s.load = in.text("load");
  return s;
}

}  // namespace

void parse_workload(TomlReader& in, Catalogue& out) {
  Workload workload;
  workload.id = in.text("id");
  workload.title = in.text("title");
  workload.sentence = in.text("sentence");
  in.each_table("need", [&](TomlReader& t) { workload.needs.push_back(need_in(t)); });
  in.table("training", [&](TomlReader& t) { workload.training = training(t); });
  in.table("serving", [&](TomlReader& t) { workload.serving = serving(t); });
  if (workload.training && workload.serving)
    in.refuse("serving", "a workload trains or serves, not both");
  refuse_twice(in, out.workloads, workload.id);
  out.workloads.push_back(std::move(workload));
}

Result<Workload> parse_own_workload(std::string_view text) {
  const auto parsed = toml::parse(text);
  if (!parsed)
    return fail(Errc::malformed, std::string(parsed.error().description()),
                parsed.error().source().begin.line);
  std::optional<Error> problem;
  TomlReader reader(parsed.table(), problem);
  Catalogue one;
  parse_workload(reader, one);
  reader.finish();
  if (problem) return tl::make_unexpected(std::move(*problem));
  if (!one.workloads.front().training && !one.workloads.front().serving)
    return fail(Errc::malformed, "has neither [training] nor [serving]: nothing to predict", 1);
  return std::move(one.workloads.front());
}

}  // namespace gpuvet::catalogue
