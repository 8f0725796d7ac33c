// SPDX-License-Identifier: Apache-2.0
// Rows of kind memory: peaks as the source's tool reads them, jobs that did not fit (`fits`), and
// the longest context that an engine takes.
#include <cmath>

#include "accuracy/memory_rows.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using namespace units;

/// What a source's tool counts: tensors, what PyTorch reserved for them, or all that nvidia-smi
/// sees.
enum class Reading { allocated, reserved, device };

Reading reading_of(std::string_view framework) {
  if (framework == "litgpt" || framework == "peft") return Reading::allocated;
  if (framework == "torchtitan" || framework == "fms-fsdp") return Reading::reserved;
  return Reading::device;
}

Bytes read(const model::MemoryEstimate& m, Reading reading) {
  if (reading == Reading::allocated) return m.total - m.reserve - m.context;
  if (reading == Reading::reserved) return m.total - m.context;
  return m.total;
}

bool summed_over_gpus(const Row& row) {
  return contains(row.metric, "total") || contains(row.unit, "summed");
}

std::string topology_of(const Row& row) {
  if (row.nodes > 1) return "nodes";
  return row.gpus > 1 ? "nvswitch" : "single";
}

bool is_training(const Row& row) {
  const std::string all = lower(row.workload);
  for (const auto* word : {"fine-tun", "finetun", "lora", "adapter", "torchtitan", "megatron",
                           "training", "pretrain", "fsdp"})
    if (contains(all, word)) return true;
  return false;
}

model::Answer<model::Estimate> decided(const Row& row, const model::Gpu& gpu,
                                       const model::Memory& memory, model::Fits fits,
                                       const model::MemoryEstimate& m, std::string framework) {
  if (fits == model::Fits::uncertain)
    return model::refuse("uncertain: " + model::arithmetic(m) + " against " +
                         format_number(std::round(memory.usable(gpu).in(GB)*10) / 10) + " GB");
  return model::Estimate{"memory.fits",
                         fits == model::Fits::fits ? 1.0 : 0.0,
                         {gpu.id, std::move(framework), topology_of(row), 0},
                         1,
                         {model::arithmetic(m)},
                         true};
}

model::Estimate estimate_of(const Row& row, const model::Gpu& gpu, std::string framework,
                            Bytes value) {
  return {"memory.training",
          value.base(),
          {gpu.id, std::move(framework), topology_of(row), value.base()},
          1,
          {}};
}

model::Answer<model::Estimate> training(const Row& row, const World& world, const model::Gpu& gpu) {
  const auto& memory = world.models.memory;
  GPUVET_ANSWER(auto asked, memory_job_of(row, world));
  GPUVET_ANSWER(const auto m, memory.training(asked.job, row.gpus, asked.program));
  const std::string framework = asked.job.framework.substr(0, asked.job.framework.find("-trainer"));
  if (row.metric == "fits") {
    auto fits = model::verdict(m, memory.usable(gpu));
    if (!asked.sequence_known) {
      asked.job.sequence = 4096;
      GPUVET_ANSWER(const auto longer, memory.training(asked.job, row.gpus, asked.program));
      if (model::verdict(longer, memory.usable(gpu)) != fits) fits = model::Fits::uncertain;
    }
    return decided(row, gpu, memory, fits, m, framework);
  }
  if (contains(row.workload, "parameters+optimizer")) {
    // The paper counts an average GPU: one stage's share of the whole, embeddings included.
    auto whole = asked.job;
    whole.pipeline = 1;
    GPUVET_ANSWER(const auto all, memory.training(whole, row.gpus, asked.program));
    const Bytes share = (all.weights + all.gradients + all.optimizer) / asked.job.pipeline;
    return estimate_of(row, gpu, framework, share);
  }
  if (!asked.sequence_known) return model::refuse("the row does not tell the sequence length");
  Bytes value = read(m, reading_of(framework));
  if (contains(row.workload, "activations")) value = m.activations;
  if (summed_over_gpus(row)) value = row.gpus * value;
  if (framework == "qwen") value = value.in(GiB)*GB;  // its table says GB and counts GiB
  return estimate_of(row, gpu, framework, value);
}

