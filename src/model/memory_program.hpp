// SPDX-License-Identifier: Apache-2.0
// What training programs do with memory that their options don't tell: which precision states have,
// what is kept for the backward pass, what the loss needs.
#pragma once

#include "model/training_job.hpp"

namespace gpuvet::model {

/// How weights are stored.
enum class StoredWeights { fp32, half, fp8, int8, int4, nf4, nf4_double };

/// Bytes of one weight of a matrix, quantisation constants included: nf4 has one fp32 scale for 64
/// weights, with double quantisation one byte of 64 and one fp32 of 256 of those (QLoRA, arXiv
/// 2305.14314); int4 and int8 one fp16 scale and packed zero for 128 (GPTQ).
double bytes_of(StoredWeights);

/// Which matrices of a layer have adapters.
enum class Adapted { query_value, attention, all_but_down, all };

struct Program {
  /// Bytes of one trained parameter.
  double weight = 2, gradient = 2, optimizer = 12;
  double adapter = 16;                         ///< of one adapter's parameter, all states together
  StoredWeights frozen = StoredWeights::half;  ///< of what LoRA leaves alone
  Adapted adapted = Adapted::query_value;

  /// Of single operations in half precision; after the trainer turned the output into fp32; of
  /// single operations in fp32; compiled into one.
  enum class Loss { plain, autocast, in_fp32, fused };
  Loss loss = Loss::plain;
  bool norm_in_steps = true;      ///< RMSNorm of single operations
  bool dropout = false;           ///< after attention and feed-forward part
  bool adapter_dropout = false;   ///< before adapters
  bool expands_kv = false;        ///< copies of grouped keys and values for every query head
  bool quantised_inputs = false;  ///< quantised matrices keep their inputs for the backward pass
  bool copies_output = false;     ///< quantising leaves a half precision copy of the output matrix
  bool fp32_embeddings = false;   ///< adapter training holds embeddings in fp32 too
  bool live_parameters = false;   ///< ZeRO-3 gathers by count of parameters, not layer by layer
  bool selective_matmuls =
      false;                     ///< selective recompute drops every second matrix product's output
  bool overlaps_pieces = false;  ///< tensor parallel transfers in pieces (asyncTP)
  bool gaps = true;              ///< the allocator can't give back parts of its segments
  bool keeps_gathered = false;  ///< with pipelines, weights stay gathered between microbatches, and
                                ///< rows passed on have buffers of their own
  double target_share = 1;      ///< encoder-decoder: tokens of the target for one of the input
  bool unties = false;          ///< output matrix of its own even where the model shares it
};

/// By the job's framework ("litgpt", "qwen", "peft", "torchtitan", "llm-foundry", "fms-fsdp",
/// "megatron", "nemo"); an unknown one is taken for PyTorch with DeepSpeed's accounting.
Program program_of(const TrainingJob&);

}  // namespace gpuvet::model
