// SPDX-License-Identifier: Apache-2.0
#include "accuracy/training_rows.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cmath>
#include <initializer_list>

#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Method;
using model::Precision;
using model::Recompute;
using model::Sharding;

bool says(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](auto word) { return contains_ignoring_case(text, word); });
}

std::optional<double> first_number(const Row& row, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto value = row.number(name)) return value;
  return {};
}

std::string_view first_text(const Row& row, std::initializer_list<std::string_view> names) {
  for (const auto name : names)
    if (const auto text = row.param(name); !text.empty()) return text;
  return {};
}

/// "TP8" in "FSDP32 TP8 + compile": 8; a word may not continue to the left.
std::optional<int> degree(std::string_view text, std::string_view word) {
  for (std::size_t at = text.find(word); at != std::string_view::npos;
       at = text.find(word, at + 1)) {
    if (at > 0 && std::isalnum(static_cast<unsigned char>(text[at - 1])) != 0) continue;
    std::size_t end = at + word.size();
    int value = 0;
    while (end < text.size() && std::isdigit(static_cast<unsigned char>(text[end])) != 0 &&
           value < 100000)
      value = value * 10 + (text[end++] - '0');
    if (value > 0) return value;
  }
  return {};
}

/// All parameters of a row as one text, for words that sources put anywhere.
std::string all_params(const Row& row) {
  std::string out;
  for (const auto& [name, value] : row.params)
    out += (name.starts_with('#') ? "" : name + "=") + value + ";";
  return out;
}