model::Answer<model::Estimate> inference(const Row& row, const World& world,
                                         const model::Gpu& gpu) {
  const auto& memory = world.models.memory;
  GPUVET_ANSWER(const auto setup, inference_setup_of(row, world));
  const bool total = summed_over_gpus(row);
  GPUVET_ANSWER(const auto m, memory.inference(setup, total ? 1 : row.gpus));
  const bool litgpt = contains_ignoring_case(row.workload, "litgpt");
  const bool qwen = contains_ignoring_case(row.workload, "qwen");
  const std::string framework = litgpt ? "litgpt" : "transformers";
  if (row.metric == "fits")
    return decided(row, gpu, memory, model::verdict(m, memory.usable(gpu)), m, framework);
  Bytes value = read(m, litgpt ? Reading::allocated : Reading::device);
  if (total) value = value + (row.gpus - 1.0) * m.context;
  if (qwen) value = value.in(GiB)*GB;  // its table says GB and counts GiB
  return model::Estimate{
      "memory.inference", value.base(), {gpu.id, framework, topology_of(row), value.base()}, 1, {}};
}

model::Answer<model::Estimate> max_context(const Row& row, const World& world,
                                           const model::Gpu& gpu) {
  model::InferenceSetup setup;
  GPUVET_ANSWER(setup.net, net_of(row, world));
  if (contains_ignoring_case(row.workload, "fp8")) setup.weights = model::StoredWeights::fp8;
  const double native = native_context(row, world);
  if (native <= 0) return model::refuse("the net's own longest context is not known");
  const int gpus = static_cast<int>(row.number("tp").value_or(row.gpus));
  // Powers of two only, so off by one of them or not at all: an interval of its own kind.
  constexpr double coarse = 30;
  return model::Estimate{"memory.inference",
                         world.models.memory.max_context(setup, gpu, gpus, native),
                         {gpu.id, "vllm", topology_of(row), 0},
                         coarse,
                         {}};
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, sized_gpu_of(row, world));
  if (row.metric == "max_context") return max_context(row, world, gpu);
  if (is_training(row)) return training(row, world, gpu);
  return inference(row, world, gpu);
}

/// The job without anything to keep for the backward pass: what DeepSpeed's estimators count.
model::Answer<double> states_only(const Row& row, const World& world,
                                  const std::vector<const Row*>&) {
  if (!is_training(row) || row.metric == "fits") return model::refuse("no training peak");
  GPUVET_ANSWER(const auto asked, memory_job_of(row, world));
  const auto& job = asked.job;
  const double p = job.net.parameters(), n = row.gpus;
  const double mp = job.tensor * job.pipeline;
  double bytes = 16 * p / mp;
  if (job.method != model::Method::full)
    bytes = p * (job.method == model::Method::qlora ? 0.5 : 2) / mp;
  if (job.sharding == model::Sharding::weights) bytes = bytes * mp / n;
  return bytes * (summed_over_gpus(row) ? n : 1);
}

/// The same and 34 bytes per token, hidden element and layer.
model::Answer<double> states_and_activations(const Row& row, const World& world,
                                             const std::vector<const Row*>& known) {
  GPUVET_ANSWER(const double states, states_only(row, world, known));
  GPUVET_ANSWER(const auto asked, memory_job_of(row, world));
  const auto& job = asked.job;
  const double kept = job.recompute == model::Recompute::full ? 2 : 34;
  const double activations = kept * job.sequence * job.micro_batch * job.net.hidden *
                             job.net.layers / (job.tensor * job.context);
  return states + activations * (summed_over_gpus(row) ? row.gpus : 1);
}

}  // namespace

Kind memory_kind() {
  return {"memory",
          [](const Row& row) { return row.kind == "memory"; },
          predict,
          {{"model states only", states_only}, {"states + 34 sbh", states_and_activations}},
          {"memory"}};
}

}  // namespace gpuvet::accuracy
