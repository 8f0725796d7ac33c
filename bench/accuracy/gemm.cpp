// SPDX-License-Identifier: Apache-2.0
// Rows of kind gemm: m, n, k in params ("m=1;n=2;k=3", "shape=1x2x3") or in the workload's words,
// a time or a rate of operations. And rows of kind hbm whose bandwidth is that of a product.
#include <algorithm>
#include <array>
#include <cmath>

#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Precision;

/// "1024x10240x5120" somewhere in `text`.
std::optional<std::array<double, 3>> shape_in(std::string_view text) {
  for (const auto word : split(text, ' ')) {
    const auto parts = split(word, 'x');
    if (parts.size() != 3) continue;
    std::array<double, 3> out{};
    bool numbers = true;
    for (std::size_t i = 0; i < 3; ++i) {
      const auto n = parse_number(trim(parts[i]));
      numbers = numbers && n && *n >= 1;
      out[i] = n.value_or(0);
    }
    if (numbers) return out;
  }
  return {};
}

std::optional<double> either(const Row& row, std::string_view a, std::string_view b) {
  const auto first = row.number(a);
  return first ? first : row.number(b);
}

/// A product with one row, that streams a matrix; tables also have it as a bandwidth.
bool streams(const Row& row) { return contains_ignoring_case(row.workload, "gemv"); }

/// The product's shape; nothing where the row is about the best of many.
std::optional<std::array<double, 3>> shape_of(const Row& row) {
  const std::optional<double> one = streams(row) ? std::optional(1.0) : std::nullopt;
  const auto m = one ? one : either(row, "m", "M"), n = either(row, "n", "N"),
             k = either(row, "k", "K");
  if (m && n && k) return {{*m, *n, *k}};
  for (const auto& [key, value] : row.params)
    if (const auto shape = shape_in(value)) return shape;
  return shape_in(row.workload);
}

std::string said(const Row& row) {
  std::string out = row.workload + " " + row.metric;
  for (const auto& [key, value] : row.params) out += " " + key + " " + value;
  return lower(out);
}

bool by_tensor_cores(std::string_view words) {
  return contains(words, "tc") || contains(words, "tensor");
}

/// The type that the row names; without one, bf16.
Precision precision_of(std::string_view words) {
  constexpr std::array<std::pair<std::string_view, Precision>, 10> names = {
      {{"fp64", Precision::fp64},
       {"tf32", Precision::tf32},
       {"fp32", Precision::fp32},
       {"bf16", Precision::bf16},
       {"bfloat16", Precision::bf16},
       {"fp16", Precision::fp16},
       {"float16", Precision::fp16},
       {"fp8", Precision::fp8},
       {"float8", Precision::fp8},
       {"int8", Precision::int8}}};
  for (const auto& [name, precision] : names)
    if (contains(words, name)) return precision;
  return Precision::bf16;
}

struct Question {
  std::vector<model::Gemm> of;  ///< the fastest in operations per second counts
  std::string framework;
  bool plain_fp64 = false;
};

Question question_of(const Row& row) {
  const std::string words = said(row);
  Question out;
  model::Gemm gemm;
  gemm.precision = precision_of(words);
  if (contains(words, "vllm") || streams(row)) {
    gemm.library = model::Library::vllm_2025;
    out.framework = "vllm";
  } else if (contains(words, "_proj")) {
    gemm.library = model::Library::torch_2023;
    out.framework = "vidur";
  } else {
    out.framework = contains(words, "mamf") || contains(words, "achievable") ? "mamf" : "cublas";
  }
  out.plain_fp64 = gemm.precision == Precision::fp64 && !by_tensor_cores(words);
  if (const auto shape = shape_of(row)) {
    gemm.m = (*shape)[0];
    gemm.n = (*shape)[1];
    gemm.k = (*shape)[2];
    out.of = {gemm};
  } else {
    for (const double side : {4096.0, 8192.0, 16384.0}) {
      gemm.m = gemm.n = gemm.k = side;
      out.of.push_back(gemm);
    }
  }
  return out;
}

