// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/matrix.hpp"

#include <cstring>

#include "device/cuda/cublaslt.hpp"
#include "device/cuda/cuda.hpp"
#include "device/cuda/errors.hpp"
#include "device/cuda/matrix_work.hpp"

namespace gpuvet::device {
namespace {

using cuda::said;

static_assert(sizeof(cuda::CheckCounters) <= sizeof(cuda::Findings));

void* pointer(std::uint64_t address) { return reinterpret_cast<void*>(address); }

/// Sizes that fit each other, addresses that kernels can load 16 bytes from.
Result<cuda::Operands> operands_of(const Product& p) {
  if (p.m <= 0 || p.n <= 0 || p.k <= 0 || p.m % 16 != 0 || p.n % 16 != 0 || p.k % 16 != 0)
    return fail(Errc::usage, "a product's m, n and k are multiples of 16");
  const auto bytes = [](std::int64_t rows, std::int64_t columns, std::uint64_t each) {
    return static_cast<std::uint64_t>(rows) * static_cast<std::uint64_t>(columns) * each;
  };
  if (p.a.bytes != bytes(p.m, p.k, operand_bytes(p.precision)) ||
      p.b.bytes != bytes(p.n, p.k, operand_bytes(p.precision)) ||
      p.c.bytes != bytes(p.m, p.n, result_bytes(p.precision)))
    return fail(Errc::usage, "a product's matrices are not of its size");
  if ((p.a.address | p.b.address | p.c.address) % 16 != 0)
    return fail(Errc::usage, "a product's matrices begin at multiples of 16");
  if (p.exact && p.k > exact_limit(p.precision))
    return fail(Errc::usage, "so large a k is not exact in this precision");
  return cuda::Operands{
      pointer(p.a.address), pointer(p.b.address), pointer(p.c.address), p.m, p.n, p.k};
}

void take_counters(const cuda::Findings& found, std::int64_t rows, ProductCheck& out) {
  cuda::CheckCounters counters;
  std::memcpy(&counters, &found, sizeof counters);
  out.rows += static_cast<std::uint64_t>(rows);
  out.wrong += counters.wrong;
  out.not_finite += counters.not_finite;
  const auto first = static_cast<std::int64_t>(~counters.first);
  if (counters.wrong != 0 && (out.first < 0 || first < out.first)) out.first = first;
  double worst = 0;
  std::memcpy(&worst, &counters.worst, sizeof worst);
  if (worst > out.worst) out.worst = worst;
}

}  // namespace

namespace cuda {

MatrixWork::~MatrixWork() {
  if (device_.hangs()) {
    (void)library_.release();
    return;
  }
  library_.reset();
  if (scratch_ != nullptr) cudaFree(scratch_);
  cudaGetLastError();
}

Result<Cublas*> MatrixWork::library() {
  if (!library_) {
    auto opened = Cublas::open();
    if (!opened) return tl::make_unexpected(opened.error());
    library_ = std::move(*opened);
  }
  return library_.get();
}

Result<void*> MatrixWork::scratch(std::uint64_t bytes, cudaStream_t stream) {
  if (bytes <= scratch_bytes_) return scratch_;
  // What is enqueued still uses the old one.
  GPUVET_CHECK(said(cudaStreamSynchronize(stream), "waiting for checks"));
  if (scratch_ != nullptr) GPUVET_CHECK(said(cudaFree(scratch_), "scratch memory"));
  scratch_ = nullptr;
  scratch_bytes_ = 0;
  GPUVET_CHECK(said(cudaMalloc(&scratch_, bytes), "scratch memory of a check"));
  scratch_bytes_ = bytes;
  return scratch_;
}

}  // namespace cuda

std::vector<Precision> CudaDevice::precisions(MatrixEngine engine) const {
  std::vector<Precision> out;
  if (hangs() || !select()) return out;
  const auto library = engine == MatrixEngine::library
                           ? cuda::Cublas::open()
                           : Result<std::unique_ptr<cuda::Cublas>>{nullptr};
  if (!library) return out;
  for (const auto precision : {Precision::fp64, Precision::fp32, Precision::tf32, Precision::bf16,
                               Precision::fp16, Precision::fp8, Precision::int8})
    if (engine == MatrixEngine::library ? (*library)->has(precision) : cuda::own_has(precision))
      out.push_back(precision);
  return out;
}

cuda::MatrixWork& CudaStream::matrices() {
  if (!matrices_) matrices_ = std::make_shared<cuda::MatrixWork>(device_);
  return *matrices_;
}

Result<void> CudaStream::fill_matrix(Range to, Precision precision, Values values,
                                     std::uint64_t seed) {
  GPUVET_CHECK(ready({to}));
  return said(cuda::launch_fill_matrix(pointer(to.address), to.bytes / operand_bytes(precision),
                                       precision, values, seed, stream_),
              "filling of a matrix");
}

Result<void> CudaStream::multiply(const Product& product) {
  for (const auto& range : {product.a, product.b, product.c}) GPUVET_CHECK(ready({range}));
  const auto operands = operands_of(product);
  if (!operands) return tl::make_unexpected(operands.error());
  if (product.engine == MatrixEngine::library) {
    const auto library = matrices().library();
    if (!library) return tl::make_unexpected(library.error());
    return (*library)->multiply(product.precision, *operands, stream_);
  }
  if (!cuda::own_has(product.precision))
    return fail(Errc::not_supported, "gpuvet's own kernel has no " +
                                         std::string{name(product.precision)} + " on this GPU");
  return said(cuda::launch_own(product.precision, *operands, stream_), "gpuvet's own product");
}

Result<void> CudaStream::verify(const Product& product, std::uint64_t seed, ProductCheck& out) {
  for (const auto& range : {product.a, product.b, product.c}) GPUVET_CHECK(ready({range}));
  const auto operands = operands_of(product);
  if (!operands) return tl::make_unexpected(operands.error());
  const auto scratch = matrices().scratch(cuda::check_scratch(*operands), stream_);
  if (!scratch) return tl::make_unexpected(scratch.error());
  return pool_.run(
      stream_,
      [&](cuda::Findings* place) {
        return cuda::launch_check(product.precision, product.exact, *operands, seed, *scratch,
                                  reinterpret_cast<cuda::CheckCounters*>(place), stream_);
      },
      [rows = product.m, &out](const cuda::Findings& found) { take_counters(found, rows, out); });
}

}  // namespace gpuvet::device
