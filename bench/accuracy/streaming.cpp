// SPDX-License-Identifier: Apache-2.0
// Rows of kind hbm and latency: copies within a GPU's memory (CUDA's bandwidthTest, 32 MiB, counts
// reads and writes), launches of empty kernels.
#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

constexpr double usual_copy = 33554432;  ///< bytes: bandwidthTest's default

model::Answer<double> launch(const Row& row, const model::Gpu& gpu, const World& world) {
  const std::string words = lower(row.workload + " " + row.metric);
  if (!contains(words, "launch")) return model::refuse("no model for " + row.workload);
  if (contains(words, "wall")) return world.models.kernels.round_trip(gpu).base();
  return world.models.kernels.launch(gpu).base();
}

model::Answer<double> bandwidth(const Row& row, const model::Gpu& gpu, const World& world) {
  const auto& kernels = world.models.kernels;
  const std::string words = lower(row.workload);
  const bool copies = contains(words, "d2d") || contains(words, "copy") ||
                      contains(words, "device to device") || contains(words, "stream") ||
                      contains(words, "triad");
  if (!copies || contains(words, "h2d") || contains(words, "d2h"))
    return model::refuse("no model for " + row.workload);
  const double bytes = 2 * row.number("bytes").value_or(usual_copy);
  const Seconds time = kernels.round_trip(gpu) + kernels.streaming(gpu, gpuvet::Bytes::base(bytes));
  return bytes / time.base();
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  const bool launches = row.kind == "latency";
  GPUVET_ANSWER(const double value,
                launches ? launch(row, gpu, world) : bandwidth(row, gpu, world));
  return model::Estimate{
      "streaming", value, {gpu.id, "superbench", "single", 0}, launches ? 4.0 : 1.0, {}};
}

model::Answer<double> sheet(const Row& row, const World& world, const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  if (row.kind == "latency") return model::refuse("a data sheet has no latency");
  return 0.8 * gpu.memory_bandwidth.base();
}

}  // namespace

Kind streaming_kind() {
  return {"streaming",
          [](const Row& row) {
            return row.kind == "latency" ||
                   (row.kind == "hbm" && !contains_ignoring_case(row.workload, "gemv"));
          },
          predict,
          {{"0.8 x the data sheet's bandwidth", sheet}},
          {"kernels"}};
}

}  // namespace gpuvet::accuracy
