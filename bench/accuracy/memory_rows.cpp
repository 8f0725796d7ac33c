// SPDX-License-Identifier: Apache-2.0
#include "accuracy/memory_rows.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Method;
using model::Recompute;
using model::Sharding;
using model::StoredWeights;

/// " llama 2 70 b ": runs of letters and of digits, so that spellings of a name agree.
std::string spelled(std::string_view text) {
  std::string out = " ";
  char last = ' ';
  const auto group = [](char c) {
    const auto u = static_cast<unsigned char>(c);
    return std::isdigit(u) != 0 ? 1 : std::isalpha(u) != 0 ? 2 : 0;
  };
  for (const char c : lower(text)) {
    if (group(c) != group(last) && out.back() != ' ') out += ' ';
    if (group(c) != 0) out += c;
    last = c;
  }
  return out.back() == ' ' ? out : out + ' ';
}

const catalogue::Architecture* architecture_of(const Row& row, const World& world) {
  const std::string text = spelled(row.workload + " " + row.note);
  const catalogue::Architecture* best = nullptr;
  std::size_t length = 0;
  for (const auto& a : world.catalogue.architectures) {
    const auto consider = [&](std::string_view name) {
      const std::string words = spelled(name);
      if (words.size() <= length || !contains(text, words)) return;
      best = &a;
      length = words.size();
    };
    consider(a.id);
    consider(a.title);
    for (const auto& name : a.names) consider(name);
  }
  return best;
}

double first_number(const Row& row, std::initializer_list<std::string_view> names,
                    double otherwise) {
  for (const auto name : names)
    if (const auto value = row.number(name)) return *value;
  return otherwise;
}

std::string all_words(const Row& row) {
  std::string out = row.workload;
  for (const auto& [key, value] : row.params) out += " " + key + "=" + value;
  return lower(out);
}

/// The figure behind a word: "TP" in "FSDP32 TP8 PP8 1F1B" is 8; 0 without.
int degree(std::string_view text, std::string_view word) {
  for (const auto part : words(text)) {
    const std::string small = lower(part);
    if (small.rfind(word, 0) != 0) continue;
    if (const auto value = parse_integer(std::string_view(small).substr(word.size())))
      return static_cast<int>(*value);
  }
  return 0;
}

StoredWeights weights_of(std::string_view name) {
  const std::string w = lower(name);
  if (contains(w, "nf4") || contains(w, "fp4"))
    return contains(w, "dq") ? StoredWeights::nf4_double : StoredWeights::nf4;
  if (contains(w, "int8")) return StoredWeights::int8;
  if (contains(w, "int4")) return StoredWeights::int4;
  if (contains(w, "fp8")) return StoredWeights::fp8;
  if (contains(w, "fp32") || contains(w, "float32")) return StoredWeights::fp32;
  return StoredWeights::half;
}

std::string framework_of(std::string_view all) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 13> known = {
      {{"litgpt", "litgpt"},
       {"lit-gpt", "litgpt"},
       {"torchtitan", "torchtitan"},
       {"fms-fsdp", "fms-fsdp"},
       {"composer", "llm-foundry"},
       {"foundry", "llm-foundry"},
       {"nemo", "nemo"},
       {"megatron", "megatron"},
       {"ought/raft", "peft"},
       {"vllm", "vllm"},
       {"qwen", "qwen"},
       {"peft", "peft"},
       {"deepspeed", "deepspeed"}}};
  for (const auto& [word, name] : known)
    if (contains(all, word)) return std::string(name);
  return "";
}

Recompute recompute_of(std::string_view all, std::string_view said, std::string_view framework) {
  const std::string word = lower(said);
  if (contains(word, "full") || word == "true" || word == "yes") return Recompute::full;
  if (contains(word, "selective")) return Recompute::selective;
  if (contains(word, "none") || word == "false" || word == "no") return Recompute::none;
  if (contains(all, "no recompute")) return Recompute::none;
  if (contains(all, "selective")) return Recompute::selective;
  if (contains(all, "full recompute") || contains(all, "full activation")) return Recompute::full;
  if (framework == "torchtitan") return Recompute::selective;  // its default
  if (framework == "qwen") return Recompute::full;  // its scripts' --gradient_checkpointing
  return Recompute::none;
}

