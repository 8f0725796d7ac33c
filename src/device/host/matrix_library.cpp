// SPDX-License-Identifier: Apache-2.0
// OpenBLAS, opened where it is there.
#include "device/host/matrix_multiply.hpp"
#include "platform/library.hpp"

namespace gpuvet::device::host {
namespace {

// cblas.h's, as the ABI has them.
constexpr int row_major = 101, as_is = 111, transposed = 112;
using Sgemm = void(int, int, int, int, int, int, float, const float*, int, const float*, int, float,
                   float*, int);
using Dgemm = void(int, int, int, int, int, int, double, const double*, int, const double*, int,
                   double, double*, int);
using SetThreads = void(int);

struct OpenBlas {
  platform::Library library;
  Sgemm* sgemm;
  Dgemm* dgemm;
  SetThreads* set_threads;
};

const Result<OpenBlas>& open_blas() {
  static const Result<OpenBlas> out = []() -> Result<OpenBlas> {
    GPUVET_TRY(auto library, platform::Library::open({"libopenblas.so.0", "libopenblas.so"}));
    auto* sgemm = library.symbol<Sgemm>("cblas_sgemm");
    auto* dgemm = library.symbol<Dgemm>("cblas_dgemm");
    auto* threads = library.symbol<SetThreads>("openblas_set_num_threads");
    if (sgemm == nullptr || dgemm == nullptr || threads == nullptr)
      return fail(Errc::not_supported, library.name() + " lacks its C interface");
    return OpenBlas{std::move(library), sgemm, dgemm, threads};
  }();
  return out;
}

template <class T>
T* as(Range range) {
  return reinterpret_cast<T*>(range.address);
}

}  // namespace

bool has_matrix_library() { return open_blas().has_value(); }

Result<void> multiply_by_library(const Product& p, int threads) {
  const auto& blas = open_blas();
  if (!blas) return tl::make_unexpected(blas.error());
  const auto m = static_cast<int>(p.m), n = static_cast<int>(p.n), k = static_cast<int>(p.k);
  blas->set_threads(threads);
  if (p.precision == Precision::fp64)
    blas->dgemm(row_major, as_is, transposed, m, n, k, 1, as<const double>(p.a), k,
                as<const double>(p.b), k, 0, as<double>(p.c), n);
  else if (p.precision == Precision::fp32 || p.precision == Precision::tf32)
    blas->sgemm(row_major, as_is, transposed, m, n, k, 1, as<const float>(p.a), k,
                as<const float>(p.b), k, 0, as<float>(p.c), n);
  else
    return fail(Errc::not_supported, "OpenBLAS has no " + std::string(name(p.precision)));
  return {};
}

}  // namespace gpuvet::device::host
