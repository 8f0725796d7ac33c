// SPDX-License-Identifier: Apache-2.0
// What every backend's matrices must do alike, for each precision and engine that it says it has.
#pragma once

#include <vector>

#include "device/contract.hpp"
#include "device/matrix_values.hpp"

namespace gpuvet::device {

inline constexpr Precision contract_precisions[] = {
    Precision::fp64, Precision::fp32, Precision::tf32, Precision::bf16,
    Precision::fp16, Precision::fp8,  Precision::int8};

template <class BackendUnderTest>
class MatrixContract : public DeviceContract<BackendUnderTest> {
 protected:
  struct Sizes {
    std::int64_t m, n, k;
  };
  /// With edges in every tile, and k of whole and of broken steps; exact in bf16.
  static constexpr Sizes sizes[] = {{144, 272, 80}, {16, 16, 16}, {256, 256, 256}};

  struct Matrices {
    Buffer a, b, c;
    Product product;
  };
  Matrices matrices(Precision precision, MatrixEngine engine, Sizes s) {
    const auto bytes = [](std::int64_t rows, std::int64_t columns, std::uint64_t each) {
      return static_cast<std::uint64_t>(rows * columns) * each;
    };
    Matrices out{this->buffer(bytes(s.m, s.k, operand_bytes(precision))),
                 this->buffer(bytes(s.n, s.k, operand_bytes(precision))),
                 this->buffer(bytes(s.m, s.n, result_bytes(precision))),
                 {}};
    out.product = {precision, engine, s.m, s.n, s.k, out.a.all(), out.b.all(), out.c.all(), false};
    return out;
  }
  void compute(const Matrices& x, Values values) {
    ASSERT_TRUE(this->stream().fill_matrix(x.a.all(), x.product.precision, values, 11));
    ASSERT_TRUE(this->stream().fill_matrix(x.b.all(), x.product.precision, values, 12));
    ASSERT_TRUE(this->stream().fill(x.c.all(), {PatternKind::constant, ~std::uint64_t{0}}));
    const auto multiplied = this->stream().multiply(x.product);
    ASSERT_TRUE(multiplied) << multiplied.error().message();
    this->finish();
  }
  ProductCheck verify(const Product& product, std::uint64_t seed) {
    ProductCheck out;
    EXPECT_TRUE(this->stream().verify(product, seed, out));
    this->finish();
    return out;
  }
  double result(const Matrices& x, std::int64_t index) {
    const auto bytes = result_bytes(x.product.precision);
    std::uint64_t word = 0;
    EXPECT_TRUE(this->device().read(x.c.part(static_cast<std::uint64_t>(index) * bytes, bytes),
                                    std::as_writable_bytes(std::span(&word, 1)).first(bytes)));
    double wide = 0;
    switch (x.product.precision) {
      case Precision::fp64:
        std::memcpy(&wide, &word, sizeof wide);
        return wide;
      case Precision::fp32:
      case Precision::tf32:
        return float_of(static_cast<std::uint32_t>(word));
      case Precision::fp16:
        return from_fp16(static_cast<std::uint16_t>(word));
      case Precision::bf16:
      case Precision::fp8:
        return from_bf16(static_cast<std::uint16_t>(word));
      case Precision::int8:
        return static_cast<std::int32_t>(word);
    }
    return wide;
  }
  template <class Work>
  void for_all(Work work) {
    for (const auto engine : {MatrixEngine::own, MatrixEngine::library})
      for (const auto precision : this->device().precisions(engine)) work(precision, engine);
  }
};

TYPED_TEST_SUITE_P(MatrixContract);

TYPED_TEST_P(MatrixContract, FillsWithElementsOfSeedAndIndex) {
  constexpr std::uint64_t elements = 48 * 32;
  for (const auto precision : contract_precisions)
    for (const auto values : {Values::normal, Values::integers}) {
      const auto bytes = operand_bytes(precision);
      const auto memory = this->buffer(elements * bytes);
      ASSERT_TRUE(this->stream().fill_matrix(memory.all(), precision, values, 7));
      this->finish();
      const auto words = this->words_of(this->device(), memory.all());
      for (std::uint64_t i = 0; i < elements; ++i) {
        std::uint64_t found = 0;
        std::memcpy(&found, reinterpret_cast<const char*>(words.data()) + i * bytes, bytes);
        ASSERT_EQ(found, element_bits(precision, values, element_key(7), i))
            << name(precision) << " at " << i;
      }
      EXPECT_TRUE(memory.guards_intact().value());
    }
}

TYPED_TEST_P(MatrixContract, ProductsOfWholeNumbersAreExact) {
  this->for_all([&](Precision precision, MatrixEngine engine) {
    for (const auto s : TestFixture::sizes) {
      auto x = this->matrices(precision, engine, s);
      x.product.exact = true;
      this->compute(x, Values::integers);
      const auto a = element_key(11), b = element_key(12);
      for (std::int64_t i = 0; i < s.m; i += 7)
        for (std::int64_t j = 0; j < s.n; j += 5) {
          int due = 0;
          for (std::int64_t p = 0; p < s.k; ++p)
            due += integer_element(a, static_cast<std::uint64_t>(i * s.k + p)) *
                   integer_element(b, static_cast<std::uint64_t>(j * s.k + p));
          ASSERT_EQ(this->result(x, i * s.n + j), due)
              << name(precision) << ' ' << static_cast<int>(engine) << " at " << i << ' ' << j;
        }
      const auto check = this->verify(x.product, 1);
      EXPECT_EQ(check.rows, static_cast<std::uint64_t>(s.m));
      EXPECT_EQ(check.wrong, 0U) << name(precision);
      EXPECT_EQ(check.worst, 0) << name(precision);
      for (const auto* buffer : {&x.a, &x.b, &x.c}) EXPECT_TRUE(buffer->guards_intact().value());
    }
  });
}

TYPED_TEST_P(MatrixContract, ChecksPassRealNumbersAndFindAWrongOne) {
  this->for_all([&](Precision precision, MatrixEngine engine) {
    const auto s = TestFixture::sizes[0];
    auto x = this->matrices(precision, engine, s);
    this->compute(x, Values::normal);
    for (const std::uint64_t seed : {1, 2, 3}) {
      const auto right = this->verify(x.product, seed);
      EXPECT_EQ(right.wrong, 0U) << name(precision) << ", of its bound " << right.worst;
      EXPECT_EQ(right.first, -1);
    }
    // All bits set is no number, or -1.
    const auto words_of_row =
        static_cast<std::uint64_t>(s.n) * result_bytes(precision) / sizeof(std::uint64_t);
    this->poke(x.c.all(), 77 * words_of_row + 3, ~std::uint64_t{0});
    this->poke(x.c.all(), 140 * words_of_row, ~std::uint64_t{0});
    const auto wrong = this->verify(x.product, 4);
    EXPECT_EQ(wrong.wrong, 2U) << name(precision);
    EXPECT_EQ(wrong.not_finite, precision == Precision::int8 ? 0U : 2U) << name(precision);
    EXPECT_EQ(wrong.first, 77);
  });
}

TYPED_TEST_P(MatrixContract, RefusesWhatIsNoProduct) {
  auto x = this->matrices(Precision::fp64, MatrixEngine::own, {16, 16, 16});
  x.product.k = 32;
  ProductCheck check;
  EXPECT_FALSE(this->stream().multiply(x.product));
  EXPECT_FALSE(this->stream().verify(x.product, 1, check));
}

REGISTER_TYPED_TEST_SUITE_P(MatrixContract, FillsWithElementsOfSeedAndIndex,
                            ProductsOfWholeNumbersAreExact, ChecksPassRealNumbersAndFindAWrongOne,
                            RefusesWhatIsNoProduct);

}  // namespace gpuvet::device
