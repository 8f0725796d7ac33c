// SPDX-License-Identifier: Apache-2.0
// The own matrix kernel's index arithmetic, run on the host: the kernel's steps with shared memory
// as an array and the matrix unit as PTX's manual describes its fragments, against a plain product.
#include "device/cuda/gemm_tiles.hpp"

#include <gtest/gtest.h>

#include <array>
#include <cstring>
#include <set>
#include <vector>

namespace gpuvet::device::cuda {
namespace {

template <class Number>
struct Matrices {
  std::int64_t m, n, k;
  std::vector<Number> a, b;

  Matrices(std::int64_t rows, std::int64_t columns, std::int64_t depth)
      : m{rows}, n{columns}, k{depth} {
    for (std::int64_t i = 0; i < m * k; ++i) a.push_back(value(i, 1));
    for (std::int64_t i = 0; i < n * k; ++i) b.push_back(value(i, 2));
  }
  static Number value(std::int64_t i, std::uint64_t seed) {
    return static_cast<Number>(
        static_cast<int>(Pattern::mix(static_cast<std::uint64_t>(i) + seed * 1'000'000) % 9) - 4);
  }
  [[nodiscard]] std::vector<double> plain() const {
    std::vector<double> c(static_cast<std::size_t>(m * n));
    for (std::int64_t i = 0; i < m; ++i)
      for (std::int64_t j = 0; j < n; ++j)
        for (std::int64_t p = 0; p < k; ++p)
          c[static_cast<std::size_t>(i * n + j)] +=
              static_cast<double>(a[static_cast<std::size_t>(i * k + p)]) *
              static_cast<double>(b[static_cast<std::size_t>(j * k + p)]);
    return c;
  }
};

/// A step's 32 bytes of 16 rows of a and 8 of b, as the matrix unit gathers them from its lanes.
struct Unit {
  std::array<std::array<unsigned char, 32>, 16> a{};
  std::array<std::array<unsigned char, 32>, 8> b{};

  template <class Number>
  [[nodiscard]] double result(int row, int column) const {
    double out = 0;
    for (std::size_t at = 0; at < 32; at += sizeof(Number)) {
      Number x{}, y{};
      std::memcpy(&x, &a[static_cast<std::size_t>(row)][at], sizeof x);
      std::memcpy(&y, &b[static_cast<std::size_t>(column)][at], sizeof y);
      out += static_cast<double>(x) * static_cast<double>(y);
    }
    return out;
  }
};

template <class Shape, class Number>
class Emulation {
 public:
  explicit Emulation(const Matrices<Number>& matrices)
      : in_{matrices}, c_(static_cast<std::size_t>(in_.m * in_.n), -1e9) {}

  std::vector<double> product() {
    const auto tiles_m = Shape::tiles(in_.m, Shape::block_m),
               tiles_n = Shape::tiles(in_.n, Shape::block_n);
    for (std::int64_t block = 0; block < tiles_m * tiles_n; ++block)
      compute(Shape::tile_of(block, tiles_m, tiles_n));
    return c_;
  }

 private:
  using Sums = std::vector<double>;  // [warp][i][j][lane][4]
  static std::size_t at(int warp, int i, int j, int lane, int reg) {
    return static_cast<std::size_t>(
        (((warp * Shape::units_m + i) * Shape::units_n + j) * 32 + lane) * 4 + reg);
  }

  void compute(Tile tile) {
    const auto first_m = tile.m * Shape::block_m, first_n = tile.n * Shape::block_n;
    const auto k_bytes = in_.k * static_cast<std::int64_t>(sizeof(Number));
    Sums sums(at(Shape::warps_m * Shape::warps_n, 0, 0, 0, 0));
    for (std::int64_t byte = 0; byte < k_bytes; byte += Shape::row_bytes) {
      fetch(first_m, first_n, byte, k_bytes);
      for (int warp = 0; warp < Shape::warps_m * Shape::warps_n; ++warp)
        for (int step = 0; step < Shape::steps; ++step) multiply(warp, step, sums);
    }
    for (int warp = 0; warp < Shape::warps_m * Shape::warps_n; ++warp)
      for (int i = 0; i < Shape::units_m; ++i)
        for (int j = 0; j < Shape::units_n; ++j)
          for (int lane = 0; lane < 32; ++lane)
            for (int reg = 0; reg < 4; ++reg) {
              const auto row = first_m + Shape::result_row(warp, i, lane, reg);
              const auto column = first_n + Shape::result_column(warp, j, lane, reg);
              if (row < in_.m && column < in_.n)
                c_[static_cast<std::size_t>(row * in_.n + column)] =
                    sums[at(warp, i, j, lane, reg)];
            }
  }