/// Letters, digits and points in lower case: "Llama-2 7B" and "LLAMA2-7B" are one.
void bare(std::string_view text, std::string& out) {
  out.clear();
  for (const char c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
}

/// The architecture whose name is the longest in `text`. Fits ask this thousands of times a row, so
/// it keeps its buffers.
const catalogue::Architecture* named_in(std::string_view text, const catalogue::Catalogue& all) {
  std::string where, word;
  bare(text, where);
  const catalogue::Architecture* best = nullptr;
  std::size_t longest = 3;
  for (const auto& a : all.architectures) {
    const auto consider = [&](std::string_view name) {
      bare(name.substr(name.find('/') + 1), word);  // without the publisher
      if (word.size() <= longest || where.find(word) == std::string::npos) return;
      longest = word.size();
      best = &a;
    };
    consider(a.id);
    consider(a.title);
    for (const auto& name : a.names) consider(name);
  }
  return best;
}

model::Answer<model::Transformer> net_of(const Row& row, const World& world) {
  model::Transformer net;
  const std::string text = row.workload + " " + std::string(row.param("model"));
  // "LLAMA31-405B" is how Megatron-Bridge writes 3.1.
  std::string spelled = text;
  for (const std::string_view version : {"31", "32", "33"})
    if (const auto at = lower(spelled).find("llama" + std::string(version) + "-");
        at != std::string::npos)
      spelled.insert(at + 6, ".");
  if (const auto* known = named_in(spelled, world.catalogue)) {
    GPUVET_ANSWER(net, model::transformer_from(*known));
  }
  const auto layers = first_number(row, {"layers", "L", "n_layers"});
  const auto hidden = first_number(row, {"d_model", "h", "hidden", "hidden_size"});
  if (layers && hidden) {
    const bool other = net.layers != *layers || net.hidden != *hidden;
    if (other) net = {};
    net.layers = *layers;
    net.hidden = *hidden;
    const double heads = std::max(1.0, std::round(*hidden / 128));
    net.heads = first_number(row, {"heads", "n_heads", "a"}).value_or(other ? heads : net.heads);
    if (other) {
      net.kv_heads = first_number(row, {"kv_heads"}).value_or(net.heads);
      net.head_dim = net.hidden / net.heads;
      net.tied_embeddings = true;
      net.vocabulary = 51200;
      net.ffn = 4 * net.hidden;
    }
    net.ffn = first_number(row, {"d_ff", "ffn"}).value_or(net.ffn);
    net.vocabulary = first_number(row, {"vocab", "vocabulary"}).value_or(net.vocabulary);
    net.experts = first_number(row, {"experts"}).value_or(net.experts);
    // Eager mixtures pad every expert to its capacity: all of them see every token's worth of work.
    if (other && net.experts > 1) net.active_experts = net.experts;
  }
  if (net.layers <= 0)
    return model::refuse("no architecture is known by the words '" + row.workload + "'");
  return net;
}

model::Answer<model::Gpu> training_gpu(const Row& row, const World& world) {
  auto gpu = gpu_of(row, world);
  if (gpu) return gpu;
  if (row.gpu_norm == "H100-SXM-96") {  // the catalogue's entry holds three sizes of memory
    const auto* usual = world.catalogue.gpu("h100-sxm5-80gb");
    if (usual == nullptr) return gpu;
    GPUVET_ANSWER(auto out, model::gpu_from(*usual));
    out.id = "h100-sxm5-94gb-96gb-64gb";
    out.memory = Bytes::base(96e9);
    out.memory_bandwidth = BytesPerSecond::base(2.4e12);  // HBM2e
    if (contains(row.gpu, "500 W")) out.power = Watts::base(500);
    return out;
  }
  if (row.gpu_norm.starts_with("V100-PCIe"))
    if (const auto* v100 = world.catalogue.gpu("v100-pcie-32gb")) return model::gpu_from(*v100);
  return gpu;
}

/// Bytes per second of a server's adapters from "8x400 Gb/s", "1600Gb/s RoCE per node" or "400 Gb/s
/// RDMA per GPU"; 0: not said.
double network_in(std::string_view text, int gpus) {
  double best = 0;
  for (std::size_t at = text.find("Gb"); at != std::string_view::npos;
       at = text.find("Gb", at + 2)) {
    const auto digits_before = [&](std::size_t end) {
      std::size_t from = end;
      while (from > 0 && std::isdigit(static_cast<unsigned char>(text[from - 1])) != 0) --from;
      return text.substr(from, end - from);
    };
    std::size_t end = at;
    while (end > 0 && text[end - 1] == ' ') --end;
    const auto figure = digits_before(end);
    const double rate = parse_number(figure).value_or(0);
    // A count before it, with the adapter's name between: "8x ConnectX-7 IB NDR 400Gb/s".
    double count = 1;
    const auto clause = text.substr(0, end - figure.size());
    const auto begin = clause.find_last_of(",:;(+");
    const auto here = begin == std::string_view::npos ? clause : clause.substr(begin + 1);
    if (const auto x = here.find('x'); x != std::string_view::npos) {
      const auto left = trim(here.substr(0, x));
      std::size_t from = left.size();
      while (from > 0 && std::isdigit(static_cast<unsigned char>(left[from - 1])) != 0) --from;
      count = std::max(1.0, parse_number(left.substr(from)).value_or(1));
    }
    const auto after = text.substr(at, 24);
    if (contains(after, "per GPU")) count = gpus;
    if (count <= 16) best = std::max(best, rate * count / 8 * 1e9);
  }
  return best;
}

void complete_fabric(const Row& row, const model::Gpu& gpu, TrainingRow& out) {
  if (out.fabric.servers < 2 || out.fabric.network.base() > 0) return;
  double network = network_in(row.topology, out.fabric.gpus);
  if (network <= 0 && says(row.param("net"), {"Compute"}))
    network = network_in(row.param("net"), out.fabric.gpus);
  if (network <= 0) {
    // HDR for every GPU up to Ampere, NDR since Hopper, as DGX and their copies have it.
    const bool older = gpu.architecture == "Ampere" || gpu.architecture == "Volta";
    network = (older ? 25e9 : 50e9) * out.fabric.gpus;
    out.notes.push_back("the network is taken to be as in a DGX: the source does not tell");
    out.difficulty *= 1.15;
  }
  out.fabric.network = BytesPerSecond::base(network);
}

std::string framework_of(const Row& row) {
  const auto& w = row.workload;
  if (says(w, {"MLPerf"})) return "mlperf";
  if (says(w, {"Composer", "foundry", "MPT-"})) return "llm-foundry";
  if (says(w, {"torchtitan"})) return "torchtitan";
  if (says(w, {"fms"})) return "fms-fsdp";
  if (says(w, {"NeMo", "Megatron-Bridge"})) return "nemo";
  if (says(w, {"Megatron"})) return "megatron";
  if (says(w, {"DeepSpeed", "peft", "fine-tune", "DDP", "Transformers"})) return "transformers";
  if (says(w, {"PyTorch"})) return "pytorch";
  return "";
}

Precision precision_of(const Row& row, const model::Gpu& gpu, const std::string& framework) {
  const auto word = first_text(row, {"precision", "dtype"});
  const std::string text = std::string(word) + (word.empty() ? row.workload : "");
  const Precision half = gpu.peak(Precision::bf16).base() > 0 ? Precision::bf16 : Precision::fp16;
  if (says(text, {"fp8", "float8"})) return Precision::fp8;
  if (says(text, {"bf16", "bfloat16"})) return half;
  if (says(text, {"fp16", "float16"})) return Precision::fp16;
  if (says(text, {"fp32", "float32", "tf32"}))
    return says(text, {"TF32 off"}) || gpu.peak(Precision::tf32).base() <= 0 ? Precision::fp32
                                                                             : Precision::tf32;
  if (framework == "mlperf" && gpu.peak(Precision::fp8).base() > 0) return Precision::fp8;
  return half;
}

void set_parallelism(const Row& row, TrainingRow& out) {
  auto& job = out.job;
  const std::string_view words = row.param("parallel");
  const auto ranks = [&](std::string_view name, std::string_view word) {
    if (const auto given = row.number(name)) return std::max(1, static_cast<int>(*given));
    return degree(words, word).value_or(1);
  };
  job.tensor = ranks("tp", "TP");
  job.pipeline = ranks("pp", "PP");
  job.context = ranks("cp", "CP");
  const int stages = static_cast<int>(job.net.layers) / job.pipeline;
  const bool megatron = out.framework == "nemo" || out.framework == "megatron";
  if (const auto given = first_number(row, {"vp", "interleave"}))
    job.interleave = std::max(1, static_cast<int>(*given));
  else if (job.pipeline == 1)
    job.interleave = 1;
  else if (out.framework == "nemo")
    job.interleave = std::max(1, stages);  // its recipes give every layer a stage of its own
  else if (megatron && out.gpu.architecture != "Ampere")
    job.interleave = std::clamp(stages / 2, 1, 4);
  else if (says(words, {"interleaved"}))
    job.interleave = 2;
}

void set_batches(const Row& row, TrainingRow& out) {
  auto& job = out.job;
  const double ranks = std::max(1, model::data_parallel(job, out.fabric));
  const auto micro = first_number(
      row, {"microbatch", "mbs", "micro_batch", "batch_per_gpu", "local_batch", "batch"});
  const auto global = first_number(row, {"global_batch", "gbs"});
  const auto steps = first_number(row, {"grad_accum", "gradient_accumulation_steps"});
  job.micro_batch = 1;
  if (micro)
    job.micro_batch = *micro;
  else if (global && steps)
    job.micro_batch = std::max(1.0, std::round(*global / ranks / *steps));
  else if (global && out.framework == "pytorch")
    job.micro_batch = *global / ranks;
  else if (out.framework == "megatron" && job.pipeline == 1 && out.gpu.architecture == "Ampere")
    job.micro_batch = 2;
  job.global_batch = global.value_or(job.micro_batch * ranks * steps.value_or(1));
  // A pipeline takes a rank's batch sequence by sequence.
  if (job.pipeline > 1 && !row.param("local_batch").empty()) job.micro_batch = 1;
}

void set_software(const Row& row, TrainingRow& out) {
  auto& job = out.job;
  const std::string text = row.workload + ";" + all_params(row);
  const auto& framework = out.framework;
  job.framework = framework;
  const std::string_view compile = first_text(row, {"torch_compile", "compile"});
  job.compiled = says(compile, {"yes", "true"}) ||
                 (compile.empty() && says(text, {"compile"}) && !says(text, {"compile=no"}));
  // torchtitan's float8 tables without that word are of compiled runs too.
  if (framework == "torchtitan" && job.precision == Precision::fp8) job.compiled = true;
  job.autocast = says(row.param("precision"), {"amp"});
  job.flash_attention_1 = framework == "llm-foundry";
  if (framework == "pytorch") job.flash_attention = false;
  if (framework == "transformers") job.flash_attention = says(text, {"flash"});
  if (framework == "megatron" && out.gpu.architecture == "Ampere") job.flash_attention = false;
  job.optimizer_step = !says(row.workload, {"fwd+bwd"});
  const bool recent = framework == "nemo" || framework == "mlperf" ||
                      (framework == "megatron" && out.gpu.architecture != "Ampere");
  job.overlapped = recent || says(text, {"asyncTP", "async TP"});
  job.sequence_parallel =
      job.tensor > 1 && (recent || framework == "torchtitan" || says(text, {"sequence parallel"}));

  const auto checkpoints = first_text(row, {"act_ckpt", "activation_ckpt", "recompute"});
  const std::string recompute = checkpoints.empty() ? row.workload : std::string(checkpoints);
  if (says(recompute, {"selective", "SAC"}))
    job.recompute = Recompute::selective;
  else if (says(recompute, {"true", "full recompute", "full"}) &&
           (!checkpoints.empty() || says(recompute, {"full recompute"})))
    job.recompute = Recompute::full;
  else if (framework == "torchtitan" && checkpoints.empty())
    job.recompute = Recompute::selective;  // its default
  else if (framework == "transformers" && says(row.workload, {"fine-tune"}))
    job.recompute = Recompute::full;

  const auto sharding = first_text(row, {"sharding", "shard", "zero"});
  if (says(sharding, {"HSDP", "HYBRID"})) job.sharding_ranks = out.fabric.gpus;
  if (says(sharding, {"FULL", "FSDP", "HSDP", "HYBRID", "3"}) || framework == "torchtitan" ||
      framework == "fms-fsdp" || row.number("fsdp").value_or(0) > 0)
    job.sharding = Sharding::weights;
  else if (says(sharding, {"GRAD", "2"}))
    job.sharding = Sharding::gradients;
  else if (recent || sharding == "1")
    job.sharding = Sharding::optimizer;
}

void set_method(const Row& row, TrainingRow& out) {
  const std::string text = row.workload + " " + std::string(row.param("method"));
  auto& job = out.job;
  if (says(text, {"Q-LoRA", "QLoRA"}))
    job.method = Method::qlora;
  else if (says(text, {"LoRA"}))
    job.method = Method::lora;
  job.lora_rank = row.number("lora_rank").value_or(job.lora_rank);
  job.lora_embeddings = says(text, {"(emb)"});
}

/// What MLPerf's rows leave open and its submissions share.
void set_mlperf(const Row& row, TrainingRow& out) {
  auto& job = out.job;
  const double ranks = out.fabric.ranks();
  const double batch = row.number("global_batch").value_or(ranks);
  if (job.method == Method::lora) {
    job.sequence = 8192;
    // One sequence a pass: ranks that are not data-parallel share its work.
    const double steps = row.number("gradient_accumulation_steps").value_or(1);
    const int share = std::max(1, static_cast<int>(std::lround(ranks * steps / batch)));
    job.tensor = share % 4 == 0 ? 4 : share % 2 == 0 ? 2 : 1;
    job.context = share / job.tensor;
    // Weights that do not fit one GPU and are not split: the reference's own code with ZeRO-3.
    if (share == 1 && 2 * job.net.parameters() > 0.9 * out.gpu.memory.base()) {
      out.framework = "transformers";
      job.sharding = Sharding::weights;
      job.recompute = Recompute::full;
    }
  } else {
    job.sequence = 2048;
    job.tensor = 4;
    job.pipeline = 8;
    job.interleave = std::max(1, static_cast<int>(job.net.layers) / 16);
  }
}

}  // namespace

