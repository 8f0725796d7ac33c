// SPDX-License-Identifier: Apache-2.0
#include "device/host/matrix_multiply.hpp"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <type_traits>
#include <vector>

#include "device/host/numbers.hpp"

namespace gpuvet::device::host {
namespace {

/// Steps of k at once: b's panel of one tile stays in the first cache, a's strip in the second. Up
/// to 1024 a block of int8 products is exact in fp32 (127² × 1024 < 2^24).
constexpr std::int64_t depth = 192;
constexpr std::int64_t most_rows = 192;

std::int64_t up(std::int64_t value, std::int64_t step) { return (value + step - 1) / step * step; }
std::size_t size(std::int64_t value) { return static_cast<std::size_t>(value); }

/// A matrix of `rows` × k, packed: for each block of k, for each panel of `width` rows, the panel's
/// elements step by step. Rows that the last panel lacks are 0.
template <class T>
struct Packed {
  Packed(std::int64_t rows, std::int64_t k_, std::int64_t width_)
      : k{k_}, width{width_}, padded{up(rows, width_)}, data(size(padded * k_)) {}

  [[nodiscard]] T* panel(std::int64_t block, std::int64_t row) {
    return data.data() + block * padded + row * std::min(depth, k - block);
  }

  /// `count` rows of `from` become the panel at `row`.
  void pack(Precision precision, const std::byte* from, std::int64_t row, std::int64_t count) {
    const auto bytes = static_cast<std::int64_t>(operand_bytes(precision));
    T wide[depth];
    for (std::int64_t block = 0; block < k; block += depth) {
      const auto steps = std::min(depth, k - block);
      T* to = panel(block, row);
      for (std::int64_t r = 0; r < width; ++r) {
        if (r < count)
          widen(precision, from + (r * k + block) * bytes, steps, wide);
        else
          std::fill(wide, wide + steps, T{});
        for (std::int64_t s = 0; s < steps; ++s) to[s * width + r] = wide[s];
      }
    }
  }

  std::int64_t k, width, padded;
  std::vector<T> data;
};

/// What a member works in.
template <class T>
struct Strip {
  Strip(std::int64_t rows, std::int64_t k, int width, std::int64_t columns)
      : a{rows, k, width}, sums(size(a.padded * columns)) {}
  Packed<T> a;
  std::vector<T> sums;
  std::vector<std::int32_t> whole;  ///< of int8: sums of all blocks so far
};

template <class T>
using Tile = void (*)(std::int64_t, const T*, const T*, T*, std::int64_t);

template <class T>
class Multiplication {
 public:
  Multiplication(const Product& p, Team& team, int rows, int columns, Tile<T> tile)
      : p_{p}, team_{team}, rows_{rows}, columns_{columns}, tile_{tile}, b_{p.n, p.k, columns} {
    // As many strips of equal height as keep every member busy to the end.
    const auto members = static_cast<std::int64_t>(team.size());
    const auto strips = members * ((p.m + members * most_rows - 1) / (members * most_rows));
    height_ = std::min(up((p.m + strips - 1) / strips, rows), up(p.m, rows));
    strips_ = (p.m + height_ - 1) / height_;
    for (std::size_t i = 0; i < team.size(); ++i) own_.emplace_back(height_, p.k, rows, b_.padded);
    if (p.precision == Precision::int8)
      for (auto& strip : own_) strip.whole.resize(strip.sums.size());
  }

  void run() {
    std::atomic<std::int64_t> next = 0;
    team_.run([&](std::size_t) {
      for (std::int64_t row; (row = columns_ * next++) < p_.n;)
        b_.pack(p_.precision, bytes(p_.b) + row * p_.k * width(), row,
                std::min<std::int64_t>(columns_, p_.n - row));
    });
    next = 0;
    team_.run([&](std::size_t member) {
      for (std::int64_t i; (i = next++) < strips_;) strip(own_[member], i * height_);
    });
  }

 private:
  static std::byte* bytes(Range range) { return reinterpret_cast<std::byte*>(range.address); }
  [[nodiscard]] std::int64_t width() const {
    return static_cast<std::int64_t>(operand_bytes(p_.precision));
  }

  void strip(Strip<T>& own, std::int64_t first) {
    const auto count = std::min(height_, p_.m - first);
    for (std::int64_t r = 0; r < count; r += rows_)
      own.a.pack(p_.precision, bytes(p_.a) + (first + r) * p_.k * width(), r,
                 std::min<std::int64_t>(rows_, count - r));
    std::fill(own.sums.begin(), own.sums.end(), T{});
    std::fill(own.whole.begin(), own.whole.end(), 0);
    for (std::int64_t block = 0; block < p_.k; block += depth) {
      const auto steps = std::min(depth, p_.k - block);
      for (std::int64_t n = 0; n < b_.padded; n += columns_)
        for (std::int64_t r = 0; r < count; r += rows_)
          tile_(steps, own.a.panel(block, r), b_.panel(block, n),
                own.sums.data() + r * b_.padded + n, b_.padded);
      for (std::size_t i = 0; i < own.whole.size(); ++i) {
        own.whole[i] += static_cast<std::int32_t>(own.sums[i]);
        own.sums[i] = 0;
      }
    }
    const auto line = p_.n * static_cast<std::int64_t>(result_bytes(p_.precision));
    for (std::int64_t r = 0; r < count; ++r)
      put(own, r * b_.padded, bytes(p_.c) + (first + r) * line);
  }

  void put(const Strip<T>& own, std::int64_t at, std::byte* to) {
    if (p_.precision == Precision::int8)
      std::memcpy(to, own.whole.data() + at, size(p_.n) * sizeof(std::int32_t));
    else if constexpr (std::is_same_v<T, double>)
      std::memcpy(to, own.sums.data() + at, size(p_.n) * sizeof(double));
    else
      narrow_result(p_.precision, own.sums.data() + at, p_.n, to);
  }

  const Product& p_;
  Team& team_;
  int rows_, columns_;
  Tile<T> tile_;
  Packed<T> b_;
  std::int64_t height_ = 0, strips_ = 0;
  std::vector<Strip<T>> own_;
};

}  // namespace

void multiply(const Product& product, Team& team, const MatrixKernels& kernels) {
  if (product.precision == Precision::fp64)
    Multiplication<double>(product, team, kernels.rows, kernels.double_columns, kernels.doubles)
        .run();
  else
    Multiplication<float>(product, team, kernels.rows, kernels.float_columns, kernels.floats).run();
}

}  // namespace gpuvet::device::host
