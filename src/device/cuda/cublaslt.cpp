// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cublaslt.hpp"

#include <cublasLt.h>

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

#include "device/cuda/errors.hpp"
#include "platform/library.hpp"

namespace gpuvet::device::cuda {
namespace {

constexpr std::size_t scratch_bytes = std::size_t{64} << 20U;  // what the vendor advises, twice
constexpr int candidates = 8;
constexpr double search_seconds = 1;  // spent on trying them, about

/// The library's functions.
struct Functions {
  explicit Functions(const platform::Library& from)
      : create{from.symbol<decltype(cublasLtCreate)>("cublasLtCreate")},
        destroy{from.symbol<decltype(cublasLtDestroy)>("cublasLtDestroy")},
        version{from.symbol<decltype(cublasLtGetVersion)>("cublasLtGetVersion")},
        create_product{from.symbol<decltype(cublasLtMatmulDescCreate)>("cublasLtMatmulDescCreate")},
        set_product{from.symbol<decltype(cublasLtMatmulDescSetAttribute)>(
            "cublasLtMatmulDescSetAttribute")},
        destroy_product{
            from.symbol<decltype(cublasLtMatmulDescDestroy)>("cublasLtMatmulDescDestroy")},
        create_layout{
            from.symbol<decltype(cublasLtMatrixLayoutCreate)>("cublasLtMatrixLayoutCreate")},
        destroy_layout{
            from.symbol<decltype(cublasLtMatrixLayoutDestroy)>("cublasLtMatrixLayoutDestroy")},
        create_wish{from.symbol<decltype(cublasLtMatmulPreferenceCreate)>(
            "cublasLtMatmulPreferenceCreate")},
        set_wish{from.symbol<decltype(cublasLtMatmulPreferenceSetAttribute)>(
            "cublasLtMatmulPreferenceSetAttribute")},
        destroy_wish{from.symbol<decltype(cublasLtMatmulPreferenceDestroy)>(
            "cublasLtMatmulPreferenceDestroy")},
        suggest{from.symbol<decltype(cublasLtMatmulAlgoGetHeuristic)>(
            "cublasLtMatmulAlgoGetHeuristic")},
        multiply{from.symbol<decltype(cublasLtMatmul)>("cublasLtMatmul")} {}

  [[nodiscard]] bool complete() const {
    return create && destroy && version && create_product && set_product && destroy_product &&
           create_layout && destroy_layout && create_wish && set_wish && destroy_wish && suggest &&
           multiply;
  }

  decltype(cublasLtCreate)* create;
  decltype(cublasLtDestroy)* destroy;
  decltype(cublasLtGetVersion)* version;
  decltype(cublasLtMatmulDescCreate)* create_product;
  decltype(cublasLtMatmulDescSetAttribute)* set_product;
  decltype(cublasLtMatmulDescDestroy)* destroy_product;
  decltype(cublasLtMatrixLayoutCreate)* create_layout;
  decltype(cublasLtMatrixLayoutDestroy)* destroy_layout;
  decltype(cublasLtMatmulPreferenceCreate)* create_wish;
  decltype(cublasLtMatmulPreferenceSetAttribute)* set_wish;
  decltype(cublasLtMatmulPreferenceDestroy)* destroy_wish;
  decltype(cublasLtMatmulAlgoGetHeuristic)* suggest;
  decltype(cublasLtMatmul)* multiply;
};

struct Opened {
  platform::Library library;
  Functions functions;
};

/// Opened once and kept: it takes half a gigabyte of address space and a while.
const Result<Opened>& opened() {
  static const Result<Opened> found = []() -> Result<Opened> {
    auto library =
        platform::Library::open({"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11",
                                 "/usr/local/cuda/lib64/libcublasLt.so"});
    if (!library) return fail(Errc::not_supported, "no cuBLASLt: " + library.error().message());
    const Functions functions{*library};
    if (!functions.complete())
      return fail(Errc::not_supported, library->name() + " lacks functions of cuBLASLt");
    return Opened{std::move(*library), functions};
  }();
  return found;
}

/// What the library calls a precision.
struct Types {
  cudaDataType_t operand, result;
  cublasComputeType_t sums;
  cudaDataType_t scale;
};

Types types_of(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return {CUDA_R_64F, CUDA_R_64F, CUBLAS_COMPUTE_64F, CUDA_R_64F};
    case Precision::fp32:
      return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F, CUDA_R_32F};
    case Precision::tf32:
      return {CUDA_R_32F, CUDA_R_32F, CUBLAS_COMPUTE_32F_FAST_TF32, CUDA_R_32F};
    case Precision::bf16:
      return {CUDA_R_16BF, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F};
    case Precision::fp16:
      return {CUDA_R_16F, CUDA_R_16F, CUBLAS_COMPUTE_32F, CUDA_R_32F};
    case Precision::fp8:
      return {CUDA_R_8F_E4M3, CUDA_R_16BF, CUBLAS_COMPUTE_32F, CUDA_R_32F};
    case Precision::int8:
      break;
  }
  return {CUDA_R_8I, CUDA_R_32I, CUBLAS_COMPUTE_32I, CUDA_R_32I};
}

