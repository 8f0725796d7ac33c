// SPDX-License-Identifier: Apache-2.0
// Rows of kind gemm: m, n, k in params, the type there or in the workload's words.
#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Gemm> gemm_of(const Row& row) {
  const auto m = row.number("m"), n = row.number("n"), k = row.number("k");
  if (!m || !n || !k) return model::refuse("the row does not give m, n and k");
  const bool half = contains(row.workload, "fp16") || row.param("dtype") == "fp16";
  return model::Gemm{*m, *n, *k, half ? model::Precision::fp16 : model::Precision::bf16};
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto gemm, gemm_of(row));
  const Seconds time = world.models.kernels.gemm(gpu, gemm);
  return model::Estimate{
      "gemm", time.base(), {gpu.id, "", "single", 2 * gemm.m * gemm.n * gemm.k}, 1, {}};
}

model::Answer<double> roofline(const Row& row, const World& world, const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto g, gemm_of(row));
  const double bytes = 2 * (g.m * g.k + g.k * g.n + g.m * g.n);
  return std::max(2 * g.m * g.n * g.k / gpu.peak(g.precision).base(),
                  bytes / gpu.memory_bandwidth.base());
}

}  // namespace

Kind gemm_kind() {
  return {"gemm",
          [](const Row& row) { return row.kind == "gemm"; },
          predict,
          {{"data-sheet roofline", roofline}},
          {"kernels"}};
}

}  // namespace gpuvet::accuracy
