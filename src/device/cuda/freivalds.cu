// SPDX-License-Identifier: Apache-2.0
// Freivalds' check on the device: y = bᵀ r by columns, z = a y by rows, then c r by rows against z.
// Each matrix is read once. Sums are in fp64 and in a fixed order, so that a check repeated says
// the same.
#include <cuda_runtime.h>

#include "device/cuda/matrix.hpp"
#include "device/cuda/numbers.cuh"
#include "device/matrix_check.hpp"

namespace gpuvet::device::cuda {
namespace {

constexpr int vectors = check_vectors;
constexpr int threads = 256, warps = threads / 32;
constexpr int batch = 8;                  // rows of b that a warp has in flight; divides n
constexpr std::int64_t least_band = 512;  // rows of b that one block sums up
constexpr std::int64_t most_bands = 64;   // beyond, bands grow
constexpr int segment = 2048;             // columns of a whose part of y a block keeps
constexpr int block_rows = 256;           // of a
constexpr int rows_at_once = 4;           // for which a warp fetches y once; divides m

/// Scratch memory.
struct Scratch {
  double* y;         // [vector][k]
  double* bands;     // [band][vector][k]: parts of y
  double* z;         // [segment][vector][m]: parts of a y
  double* row_of_a;  // [segment][m]: parts of squared norms
  double* all_of_b;  // [block of sum_columns], the sum in [0] at last: parts of b's squared norm
  std::uint32_t* signs;  // two bits for each j: r[j] of both vectors
  std::int64_t band_rows, band_count, segments, parts_of_b;
  std::int64_t bytes;
};

std::int64_t divided(std::int64_t count, std::int64_t by) { return (count + by - 1) / by; }

Scratch laid_out(const Operands& p, int numbers_in_chunk, void* memory) {
  Scratch out{};
  out.band_rows = divided(divided(p.n, most_bands), batch) * batch;
  if (out.band_rows < least_band) out.band_rows = least_band;
  out.band_count = divided(p.n, out.band_rows);
  out.segments = divided(p.k, segment);
  out.parts_of_b = divided(p.k / numbers_in_chunk, 32) * out.band_count;
  out.y = static_cast<double*>(memory);
  out.bands = out.y + vectors * p.k;
  out.z = out.bands + out.band_count * vectors * p.k;
  out.row_of_a = out.z + out.segments * vectors * p.m;
  out.all_of_b = out.row_of_a + out.segments * p.m;
  double* const end = out.all_of_b + out.parts_of_b;
  out.signs = reinterpret_cast<std::uint32_t*>(end);
  out.bytes = reinterpret_cast<char*>(out.signs + p.n / 16) - static_cast<char*>(memory);
  return out;
}

/// A value with the sign that a bit says: 1 is plus.
__device__ inline float signed_by(float x, std::uint32_t bit) {
  return __uint_as_float(__float_as_uint(x) ^ (~bit & 1U) << 31U);
}
__device__ inline double signed_by(double x, std::uint32_t bit) { return (bit & 1U) != 0 ? x : -x; }

/// Over a block; right in thread 0. `meeting` has a place for each warp.
__device__ double block_sum(double x, double* meeting) {
  for (int step = 16; step > 0; step /= 2) x += __shfl_xor_sync(~0U, x, step);
  __syncthreads();
  if (threadIdx.x % 32 == 0) meeting[threadIdx.x / 32] = x;
  __syncthreads();
  double out = 0;
  if (threadIdx.x == 0)
    for (int i = 0; i < warps; ++i) out += meeting[i];
  return out;
}

__global__ void __launch_bounds__(threads)
    make_signs(std::uint32_t* signs, std::int64_t words, std::uint64_t key) {
  const std::int64_t w = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (w >= words) return;
  std::uint32_t out = 0;
  for (int i = 0; i < 16; ++i)
    for (int v = 0; v < vectors; ++v)
      if (check_sign(key, static_cast<std::uint64_t>(w) * 16 + i, v) > 0) out |= 1U << (i * 2 + v);
  signs[w] = out;
}

/// bands[band][vector][column]: the sum over the band's rows j of b[j][column] r[j]. A lane has the
/// numbers of one chunk; warps take turns of `batch` rows and meet at the end.
template <Number kind>
__global__ void __launch_bounds__(threads)
    sum_columns(const uint4* b, Scratch s, std::int64_t n, std::int64_t k) {
  using Read = Chunk<kind>;
  using Value = typename Read::Value;
  __shared__ double meeting[warps][32];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const std::int64_t width = k / Read::count;
  const std::int64_t column = blockIdx.x * 32LL + lane;
  const std::int64_t first = blockIdx.y * s.band_rows;
  const std::int64_t last = min(first + s.band_rows, n);
  double sum[vectors][Read::count] = {};
  Value square = 0;
  if (column < width)
    for (std::int64_t j = first + warp * batch; j < last; j += warps * batch) {
      uint4 x[batch];
#pragma unroll
      for (int u = 0; u < batch; ++u) x[u] = __ldcs(b + (j + u) * width + column);
      const std::uint32_t signs = s.signs[j / 16] >> (j % 16 * 2);
#pragma unroll
      for (int i = 0; i < Read::count; ++i) {
        Value some[vectors] = {};
#pragma unroll
        for (int u = 0; u < batch; ++u) {
          const Value value = Read::at(x[u], i);
          square += value * value;
#pragma unroll
          for (int v = 0; v < vectors; ++v)
            if constexpr (Read::short_sums)
              some[v] += signed_by(value, signs >> (u * 2 + v));
            else
              sum[v][i] += signed_by(value, signs >> (u * 2 + v));
        }
#pragma unroll
        for (int v = 0; v < vectors; ++v) sum[v][i] += some[v];
      }
    }
#pragma unroll
  for (int v = 0; v < vectors; ++v)
#pragma unroll
    for (int i = 0; i < Read::count; ++i) {
      __syncthreads();
      meeting[warp][lane] = sum[v][i];
      __syncthreads();
      if (warp == 0 && column < width) {
        double all = 0;
        for (int w = 0; w < warps; ++w) all += meeting[w][lane];
        s.bands[(blockIdx.y * static_cast<std::int64_t>(vectors) + v) * k + column * Read::count +
                i] = all;
      }
    }
  const double squares = block_sum(square, meeting[0]);
  if (threadIdx.x == 0)
    s.all_of_b[blockIdx.y * static_cast<std::int64_t>(gridDim.x) + blockIdx.x] = squares;
}

/// y from its parts; the block after the last adds up the norm of b.
__global__ void __launch_bounds__(threads) add_parts(Scratch s, std::int64_t k) {
  __shared__ double meeting[warps];
  if (blockIdx.x + 1 == gridDim.x) {
    double sum = 0;
    for (std::int64_t i = threadIdx.x; i < s.parts_of_b; i += threads) sum += s.all_of_b[i];
    const double all = block_sum(sum, meeting);
    if (threadIdx.x == 0) s.all_of_b[0] = all;
    return;
  }
  const std::int64_t i = blockIdx.x * static_cast<std::int64_t>(threads) + threadIdx.x;
  if (i >= vectors * k) return;
  double sum = 0;
  for (std::int64_t band = 0; band < s.band_count; ++band) sum += s.bands[band * vectors * k + i];
  s.y[i] = sum;
}

/// A segment's part of a y for `block_rows` rows, and of those rows' squared norms.
template <Number kind>
__global__ void __launch_bounds__(threads)
    multiply_rows(const uint4* a, Scratch s, std::int64_t m, std::int64_t k) {
  using Read = Chunk<kind>;
  constexpr int width_here = segment / Read::count;
  // A chunk's numbers lie apart, so that neighbouring lanes read neighbouring words.
  __shared__ double y[vectors][Read::count][width_here];
  const int lane = static_cast<int>(threadIdx.x) % 32, warp = static_cast<int>(threadIdx.x) / 32;
  const std::int64_t width = k / Read::count;
  const std::int64_t first = blockIdx.y * static_cast<std::int64_t>(width_here);
  const auto here = static_cast<int>(min(width - first, static_cast<std::int64_t>(width_here)));
  for (int i = static_cast<int>(threadIdx.x); i < here * Read::count; i += threads)
    for (int v = 0; v < vectors; ++v)
      y[v][i % Read::count][i / Read::count] = s.y[v * k + first * Read::count + i];
  __syncthreads();
  const std::int64_t begin = blockIdx.x * static_cast<std::int64_t>(block_rows);
  const std::int64_t end = min(begin + block_rows, m);
  for (std::int64_t row = begin + warp * rows_at_once; row < end; row += warps * rows_at_once) {
    double sum[rows_at_once][vectors] = {};
    typename Read::Value square[rows_at_once] = {};
    for (int at = lane; at < here; at += 32) {
      uint4 x[rows_at_once];
#pragma unroll
      for (int r = 0; r < rows_at_once; ++r) x[r] = __ldcs(a + (row + r) * width + first + at);
#pragma unroll
      for (int i = 0; i < Read::count; ++i)
#pragma unroll
        for (int r = 0; r < rows_at_once; ++r) {
          const auto value = Read::at(x[r], i);
          square[r] += value * value;
#pragma unroll
          for (int v = 0; v < vectors; ++v) sum[r][v] += value * y[v][i][at];
        }
    }
#pragma unroll
    for (int r = 0; r < rows_at_once; ++r) {
      double squares = square[r];
      for (int step = 16; step > 0; step /= 2) {
        squares += __shfl_xor_sync(~0U, squares, step);
        for (int v = 0; v < vectors; ++v) sum[r][v] += __shfl_xor_sync(~0U, sum[r][v], step);
      }
      if (lane != 0) continue;
      s.row_of_a[blockIdx.y * m + row + r] = squares;
      for (int v = 0; v < vectors; ++v) s.z[(blockIdx.y * vectors + v) * m + row + r] = sum[r][v];
    }
  }
}

/// What was found in one row, added to the counters.
__device__ void judge_row(Precision precision, bool exact, const Operands& p, const Scratch& s,
                          std::int64_t row, const double (&found)[vectors], double squares_of_c,
                          CheckCounters* counters) {
  double squares_of_a = 0, expected[vectors] = {};
  for (std::int64_t i = 0; i < s.segments; ++i) {
    squares_of_a += s.row_of_a[i * p.m + row];
    for (int v = 0; v < vectors; ++v) expected[v] += s.z[(i * vectors + v) * p.m + row];
  }
  const double bound = rounding_bound(precision, exact, p.n, p.k, sqrt(squares_of_a),
                                      sqrt(s.all_of_b[0]), sqrt(squares_of_c));
  bool wrong = false, finite = true;
  double worst = 0;
  for (int v = 0; v < vectors; ++v) {
    const double difference = found[v] - expected[v];
    wrong = wrong || beyond(difference, bound);
    finite = finite && isfinite(found[v]);
    worst = fmax(worst, relative_to(difference, bound));
  }
  atomicMax(&counters->worst, static_cast<unsigned long long>(__double_as_longlong(worst)));
  if (!wrong) return;
  atomicAdd(&counters->wrong, 1ULL);
  if (!finite) atomicAdd(&counters->not_finite, 1ULL);
  atomicMax(&counters->first, ~static_cast<unsigned long long>(row));
}

/// c r for the row of each block, and the verdict.
template <Number kind>
__global__ void __launch_bounds__(threads)
    check_rows(Precision precision, bool exact, Operands p, Scratch s, CheckCounters* counters) {
  using Read = Chunk<kind>;
  using Value = typename Read::Value;
  __shared__ double meeting[warps];
  const std::int64_t row = blockIdx.x, width = p.n / Read::count;
  const uint4* const c = static_cast<const uint4*>(p.c) + row * width;
  double sum[vectors] = {};
  Value square = 0;
#pragma unroll 4
  for (std::int64_t at = threadIdx.x; at < width; at += threads) {
    const uint4 x = __ldcs(c + at);
    const std::int64_t column = at * Read::count;
    const std::uint32_t signs = s.signs[column / 16] >> (column % 16 * 2);
    Value some[vectors] = {};
#pragma unroll
    for (int i = 0; i < Read::count; ++i) {
      const Value value = Read::at(x, i);
      square += value * value;
#pragma unroll
      for (int v = 0; v < vectors; ++v)
        if constexpr (Read::short_sums)
          some[v] += signed_by(value, signs >> (i * 2 + v));
        else
          sum[v] += signed_by(value, signs >> (i * 2 + v));
    }
#pragma unroll
    for (int v = 0; v < vectors; ++v) sum[v] += some[v];
  }
  double found[vectors];
  for (int v = 0; v < vectors; ++v) found[v] = block_sum(sum[v], meeting);
  const double squares = block_sum(square, meeting);
  if (threadIdx.x == 0) judge_row(precision, exact, p, s, row, found, squares, counters);
}

template <Number operand, Number result>
cudaError_t launch(Precision precision, bool exact, const Operands& p, std::uint64_t key,
                   void* memory, CheckCounters* counters, cudaStream_t stream) {
  constexpr int count = Chunk<operand>::count;
  const Scratch s = laid_out(p, count, memory);
  const auto blocks = [](std::int64_t things, std::int64_t each) {
    return static_cast<unsigned>(divided(things, each));
  };
  make_signs<<<blocks(p.n / 16, threads), threads, 0, stream>>>(s.signs, p.n / 16, key);
  sum_columns<operand>
      <<<dim3(blocks(p.k / count, 32), static_cast<unsigned>(s.band_count)), threads, 0, stream>>>(
          static_cast<const uint4*>(p.b), s, p.n, p.k);
  add_parts<<<blocks(vectors * p.k, threads) + 1, threads, 0, stream>>>(s, p.k);
  multiply_rows<operand>
      <<<dim3(blocks(p.m, block_rows), static_cast<unsigned>(s.segments)), threads, 0, stream>>>(
          static_cast<const uint4*>(p.a), s, p.m, p.k);
  check_rows<result>
      <<<static_cast<unsigned>(p.m), threads, 0, stream>>>(precision, exact, p, s, counters);
  return cudaGetLastError();
}

}  // namespace

std::uint64_t check_scratch(const Operands& operands) {
  // Of the widest numbers, which have the most parts.
  return static_cast<std::uint64_t>(laid_out(operands, 2, nullptr).bytes);
}

cudaError_t launch_check(Precision precision, bool exact, const Operands& p, std::uint64_t seed,
                         void* scratch, CheckCounters* counters, cudaStream_t stream) {
  const std::uint64_t key = element_key(seed);
  const auto run = [&](auto launcher) {
    return launcher(precision, exact, p, key, scratch, counters, stream);
  };
  switch (precision) {
    case Precision::fp64:
      return run(launch<Number::fp64, Number::fp64>);
    case Precision::fp32:
    case Precision::tf32:
      return run(launch<Number::fp32, Number::fp32>);
    case Precision::bf16:
      return run(launch<Number::bf16, Number::bf16>);
    case Precision::fp16:
      return run(launch<Number::fp16, Number::fp16>);
    case Precision::fp8:
      return run(launch<Number::fp8, Number::bf16>);
    case Precision::int8:
      return run(launch<Number::int8, Number::int32>);
  }
  return cudaErrorInvalidValue;
}

}  // namespace gpuvet::device::cuda