  void fetch(std::int64_t first_m, std::int64_t first_n, std::int64_t byte, std::int64_t k_bytes) {
    stage_.assign(Shape::stage_bytes, 0x7f);
    for (int thread = 0; thread < Shape::threads; ++thread)
      for (int i = 0; i < Shape::copies; ++i) {
        const Place p = Shape::copied(thread, i);
        const bool of_a = Shape::copies_a(i);
        const auto row = of_a ? std::min(first_m + p.row, in_.m - 1)
                              : std::min(first_n + p.row - Shape::block_m, in_.n - 1);
        const auto from = byte + p.chunk * Shape::chunk_bytes;
        auto* const to = &stage_[static_cast<std::size_t>(Shape::offset(p))];
        const auto* source = reinterpret_cast<const unsigned char*>((of_a ? in_.a : in_.b).data());
        if (from < k_bytes)
          std::memcpy(to, source + row * k_bytes + from, Shape::chunk_bytes);
        else
          std::memset(to, 0, Shape::chunk_bytes);
      }
  }

  /// Four matrices of eight rows of 16 bytes: lane 8q + r points at row r of matrix q, and lane l
  /// gets the 4 bytes at l % 4 of row l / 4 of each.
  template <class Pointer>
  std::array<std::array<std::uint32_t, 32>, 4> load_matrices(const Pointer& pointer) const {
    std::array<std::array<std::uint32_t, 32>, 4> out{};
    for (std::size_t q = 0; q < 4; ++q)
      for (int lane = 0; lane < 32; ++lane) {
        const int offset =
            Shape::offset(pointer(static_cast<int>(q) * 8 + lane / 4)) + lane % 4 * 4;
        std::memcpy(&out[q][static_cast<std::size_t>(lane)],
                    &stage_[static_cast<std::size_t>(offset)], 4);
      }
    return out;
  }

  void multiply(int warp, int step, Sums& sums) const {
    for (int i = 0; i < Shape::units_m; ++i)
      for (int j = 0; j < Shape::units_n; j += 2) {
        std::array<Unit, 2> units;
        if constexpr (sizeof(Number) == 8)
          gather_wide(warp, i, j, step, units);
        else
          gather(warp, i, j, step, units);
        for (int which = 0; which < 2; ++which)
          for (int lane = 0; lane < 32; ++lane)
            for (int reg = 0; reg < 4; ++reg)
              sums[at(warp, i, j + which, lane, reg)] +=
                  units[static_cast<std::size_t>(which)].template result<Number>(
                      lane / 4 + reg / 2 * 8, lane % 4 * 2 + reg % 2);
      }
  }

  /// PTX, fragments of m16n8k16 (bf16), m16n8k8 (tf32) and m16n8k32 (int8, e4m3), all alike in
  /// bytes.
  void gather(int warp, int i, int j, int step, std::array<Unit, 2>& units) const {
    const auto a = load_matrices([&](int lane) { return Shape::a_place(warp, i, step, lane); });
    const auto b = load_matrices([&](int lane) { return Shape::b_place(warp, j, step, lane); });
    for (std::size_t which = 0; which < 2; ++which)
      for (std::size_t lane = 0; lane < 32; ++lane) {
        for (std::size_t reg = 0; reg < 4; ++reg)
          std::memcpy(&units[which].a[lane / 4 + reg % 2 * 8][lane % 4 * 4 + reg / 2 * 16],
                      &a[reg][lane], 4);
        for (std::size_t reg = 0; reg < 2; ++reg)
          std::memcpy(&units[which].b[lane / 4][lane % 4 * 4 + reg * 16], &b[which * 2 + reg][lane],
                      4);
      }
  }
  /// Fragments of m8n8k4 (fp64), twice, which are those of m16n8k4.
  void gather_wide(int warp, int i, int j, int step, std::array<Unit, 2>& units) const {
    for (std::size_t which = 0; which < 2; ++which)
      for (std::size_t lane = 0; lane < 32; ++lane) {
        const auto l = static_cast<int>(lane);
        for (std::size_t half = 0; half < 2; ++half)
          std::memcpy(&units[which].a[lane / 4 + half * 8][lane % 4 * 8],
                      wide(Shape::wide_a_place(warp, i, static_cast<int>(half), step, l), l), 8);
        std::memcpy(&units[which].b[lane / 4][lane % 4 * 8],
                    wide(Shape::wide_b_place(warp, j + static_cast<int>(which), step, l), l), 8);
      }
  }
  const unsigned char* wide(Place place, int lane) const {
    return &stage_[static_cast<std::size_t>(Shape::offset(place) + Shape::wide_byte(lane))];
  }

