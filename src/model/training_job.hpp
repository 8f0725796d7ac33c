// SPDX-License-Identifier: Apache-2.0
// What is trained and how: the question that speed (training.hpp) and memory (memory.hpp) answer.
#pragma once

#include <string>

#include "model/gpu.hpp"
#include "model/transformer.hpp"

namespace gpuvet::model {

enum class Method { full, lora, qlora };
/// What is spread over the data-parallel ranks: nothing, optimizer states (ZeRO-1), gradients too
/// (ZeRO-2), weights too (ZeRO-3, FSDP).
enum class Sharding { none, optimizer, gradients, weights };
/// What the backward pass computes again: nothing, attention or single operations, whole layers.
enum class Recompute { none, selective, full };

struct TrainingJob {
  Transformer net;
  Method method = Method::full;
  double lora_rank = 8;
  bool lora_embeddings = false;  ///< embeddings and output trained too

  double sequence = 2048;
  double micro_batch = 1;                     ///< sequences of one rank in one pass
  double global_batch = 1;                    ///< sequences of one optimizer step
  int tensor = 1, pipeline = 1, context = 1;  ///< ranks of each; the rest is data parallel
  int interleave = 1;                         ///< pipeline stages of one rank
  Sharding sharding = Sharding::none;
  int sharding_ranks = 0;  ///< ranks that share a copy (HSDP: one server); 0: all data parallel
  bool sequence_parallel = false;
  Recompute recompute = Recompute::none;

  Precision precision = Precision::bf16;  ///< of the matrix products
  bool master_weights = true;             ///< fp32 weights beside lower precision ones
  bool flash_attention = true;
  bool compiled = false;  ///< torch.compile or hand-fused kernels
  bool cpu_offload = false;
  std::string framework;  ///< "llm-foundry", "torchtitan", "megatron", "nemo", ...

  bool autocast = false;           ///< torch.autocast: casts before products, norms in fp32
  bool flash_attention_1 = false;  ///< the kernels of 2022, in Triton or CUDA
  bool overlapped = false;         ///< tensor-parallel exchanges run beside the products they feed
  bool optimizer_step = true;      ///< false: forward and backward pass alone
};

}  // namespace gpuvet::model