/// A product described to the library. It counts columns first, so that it is told of cᵀ = b aᵀ:
/// our b, read its way, is bᵀ and needs turning, our a is aᵀ already.
class Description {
 public:
  Description(Precision precision, std::int64_t m, std::int64_t n, std::int64_t k)
      : use_{opened()->functions} {
    const Types types = types_of(precision);
    const cublasOperation_t turned = CUBLAS_OP_T;
    const auto rows = static_cast<std::uint64_t>(n), columns = static_cast<std::uint64_t>(m),
               depth = static_cast<std::uint64_t>(k);
    good_ = good(use_.create_product(&product_, types.sums, types.scale)) &&
            good(use_.set_product(product_, CUBLASLT_MATMUL_DESC_TRANSA, &turned, sizeof turned)) &&
            good(use_.create_layout(&b_, types.operand, depth, rows, k)) &&
            good(use_.create_layout(&a_, types.operand, depth, columns, k)) &&
            good(use_.create_layout(&c_, types.result, rows, columns, n)) &&
            good(use_.create_wish(&wish_));
    if (!good_) return;
    if (precision == Precision::fp8) {  // as training and serving use it; unknown before 11.8
      const std::int8_t fast = 1;
      (void)use_.set_product(product_, CUBLASLT_MATMUL_DESC_FAST_ACCUM, &fast, sizeof fast);
    }
    const std::size_t bytes = scratch_bytes;
    // Parts of k may be added in the precision of the sums only: the check's bound counts on it.
    const std::uint32_t reductions = CUBLASLT_REDUCTION_SCHEME_COMPUTE_TYPE;
    good_ = good(use_.set_wish(wish_, CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES, &bytes,
                               sizeof bytes)) &&
            good(use_.set_wish(wish_, CUBLASLT_MATMUL_PREF_REDUCTION_SCHEME_MASK, &reductions,
                               sizeof reductions));
  }
  Description(const Description&) = delete;
  Description& operator=(const Description&) = delete;
  ~Description() {
    if (wish_ != nullptr) (void)use_.destroy_wish(wish_);
    for (auto* layout : {a_, b_, c_})
      if (layout != nullptr) (void)use_.destroy_layout(layout);
    if (product_ != nullptr) (void)use_.destroy_product(product_);
  }

  /// Best first, as the library guesses.
  [[nodiscard]] std::vector<cublasLtMatmulAlgo_t> suggestions(void* handle) const {
    std::array<cublasLtMatmulHeuristicResult_t, candidates> found{};
    int count = 0;
    std::vector<cublasLtMatmulAlgo_t> out;
    if (!good_ || !good(use_.suggest(static_cast<cublasLtHandle_t>(handle), product_, b_, a_, c_,
                                     c_, wish_, candidates, found.data(), &count)))
      return out;
    for (int i = 0; i < count; ++i)
      if (good(found[static_cast<std::size_t>(i)].state))
        out.push_back(found[static_cast<std::size_t>(i)].algo);
    return out;
  }

  cublasStatus_t run(void* handle, Precision precision, const Operands& p,
                     const cublasLtMatmulAlgo_t& algorithm, void* scratch,
                     cudaStream_t stream) const {
    const double one64 = 1, zero64 = 0;
    const float one = 1, zero = 0;
    const std::int32_t whole_one = 1, whole_zero = 0;
    const void *alpha = &one, *beta = &zero;
    if (precision == Precision::fp64) alpha = &one64, beta = &zero64;
    if (precision == Precision::int8) alpha = &whole_one, beta = &whole_zero;
    return use_.multiply(static_cast<cublasLtHandle_t>(handle), product_, alpha, p.b, b_, p.a, a_,
                         beta, p.c, c_, p.c, c_, &algorithm, scratch, scratch_bytes, stream);
  }

 private:
  static bool good(cublasStatus_t status) { return status == CUBLAS_STATUS_SUCCESS; }

  const Functions& use_;
  cublasLtMatmulDesc_t product_ = nullptr;
  cublasLtMatrixLayout_t a_ = nullptr, b_ = nullptr, c_ = nullptr;
  cublasLtMatmulPreference_t wish_ = nullptr;
  bool good_ = false;
};

