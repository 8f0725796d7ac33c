// SPDX-License-Identifier: Apache-2.0
// Rows of kind attention: batch, isl (new tokens), ctx (tokens in the cache), heads, kv_heads,
// head_dim, causal in params; a time or a rate of operations.
#include <algorithm>

#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

model::Answer<model::Attention> attention_of(const Row& row) {
  const auto any = [&](std::initializer_list<std::string_view> names) -> std::optional<double> {
    for (const auto name : names)
      if (const auto value = row.number(name)) return value;
    return {};
  };
  const auto queries = any({"isl", "seq", "seqlen", "s", "queries"});
  const auto heads = any({"heads", "h", "num_heads"});
  if (!queries || !heads) return model::refuse("the row does not give its tokens and heads");
  model::Attention a;
  a.batch = any({"batch", "b", "batch_size"}).value_or(1);
  a.queries = *queries;
  a.context = any({"ctx", "context", "past"}).value_or(0);
  a.heads = *heads;
  a.kv_heads = any({"kv_heads", "kv", "num_kv_heads"}).value_or(*heads);
  a.head_dim = any({"head_dim", "d", "hdim"}).value_or(128);
  a.causal = any({"causal"}).value_or(1) != 0;
  if (a.batch < 1 || a.queries < 1 || a.heads < 1 || a.kv_heads < 1 || a.head_dim < 1)
    return model::refuse("the row's numbers are no attention");
  a.backward = contains_ignoring_case(row.workload, "backward");
  const bool half = contains(row.workload, "fp16") || row.param("dtype") == "fp16";
  a.precision = half ? model::Precision::fp16 : model::Precision::bf16;
  if (contains(row.workload, "fp8") || row.param("dtype") == "fp8")
    a.precision = model::Precision::fp8;
  return a;
}

double operations(const model::Attention& a) {
  const double keys = a.causal && a.queries > 1 ? a.context + a.queries / 2 : a.context + a.queries;
  return 4 * (a.backward ? 2.5 : 1) * a.batch * a.heads * a.queries * keys * a.head_dim;
}

double cache_bytes(const model::Attention& a) {
  return 2 * a.batch * a.head_dim * (a.heads * a.queries + a.kv_heads * (a.context + a.queries)) *
         model::element(a.precision).base();
}

model::Answer<double> as_asked(const Row& row, const model::Attention& a, double seconds) {
  if (contains_ignoring_case(row.unit, "flop"))
    return operations(a) / seconds * row.scale / (row.scale < 1e6 ? 1e12 : row.scale);
  if (!contains_ignoring_case(row.metric, "time") && !contains_ignoring_case(row.metric, "latency"))
    return model::refuse("what " + row.metric + " in " + row.unit + " of attention means");
  return seconds;
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto a, attention_of(row));
  if (gpu.peak(a.precision).base() <= 0)
    return model::refuse("the catalogue has no rate of " + gpu.id + " in " +
                         std::string(model::name(a.precision)));
  const double seconds = world.models.kernels.attention(gpu, a).base();
  GPUVET_ANSWER(const double value, as_asked(row, a, seconds));
  const bool decodes = a.queries <= 1;
  return model::Estimate{decodes ? "attention.decode" : "attention.prefill",
                         value,
                         {gpu.id, contains(row.workload, "FlashAttention") ? "flash" : "", "single",
                          decodes ? cache_bytes(a) : operations(a)},
                         1,
                         {}};
}

model::Answer<double> sheet(const Row& row, const World& world, double share, double start) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto a, attention_of(row));
  if (gpu.peak(a.precision).base() <= 0) return model::refuse("no rate");
  const double seconds = start + std::max(operations(a) / gpu.peak(a.precision).base(),
                                          cache_bytes(a) / gpu.memory_bandwidth.base()) /
                                     share;
  return as_asked(row, a, seconds);
}

model::Answer<double> roofline(const Row& row, const World& world, const std::vector<const Row*>&) {
  return sheet(row, world, 1, 0);
}

model::Answer<double> sol(const Row& row, const World& world, const std::vector<const Row*>&) {
  return sheet(row, world, 0.8, 3e-6);
}

}  // namespace

Kind attention_kind() {
  return {"attention",
          [](const Row& row) { return row.kind == "attention"; },
          predict,
          {{"data-sheet roofline", roofline}, {"0.8 x the sheet + 3 us", sol}},
          {"attention"}};
}

}  // namespace gpuvet::accuracy
