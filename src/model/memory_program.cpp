// SPDX-License-Identifier: Apache-2.0
#include "model/memory_program.hpp"

#include <array>

#include "core/text.hpp"

namespace gpuvet::model {

double bytes_of(StoredWeights w) {
  constexpr double nf4 = 0.5 + 4.0 / 64, nf4_double = 0.5 + 1.0 / 64 + 4.0 / (64 * 256);
  constexpr double int4 = 0.5 + 2.5 / 128, int8 = 1 + 2.5 / 128;
  constexpr std::array<double, 7> bytes = {4, 2, 1, int8, int4, nf4, nf4_double};
  return bytes[static_cast<std::size_t>(w)];
}

Program program_of(const TrainingJob& job) {
  Program p;
  const auto is = [&](std::string_view name) {
    return contains_ignoring_case(job.framework, name);
  };
  const bool half = job.precision != Precision::fp32 && job.precision != Precision::tf32;
  if (job.method == Method::qlora) p.frozen = StoredWeights::nf4;
  p.norm_in_steps = !job.compiled;
  if (!half) {
    p.weight = p.gradient = 4;
    p.optimizer = 8;
    p.frozen = job.method == Method::qlora ? p.frozen : StoredWeights::fp32;
  } else if (!job.master_weights) {
    p.optimizer = 4;
    p.adapter = 8;
  }
  if (is("litgpt") || is("lit-gpt")) {
    p.adapter_dropout = p.expands_kv = p.quantised_inputs = p.copies_output = p.unties = true;
  } else if (is("qwen") || is("transformers") || is("hf")) {
    p.adapted = Adapted::all_but_down;
    p.fp32_embeddings = true;
    p.live_parameters = true;
    if (!is("trainer")) p.adapter = 20;  // DeepSpeed: 2 + 2 + 12, and the gradients in fp32
    p.loss = is("trainer") ? Program::Loss::autocast : Program::Loss::plain;
    if (job.method == Method::qlora) p.frozen = StoredWeights::int4;
  } else if (is("peft") || is("deepspeed")) {
    p.live_parameters = true;
  } else if (is("torchtitan") || is("fsdp") || is("foundry") || is("composer")) {
    if (half) {  // fp32 states, half precision only while gathered
      p.weight = p.gradient = 4;
      p.optimizer = 8;
    }
    if (is("torchtitan")) p.loss = job.compiled ? Program::Loss::fused : Program::Loss::in_fp32;
    // It trains Llama-2-13B with 8192 tokens a GPU and no recompute on 80 GB, which rules out fp32
    // copies at each norm.
    if (is("fms")) p.norm_in_steps = false;
    p.gaps = !is("torchtitan");  // expandable segments
    p.selective_matmuls = is("torchtitan");
    p.keeps_gathered = is("torchtitan");
    if (is("foundry") || is("composer")) {
      p.loss = Program::Loss::fused;
      p.norm_in_steps = false;
    }
  } else if (is("megatron") || is("nemo")) {
    if (half) p.gradient = 4;
    p.dropout = is("megatron") && !is("bridge");
    p.norm_in_steps = false;
    p.loss = Program::Loss::fused;
  }
  return p;
}

}  // namespace gpuvet::model