void parallelism_of(const Row& row, const std::string& all, model::TrainingJob& job) {
  const auto parallel = row.param("parallel");
  const auto of = [&](std::string_view name) {
    const auto value = row.number(name);
    return std::max(1, value ? static_cast<int>(*value) : degree(parallel, name));
  };
  job.tensor = of("tp");
  job.pipeline = of("pp");
  job.context = of("cp");
  job.interleave = static_cast<int>(first_number(row, {"interleave", "vp"}, 1));
  if (const auto zero = row.number("zero"))
    job.sharding = static_cast<Sharding>(static_cast<int>(*zero));
  else if (contains(all, "without zero"))
    job.sharding = Sharding::gradients;  // ZeRO-2 is what is left
  else if (contains(all, "zero-3") || contains(all, "zero3") || contains(row.group, "ZeRO-3") ||
           contains(all, "fsdp") || job.framework == "llm-foundry" ||
           job.framework == "torchtitan" || (job.framework == "litgpt" && row.gpus > 1))
    job.sharding = Sharding::weights;
  else if (contains(all, "zero-2") || job.framework == "qwen" || job.framework == "deepspeed")
    job.sharding = Sharding::gradients;
  if (contains(all, "hsdp") && row.nodes > 0) job.sharding_ranks = row.gpus / row.nodes;
}

}  // namespace

model::Answer<model::Transformer> net_of(const Row& row, const World& world) {
  const double layers = first_number(row, {"layers", "L"}, 0);
  const double hidden = first_number(row, {"d_model", "h", "hidden"}, 0);
  const double heads = first_number(row, {"heads"}, 0);
  if (layers > 0 && hidden > 0 && heads > 0) {
    model::Transformer net;
    net.layers = layers;
    net.hidden = hidden;
    net.heads = net.kv_heads = heads;
    net.head_dim = hidden / heads;
    net.ffn = 4 * hidden;
    net.vocabulary = first_number(row, {"vocab"}, 51200);
    net.tied_embeddings = true;  // GPT and MPT
    return net;
  }
  const auto* found = architecture_of(row, world);
  if (found == nullptr) return model::refuse("no architecture is known for " + row.workload);
  return model::transformer_from(*found);
}

double native_context(const Row& row, const World& world) {
  const auto* found = architecture_of(row, world);
  return found == nullptr ? 0 : found->number("context").value_or(0);
}

model::Answer<model::Gpu> sized_gpu_of(const Row& row, const World& world) {
  auto known = gpu_of(row, world);
  if (known) return known;
  const auto dash = row.gpu_norm.rfind('-');
  const auto size = dash == std::string::npos
                        ? std::nullopt
                        : parse_number(std::string_view(row.gpu_norm).substr(dash + 1));
  if (!size) return known;
  model::Gpu gpu;
  gpu.id = lower(row.gpu_norm);
  gpu.memory = Bytes::base(*size * 1e9);
  return gpu;
}