model::Answer<TrainingRow> training_row(const Row& row, const World& world) {
  TrainingRow out;
  GPUVET_ANSWER(out.gpu, training_gpu(row, world));
  GPUVET_ANSWER(out.fabric, fabric_of(row, out.gpu));
  GPUVET_ANSWER(out.job.net, net_of(row, world));
  complete_fabric(row, out.gpu, out);
  out.framework = framework_of(row);
  set_method(row, out);
  set_parallelism(row, out);
  auto& job = out.job;
  job.sequence =
      first_number(row, {"seq", "seq_len", "sequence", "seqlen", "sequence_length"}).value_or(0);
  if (out.framework == "mlperf") set_mlperf(row, out);
  if (job.sequence <= 0) return model::refuse("the row does not give the length of sequences");
  job.precision = precision_of(row, out.gpu, out.framework);
  const Sharding reference = job.sharding;
  const Recompute again = job.recompute;
  set_software(row, out);
  if (reference != Sharding::none) {
    job.sharding = reference;
    job.recompute = again;
    job.flash_attention = true;
  }
  set_batches(row, out);
  if (row.metric == "time_to_train") {
    out.to_target = true;
    out.samples = job.method == Method::lora
                      ? world.models.convergence.llama_lora_samples(job.global_batch)
                      : world.models.convergence.gpt3_samples();
  }
  if (job.net.experts > 1) out.difficulty *= 2;
  return out;
}