/// Seconds between two moments of a stream; none where something failed.
class Stopwatch {
 public:
  Stopwatch() { made_ = ok(cudaEventCreate(&begin_)) && ok(cudaEventCreate(&end_)); }
  Stopwatch(const Stopwatch&) = delete;
  Stopwatch& operator=(const Stopwatch&) = delete;
  ~Stopwatch() {
    if (begin_ != nullptr) (void)cudaEventDestroy(begin_);
    if (end_ != nullptr) (void)cudaEventDestroy(end_);
  }
  template <class Work>
  std::optional<double> time(cudaStream_t stream, const Work& work) {
    float milliseconds = 0;
    if (!made_ || !ok(cudaEventRecord(begin_, stream)) || !work() ||
        !ok(cudaEventRecord(end_, stream)) || !ok(cudaEventSynchronize(end_)) ||
        !ok(cudaEventElapsedTime(&milliseconds, begin_, end_)))
      return std::nullopt;
    return milliseconds / 1e3;
  }

 private:
  static bool ok(cudaError_t error) { return error == cudaSuccess; }
  cudaEvent_t begin_ = nullptr, end_ = nullptr;
  bool made_ = false;
};

using Key = std::tuple<std::string, Precision, std::int64_t, std::int64_t, std::int64_t>;
struct Choices {
  std::mutex mutex;
  std::map<Key, cublasLtMatmulAlgo_t> chosen;
};
Choices& choices() {
  static Choices all;
  return all;
}

}  // namespace

Result<std::unique_ptr<Cublas>> Cublas::open() {
  const auto& library = opened();
  if (!library) return tl::make_unexpected(library.error());
  std::unique_ptr<Cublas> out{new Cublas};
  cublasLtHandle_t handle = nullptr;
  if (library->functions.create(&handle) != CUBLAS_STATUS_SUCCESS)
    return fail(Errc::not_supported, library->library.name() + " refuses this GPU or driver");
  out->handle_ = handle;
  int device = 0;
  cudaDeviceProp properties{};
  if (cudaGetDevice(&device) != cudaSuccess ||
      cudaGetDeviceProperties(&properties, device) != cudaSuccess)
    return fail(Errc::vendor_failure, "the GPU does not say its name");
  out->gpu_ = properties.name;
  const std::size_t version = library->functions.version();
  // 130002, or 120103 before: major, minor and patch level of two digits each.
  out->name_ = library->library.name() + ' ' + std::to_string(version / 10000) + '.' +
               std::to_string(version / 100 % 100) + '.' + std::to_string(version % 100);
  return out;
}

Cublas::~Cublas() {
  if (scratch_ != nullptr) (void)cudaFree(scratch_);
  if (handle_ != nullptr) (void)opened()->functions.destroy(static_cast<cublasLtHandle_t>(handle_));
}

bool Cublas::has(Precision precision) const {
  return !Description{precision, 1024, 1024, 1024}.suggestions(handle_).empty();
}

Result<void> Cublas::multiply(Precision precision, const Operands& p, cudaStream_t stream) {
  if (scratch_ == nullptr)
    GPUVET_CHECK(said(cudaMalloc(&scratch_, scratch_bytes), "scratch memory of cuBLASLt"));
  const Description description{precision, p.m, p.n, p.k};
  const auto run = [&](const cublasLtMatmulAlgo_t& algorithm) {
    return description.run(handle_, precision, p, algorithm, scratch_, stream) ==
           CUBLAS_STATUS_SUCCESS;
  };
  std::lock_guard lock{choices().mutex};
  const Key key{gpu_, precision, p.m, p.n, p.k};
  auto at = choices().chosen.find(key);
  if (at == choices().chosen.end()) {
    std::optional<cublasLtMatmulAlgo_t> best;
    double shortest = 0, spent = 0;
    Stopwatch watch;
    for (const auto& algorithm : description.suggestions(handle_)) {
      if (best && spent + 2 * shortest > search_seconds) break;
      if (!watch.time(stream, [&] { return run(algorithm); })) continue;  // loads its code
      const auto seconds = watch.time(stream, [&] { return run(algorithm); });
      if (!seconds) continue;
      spent += 2 * *seconds;
      if (!best || *seconds < shortest) best = algorithm, shortest = *seconds;
    }
    if (!best)
      return fail(Errc::not_supported, name_ + " has no kernel for this " +
                                           std::string{device::name(precision)} +
                                           " product on this GPU");
    at = choices().chosen.emplace(key, *best).first;
  }
  if (!run(at->second)) return fail(Errc::vendor_failure, name_ + " refused a product");
  return {};
}

}  // namespace gpuvet::device::cuda