/// Operations a second of the fastest, and which it is.
std::pair<double, model::Gemm> fastest(const Question& q, const model::Gpu& gpu,
                                       const World& world) {
  std::pair<double, model::Gemm> best;
  for (const auto& g : q.of) {
    const double rate = 2 * g.m * g.n * g.k / world.models.kernels.gemm(gpu, g).base();
    if (rate > best.first) best = {rate, g};
  }
  return best;
}

/// A time, a rate of operations or the rate at which the second operand streams, as the row has it.
model::Answer<double> as_asked(const Row& row, const Question& q, double rate, double operations) {
  if (contains_ignoring_case(row.metric, "time") || contains_ignoring_case(row.metric, "latency"))
    return q.of.size() == 1 ? model::Answer<double>(operations / rate)
                            : model::refuse("the row does not give m, n and k");
  if (contains_ignoring_case(row.metric, "bandwidth") && q.of.size() == 1)
    return q.of[0].n * q.of[0].k * model::element(q.of[0].precision).base() * rate / operations;
  if (!contains_ignoring_case(row.unit, "flop") && !contains_ignoring_case(row.unit, "tops"))
    return model::refuse("what " + row.metric + " in " + row.unit + " of a product means");
  return rate * row.scale / (row.scale < 1e6 ? 1e12 : row.scale);
}

/// What bounds it: families whose errors differ.
std::string_view family_of(const model::Gpu& gpu, const model::Gemm& g) {
  const double bytes = (g.m * g.k + g.k * g.n + g.m * g.n) * model::element(g.precision).base();
  const double compute = 2 * g.m * g.n * g.k / gpu.peak(g.precision).base();
  const double memory = bytes / gpu.memory_bandwidth.base();
  if (compute < 0.35 * memory) return "gemm.streaming";
  return g.m * g.n / (128 * 256) > 6 * gpu.sm ? "gemm.large" : "gemm.medium";
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  GPUVET_ANSWER(auto gpu, gpu_of(row, world));
  const auto question = question_of(row);
  const auto precision = question.of.front().precision;
  if (gpu.peak(precision).base() <= 0)
    return model::refuse("the catalogue has no rate of " + gpu.id + " in " +
                         std::string(model::name(precision)));
  if (question.plain_fp64 && gpu.peak(Precision::fp64) > 1.5 * gpu.peak(Precision::fp32))
    return model::refuse("the rate without tensor cores is unknown");
  if (question.plain_fp64 && gpu.architecture != "Volta")
    gpu.dense[static_cast<std::size_t>(Precision::fp64)] = 0.5 * gpu.peak(Precision::fp64);
  const auto [rate, gemm] = fastest(question, gpu, world);
  const double operations = 2 * gemm.m * gemm.n * gemm.k;
  GPUVET_ANSWER(const double value, as_asked(row, question, rate, operations));
  return model::Estimate{std::string(family_of(gpu, gemm)),
                         value,
                         {gpu.id, question.framework, "single", operations},
                         1,
                         {}};
}

/// Seconds of the sheet's figures times `share` plus `start`, in the row's terms.
model::Answer<double> sheet(const Row& row, const World& world, double peak, double bandwidth,
                            double start) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  const auto question = question_of(row);
  const auto& g = question.of.back();
  if (gpu.peak(g.precision).base() <= 0) return model::refuse("no rate");
  const double bytes = (g.m * g.k + g.k * g.n + g.m * g.n) * model::element(g.precision).base();
  const double operations = 2 * g.m * g.n * g.k;
  const double seconds = start + std::max(operations / (peak * gpu.peak(g.precision).base()),
                                          bytes / (bandwidth * gpu.memory_bandwidth.base()));
  return as_asked(row, question, operations / seconds, operations);
}

model::Answer<double> roofline(const Row& row, const World& world, const std::vector<const Row*>&) {
  return sheet(row, world, 1, 1, 0);
}

model::Answer<double> sol(const Row& row, const World& world, const std::vector<const Row*>&) {
  return sheet(row, world, 0.8, 0.8, 3e-6);
}

}  // namespace

Kind gemm_kind() {
  return {"gemm",
          [](const Row& row) { return row.kind == "gemm" || (row.kind == "hbm" && streams(row)); },
          predict,
          {{"data-sheet roofline", roofline}, {"0.8 x the sheet + 3 us", sol}},
          {"gemm"}};
}

}  // namespace gpuvet::accuracy