model::Answer<double> metric_of(const Row& row, const TrainingRow& what, double seconds) {
  const auto& job = what.job;
  const double gpus = what.fabric.ranks();
  if (what.to_target) return seconds * what.samples / job.global_batch;
  const bool each = contains(row.unit, "/GPU") || row.metric.ends_with("per_gpu");
  const double share = each ? 1 / gpus : 1;
  if (contains(row.unit, "tokens/s") || contains(row.unit, "tok/s"))
    return share * job.global_batch * job.sequence / seconds;
  if (contains(row.unit, "seq/s") || contains(row.unit, "samples/s") ||
      contains(row.unit, "sequences/s"))
    return share * job.global_batch / seconds;
  if (row.metric == "step_time" || row.metric == "iteration_time") return seconds;
  if (contains(row.unit, "FLOP")) {
    const auto& net = job.net;
    const double tokens = job.global_batch * job.sequence;
    // Narayanan et al. 2021 (arXiv:2104.04473): "achieved" counts recomputed layers.
    const double layers =
        net.layers * (6 * net.layer_parameters() + 12 * job.sequence * net.heads * net.head_dim);
    const bool hardware = row.metric.starts_with("achieved") && job.recompute == Recompute::full;
    const double head = 6 * net.hidden * net.vocabulary;
    return tokens * (layers * (hardware ? 4.0 / 3 : 1) + head) / seconds / gpus;
  }
  return model::refuse("'" + row.metric + "' in " + row.unit +
                       " does not follow from a step's time");
}

double nominal_flop(const model::TrainingJob& job) {
  const double passes = job.method == Method::full ? 3 : 2;
  return passes * job.net.forward_flop(job.sequence) * job.global_batch * job.sequence;
}

}  // namespace gpuvet::accuracy