model::Answer<MemoryJob> memory_job_of(const Row& row, const World& world) {
  MemoryJob out;
  auto& job = out.job;
  const std::string all = all_words(row);
  GPUVET_ANSWER(job.net, net_of(row, world));
  job.framework = framework_of(all);
  const std::string method = lower(row.param("method"));
  const auto frozen = weights_of(row.param("weights"));
  const bool quantised = model::bytes_of(frozen) < 2;
  const bool adapters = contains(method, "lora") || contains(method, "adapter");
  if (contains(method, "q-lora") || contains(method, "qlora") || (adapters && quantised))
    job.method = Method::qlora;
  else if (adapters)
    job.method = Method::lora;
  job.lora_embeddings = contains(method, "emb");
  job.lora_rank = first_number(row, {"rank", "lora_r", "r"}, job.framework == "qwen" ? 64 : 8);

  const double sequence = first_number(row, {"seq", "max_tokens", "sequence"}, 0);
  out.sequence_known = sequence > 0;
  job.sequence = sequence > 0 ? sequence : 256;
  job.micro_batch =
      first_number(row, {"microbatch", "micro_batch", "batch_per_gpu", "local_batch", "mbs"}, 1);
  parallelism_of(row, all, job);
  const double data =
      std::max(1.0, static_cast<double>(row.gpus) / (job.tensor * job.pipeline * job.context));
  job.global_batch =
      first_number(row, {"global_batch", "gbs"},
                   job.micro_batch * first_number(row, {"grad_accum", "accum"}, 1) * data);
  job.recompute = recompute_of(
      all,
      row.param("activation_ckpt").empty() ? row.param("act_ckpt") : row.param("activation_ckpt"),
      job.framework);
  job.sequence_parallel = contains(all, "+sp") || job.framework == "torchtitan" ||
                          (job.framework == "nemo" && job.tensor > 1);
  const std::string type = lower(row.param("dtype")) + lower(row.param("precision"));
  job.master_weights = !contains(type, "true");
  if (contains(type, "fp32") || contains(type, "32-true")) job.precision = model::Precision::fp32;
  job.compiled = contains(all, "compile") && !contains(all, "compile=no");
  job.cpu_offload = contains(all, "offload");

  if (job.framework == "torchtitan" && job.pipeline > 1) {
    // As many microbatches as there are stages, two stages a rank when interleaved.
    job.interleave = contains(all, "interleaved") ? 2 : 1;
    job.global_batch = job.micro_batch * data;
    job.micro_batch =
        std::max(1.0, job.micro_batch / (job.pipeline * static_cast<double>(job.interleave)));
  }
  if (job.framework == "megatron" && row.kind == "memory") {
    // Figures of arXiv 2205.05198: attention in single operations; interleaved stages of one or
    // more layers, three of them where the layers allow it.
    job.flash_attention = false;
    const double per_stage = job.net.layers / job.pipeline;
    if (job.pipeline > 1 && row.param("interleave").empty() && per_stage / 3 == int(per_stage / 3))
      job.interleave = 3;
  }
  if (job.framework == "peft") {  // its example: batches of 8 tweets, everything in fp32
    job.precision = model::Precision::fp32;
    if (!out.sequence_known) {
      job.sequence = 64;
      job.micro_batch = 8;
      out.sequence_known = true;
    }
    if (job.cpu_offload) job.sharding = Sharding::weights;
  }
  if (job.framework == "qwen" && job.method == Method::lora && row.gpus == 1)
    job.framework = "qwen-trainer";  // without DeepSpeed
  out.program = model::program_of(job);
  out.program.target_share = job.framework == "peft" ? 3.0 / 64 : 1;  // a label of three tokens
  if (contains(row.group, "torchtitan-h100"))  // of December 2024, when only layers were compiled
    out.program.loss = model::Program::Loss::in_fp32;
  out.program.overlaps_pieces = contains(all, "asynctp");
  if (job.method == Method::qlora && !row.param("weights").empty()) out.program.frozen = frozen;
  return out;
}

model::Answer<model::InferenceSetup> inference_setup_of(const Row& row, const World& world) {
  model::InferenceSetup s;
  GPUVET_ANSWER(s.net, net_of(row, world));
  const std::string all = all_words(row);
  const std::string framework = framework_of(all);
  s.weights =
      weights_of(row.param("weights").empty() ? std::string_view(all) : row.param("weights"));
  s.batch = first_number(row, {"batch"}, 1);
  s.engine = model::Generator::transformers;
  s.context = first_number(row, {"context", "tokens"}, 0);
  if (const auto generated = row.number("out")) s.context = *generated + 10;  // a one-line prompt
  if (const auto text = between(all, "generate ", " tokens"); text && s.context <= 0)
    s.context = parse_number(*text).value_or(0);
  if (framework == "litgpt") {
    s.engine = model::Generator::preallocated;
    s.copies_output = s.unties = true;
    if (s.context <= 0) s.context = 250;  // its default: 200 new tokens after a short prompt
  }
  if (contains(all, "ds-inference")) s.engine = model::Generator::tensor_parallel;
  s.sharded_weights = contains(all, "ds-zero");
  if (s.context <= 0) return model::refuse("the row does not say how many tokens are kept");
  return s;
}

}  // namespace gpuvet::accuracy
