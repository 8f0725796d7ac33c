// SPDX-License-Identifier: Apache-2.0
// Rows about memory as questions to model::Memory: which net, which job, read by which tool.
#pragma once

#include "accuracy/kind.hpp"
#include "model/memory.hpp"

namespace gpuvet::accuracy {

/// The net that params give by number (layers, d_model, heads) or that the workload's words name
/// ("Qwen-7B", "Llama 2 13B"; the longest name that matches). Refuses nets that the catalogue
/// doesn't have.
model::Answer<model::Transformer> net_of(const Row&, const World&);

/// Longest context that the net was made for; 0: not known.
double native_context(const Row&, const World&);

/// A GPU with the memory that its name tells ("H100-SXM-96") where the catalogue lacks it.
model::Answer<model::Gpu> sized_gpu_of(const Row&, const World&);

struct MemoryJob {
  model::TrainingJob job;
  model::Program program;
  bool sequence_known = true;
};

/// A training job as a row describes it, of any framework.
model::Answer<MemoryJob> memory_job_of(const Row&, const World&);

model::Answer<model::InferenceSetup> inference_setup_of(const Row&, const World&);

}  // namespace gpuvet::accuracy