  const Matrices<Number>& in_;
  std::vector<unsigned char> stage_;
  std::vector<double> c_;
};

template <class Shape, class Number>
void expect_right(std::int64_t m, std::int64_t n, std::int64_t k) {
  const Matrices<Number> matrices{m, n, k};
  EXPECT_EQ((Emulation<Shape, Number>{matrices}.product()), matrices.plain())
      << m << ' ' << n << ' ' << k;
}

TEST(GemmTiles, BytesMultiplyRight) {
  expect_right<Gemm<8, false>, std::int8_t>(128, 256, 128);
  expect_right<Gemm<8, false>, std::int8_t>(144, 272, 144);
  expect_right<Gemm<4, false>, std::int8_t>(144, 144, 272);
}

TEST(GemmTiles, HalvesMultiplyRight) {
  expect_right<Gemm<8, false>, std::int16_t>(256, 512, 64);
  expect_right<Gemm<8, false>, std::int16_t>(16, 16, 16);
  expect_right<Gemm<8, false>, std::int16_t>(144, 16, 80);
}

TEST(GemmTiles, WordsMultiplyRight) { expect_right<Gemm<8, false>, float>(144, 272, 48); }

TEST(GemmTiles, DoublesMultiplyRight) {
  expect_right<Gemm<4, true>, double>(128, 128, 32);
  expect_right<Gemm<4, true>, double>(144, 272, 48);
}

template <class Shape>
class GemmShape : public testing::Test {};
using Shapes = testing::Types<Gemm<8, false>, Gemm<4, false>, Gemm<4, true>>;
TYPED_TEST_SUITE(GemmShape, Shapes);

TYPED_TEST(GemmShape, EveryByteOfAStageIsCopiedOnce) {
  std::set<int> offsets;
  for (int thread = 0; thread < TypeParam::threads; ++thread)
    for (int i = 0; i < TypeParam::copies; ++i) {
      const Place p = TypeParam::copied(thread, i);
      EXPECT_EQ(p.row < TypeParam::block_m, TypeParam::copies_a(i));
      EXPECT_TRUE(offsets.insert(TypeParam::offset(p)).second);
    }
  EXPECT_EQ(offsets.size() * TypeParam::chunk_bytes, std::size_t{TypeParam::stage_bytes});
  EXPECT_EQ(*offsets.begin(), 0);
  EXPECT_EQ(*offsets.rbegin(), TypeParam::stage_bytes - TypeParam::chunk_bytes);
}

TYPED_TEST(GemmShape, EveryTileIsComputedOnce) {
  for (const std::int64_t tiles_m : {1, 7, 8, 9, 31})
    for (const std::int64_t tiles_n : {1, 5, 16}) {
      std::set<std::pair<std::int64_t, std::int64_t>> seen;
      for (std::int64_t block = 0; block < tiles_m * tiles_n; ++block) {
        const Tile t = TypeParam::tile_of(block, tiles_m, tiles_n);
        EXPECT_TRUE(t.m >= 0 && t.m < tiles_m && t.n >= 0 && t.n < tiles_n);
        EXPECT_TRUE(seen.emplace(t.m, t.n).second);
      }
    }
}

TYPED_TEST(GemmShape, FitsSharedMemory) {
  // CUDA C++ Programming Guide, technical specifications: 163 KiB a block in 8.0 and 9.0 and
  // beyond, 99 KiB in 8.6, 8.9 and 12.0.
  EXPECT_LE(TypeParam::stages * TypeParam::stage_bytes, 163 * 1024);
  EXPECT_LE((TypeParam::stages - 1) * TypeParam::stage_bytes, 99 * 1024);
}

/// Lanes that shared memory serves together must not meet in a bank: 128 bytes in all.
template <class Offset>
void expect_apart(int lanes, int bytes, const Offset& offset) {
  std::set<int> places;
  for (int lane = 0; lane < lanes; ++lane) places.insert(offset(lane) % 128 / bytes);
  EXPECT_EQ(places.size(), static_cast<std::size_t>(lanes));
}

TYPED_TEST(GemmShape, LoadsMeetNoBankTwice) {
  using S = TypeParam;
  for (int step = 0; step < S::steps; ++step)
    for (int group = 0; group < 4; ++group)
      if constexpr (std::is_same_v<S, Gemm<4, true>>) {
        const int first = group % 2 * 16;
        expect_apart(16, 8, [&](int l) {
          return S::offset(S::wide_a_place(3, 1, 0, step, first + l)) + S::wide_byte(l);
        });
        expect_apart(16, 8, [&](int l) {
          return S::offset(S::wide_b_place(3, 1, step, first + l)) + S::wide_byte(l);
        });
      } else {
        const int first = group * 8;
        expect_apart(8, 16, [&](int l) { return S::offset(S::a_place(3, 1, step, first + l)); });
        expect_apart(8, 16, [&](int l) { return S::offset(S::b_place(3, 2, step, first + l)); });
      }
}

}  // namespace
}  // namespace gpuvet::device::cuda
