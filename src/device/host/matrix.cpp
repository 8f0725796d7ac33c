// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "device/host/host.hpp"
#include "device/host/matrix_multiply.hpp"
#include "device/matrix_values.hpp"

namespace gpuvet::device {
namespace {

Result<void> sound(const Product& p) {
  for (const auto side : {p.m, p.n, p.k})
    if (side <= 0 || side % 16 != 0)
      return fail(Errc::usage, "sides of matrices are multiples of 16");
  const auto elements = [](std::int64_t rows, std::int64_t columns) {
    return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns);
  };
  if (p.a.bytes < elements(p.m, p.k) * operand_bytes(p.precision) ||
      p.b.bytes < elements(p.n, p.k) * operand_bytes(p.precision) ||
      p.c.bytes < elements(p.m, p.n) * result_bytes(p.precision))
    return fail(Errc::usage, "a matrix larger than its memory");
  return {};
}

}  // namespace

namespace host {

const MatrixKernels& matrix_kernels() {
  static const MatrixKernels& best = []() -> const MatrixKernels& {
    if (__builtin_cpu_supports("avx512f") != 0) return avx512_kernels;
    if (__builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0)
      return avx2_kernels;
    return plain_kernels;
  }();
  return best;
}

}  // namespace host

std::vector<Precision> HostDevice::precisions(MatrixEngine engine) const {
  if (engine == MatrixEngine::library) {
    if (!host::has_matrix_library()) return {};
    return {Precision::fp64, Precision::fp32, Precision::tf32};
  }
  return {Precision::fp64, Precision::fp32, Precision::tf32, Precision::bf16,
          Precision::fp16, Precision::fp8,  Precision::int8};
}

Result<void> HostStream::fill_matrix(Range to, Precision precision, Values values,
                                     std::uint64_t seed) {
  const auto width = operand_bytes(precision);
  return enqueue(to.bytes / 8, [=](std::uint64_t first, std::uint64_t last) {
    write_elements(precision, values, element_key(seed), first * 8 / width,
                   (last - first) * 8 / width,
                   reinterpret_cast<std::byte*>(to.address) + first * 8);
  });
}

Result<void> HostStream::multiply(const Product& product) {
  GPUVET_CHECK(sound(product));
  const auto there = device_.precisions(product.engine);
  if (std::find(there.begin(), there.end(), product.precision) == there.end())
    return fail(Errc::not_supported, "no products of " + std::string(name(product.precision)) +
                                         " by this engine on the host");
  queue_.push([this, product]() -> Result<void> {
    auto& team = device_.team();
    if (product.engine == MatrixEngine::library)
      return host::multiply_by_library(product, static_cast<int>(team.size()));
    host::multiply(product, team, host::matrix_kernels());
    return {};
  });
  return {};
}

Result<void> HostStream::verify(const Product& product, std::uint64_t seed, ProductCheck& out) {
  GPUVET_CHECK(sound(product));
  queue_.push([this, product, seed, &out]() -> Result<void> {
    host::verify(product, seed, device_.team(), host::matrix_kernels(), out);
    return {};
  });
  return {};
}

}  // namespace gpuvet::device
