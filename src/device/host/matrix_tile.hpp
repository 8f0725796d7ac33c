// SPDX-License-Identifier: Apache-2.0
// The loops behind MatrixKernels for vectors of `bytes`. Plain loops over vector types: the
// compiler keeps a tile in registers and fuses multiplication and addition where the unit can.
#pragma once

#include <cstdint>

#include "device/host/matrix_kernels.hpp"

namespace gpuvet::device::host {

template <class T, int bytes>
struct Vector {
  static constexpr int lanes = bytes / static_cast<int>(sizeof(T));
  typedef T Type __attribute__((vector_size(bytes)));
  /// The same where memory has it: at any address.
  typedef T Stored __attribute__((vector_size(bytes), aligned(sizeof(T)), may_alias));
  static Type load(const T* from) { return *reinterpret_cast<const Stored*>(from); }
  static void store(T* to, Type value) { *reinterpret_cast<Stored*>(to) = value; }
};

template <class T, int bytes, int rows, int vectors>
void tile(std::int64_t depth, const T* a, const T* b, T* c, std::int64_t stride) {
  using V = Vector<T, bytes>;
  typename V::Type sum[rows][vectors] = {};
  for (std::int64_t step = 0; step < depth; ++step, a += rows, b += vectors * V::lanes) {
    typename V::Type of_b[vectors];
    for (int v = 0; v < vectors; ++v) of_b[v] = V::load(b + v * V::lanes);
    for (int r = 0; r < rows; ++r)
      for (int v = 0; v < vectors; ++v) sum[r][v] += a[r] * of_b[v];
  }
  for (int r = 0; r < rows; ++r)
    for (int v = 0; v < vectors; ++v) {
      T* at = c + r * stride + v * V::lanes;
      V::store(at, V::load(at) + sum[r][v]);
    }
}

template <int bytes>
double add_scaled(const double* row, double x, double y, std::int64_t count, double* first,
                  double* second) {
  using V = Vector<double, bytes>;
  typename V::Type squares = {};
  std::int64_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) {
    const auto value = V::load(row + i);
    V::store(first + i, V::load(first + i) + x * value);
    V::store(second + i, V::load(second + i) + y * value);
    squares += value * value;
  }
  double square = 0;
  for (int lane = 0; lane < V::lanes; ++lane) square += squares[lane];
  for (; i < count; ++i) {
    first[i] += x * row[i];
    second[i] += y * row[i];
    square += row[i] * row[i];
  }
  return square;
}

template <int bytes>
Dots dots(const double* row, const double* first, const double* second, std::int64_t count) {
  using V = Vector<double, bytes>;
  typename V::Type a = {}, b = {}, squares = {};
  std::int64_t i = 0;
  for (; i + V::lanes <= count; i += V::lanes) {
    const auto value = V::load(row + i);
    a += value * V::load(first + i);
    b += value * V::load(second + i);
    squares += value * value;
  }
  Dots out;
  for (int lane = 0; lane < V::lanes; ++lane) {
    out.first += a[lane];
    out.second += b[lane];
    out.square += squares[lane];
  }
  for (; i < count; ++i) {
    out.first += row[i] * first[i];
    out.second += row[i] * second[i];
    out.square += row[i] * row[i];
  }
  return out;
}

template <int bytes, int rows, int vectors>
constexpr MatrixKernels kernels_of(const char* name) {
  return {name,
          rows,
          vectors * Vector<float, bytes>::lanes,
          vectors * Vector<double, bytes>::lanes,
          tile<float, bytes, rows, vectors>,
          tile<double, bytes, rows, vectors>,
          add_scaled<bytes>,
          dots<bytes>};
}

}  // namespace gpuvet::device::host
