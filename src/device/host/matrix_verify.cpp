// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cmath>
#include <mutex>
#include <numeric>
#include <vector>

#include "device/host/matrix_multiply.hpp"
#include "device/host/numbers.hpp"
#include "device/matrix_check.hpp"

namespace gpuvet::device::host {
namespace {

static_assert(check_vectors == 2, "the loops below carry two vectors at once");

constexpr std::int64_t chunk = 1024;  ///< elements of a row in fp64 that stay in the first cache

std::byte* bytes(Range range) { return reinterpret_cast<std::byte*>(range.address); }

/// The two random vectors, or what became of them.
struct Pair {
  explicit Pair(std::int64_t count)
      : first(static_cast<std::size_t>(count)), second(static_cast<std::size_t>(count)) {}
  std::vector<double> first, second;
};

Pair signs(std::uint64_t seed, std::int64_t count) {
  Pair out(count);
  const auto key = element_key(seed);
  for (std::size_t i = 0; i < out.first.size(); ++i) {
    out.first[i] = check_sign(key, i, 0);
    out.second[i] = check_sign(key, i, 1);
  }
  return out;
}

class Check {
 public:
  Check(const Product& p, std::uint64_t seed, Team& team, const MatrixKernels& kernels)
      : p_{p}, team_{team}, kernels_{kernels}, r_{signs(seed, p.n)}, b_r_{p.k} {}

  void run(ProductCheck& out) {
    multiply_b();
    std::mutex lock;
    team_.run([&](std::size_t member) {
      const auto mine = share_of(static_cast<std::uint64_t>(p_.m), team_.size(), member);
      ProductCheck own;
      for (auto row = mine.first; row < mine.last; ++row)
        check_row(static_cast<std::int64_t>(row), own);
      const std::lock_guard guard(lock);
      add(own, out);
    });
  }

 private:
  /// bᵀ r and the norm of b. Members take columns, so that no two write the same sum.
  void multiply_b() {
    const auto width = static_cast<std::int64_t>(operand_bytes(p_.precision));
    std::vector<double> squares(team_.size());
    team_.run([&](std::size_t member) {
      constexpr std::int64_t line = 64;
      const auto mine =
          share_of(static_cast<std::uint64_t>((p_.k + line - 1) / line), team_.size(), member);
      const auto last = std::min(p_.k, static_cast<std::int64_t>(mine.last) * line);
      double row[chunk], square = 0;
      for (auto k = static_cast<std::int64_t>(mine.first) * line; k < last; k += chunk) {
        const auto count = std::min(chunk, last - k);
        for (std::int64_t n = 0; n < p_.n; ++n) {
          const auto i = static_cast<std::size_t>(n);
          widen(p_.precision, bytes(p_.b) + (n * p_.k + k) * width, count, row);
          square += kernels_.add_scaled(row, r_.first[i], r_.second[i], count,
                                        b_r_.first.data() + k, b_r_.second.data() + k);
        }
      }
      squares[member] = square;
    });
    norm_of_b_ = std::sqrt(std::accumulate(squares.begin(), squares.end(), 0.0));
  }

  template <class Widen>
  Dots dots(std::int64_t length, const Pair& vectors, Widen widen_at) const {
    double row[chunk];
    Dots out;
    for (std::int64_t i = 0; i < length; i += chunk) {
      const auto count = std::min(chunk, length - i);
      widen_at(i, count, row);
      const auto part =
          kernels_.dots(row, vectors.first.data() + i, vectors.second.data() + i, count);
      out.first += part.first;
      out.second += part.second;
      out.square += part.square;
    }
    return out;
  }

  void check_row(std::int64_t row, ProductCheck& out) const {
    const auto of = static_cast<std::int64_t>(operand_bytes(p_.precision));
    const auto to = static_cast<std::int64_t>(result_bytes(p_.precision));
    const auto due = dots(p_.k, b_r_, [&](std::int64_t i, std::int64_t count, double* wide) {
      widen(p_.precision, bytes(p_.a) + (row * p_.k + i) * of, count, wide);
    });
    const auto found = dots(p_.n, r_, [&](std::int64_t i, std::int64_t count, double* wide) {
      widen_result(p_.precision, bytes(p_.c) + (row * p_.n + i) * to, count, wide);
    });
    const double bound = rounding_bound(p_.precision, p_.exact, p_.n, p_.k, std::sqrt(due.square),
                                        norm_of_b_, std::sqrt(found.square));
    const double first = found.first - due.first, second = found.second - due.second;
    ++out.rows;
    out.worst = std::max({out.worst, relative_to(first, bound), relative_to(second, bound)});
    if (!beyond(first, bound) && !beyond(second, bound)) return;
    ++out.wrong;
    if (!std::isfinite(found.first)) ++out.not_finite;
    if (out.first < 0) out.first = row;
  }

  static void add(const ProductCheck& own, ProductCheck& out) {
    out.rows += own.rows;
    out.wrong += own.wrong;
    out.not_finite += own.not_finite;
    if (own.first >= 0 && (out.first < 0 || own.first < out.first)) out.first = own.first;
    out.worst = std::max(out.worst, own.worst);
  }

  const Product& p_;
  Team& team_;
  const MatrixKernels& kernels_;
  Pair r_, b_r_;
  double norm_of_b_ = 0;
};

}  // namespace

void verify(const Product& product, std::uint64_t seed, Team& team, const MatrixKernels& kernels,
            ProductCheck& out) {
  Check(product, seed, team, kernels).run(out);
}

}  // namespace gpuvet::device::host
