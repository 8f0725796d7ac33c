// SPDX-License-Identifier: Apache-2.0
// The models held against the table that GPUVET_MEASUREMENTS names; skipped without it.
#include "accuracy/scoring.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>

#include "catalogue/packed.hpp"
#include "platform/files.hpp"

namespace gpuvet::accuracy {
namespace {

class Measurements : public ::testing::Test {
 protected:
  void SetUp() override {
    const char* folder = std::getenv("GPUVET_MEASUREMENTS");
    if (folder == nullptr) GTEST_SKIP() << "GPUVET_MEASUREMENTS is not set";
    const auto text =
        platform::read_file(std::string(folder) + "/measurements.tsv", std::size_t{256} << 20);
    ASSERT_TRUE(text) << text.error().message();
    auto rows = read_rows(*text);
    ASSERT_TRUE(rows) << rows.error().message();
    const model::Intervals intervals(catalogue_);
    const World world{catalogue_, models_};
    for (const auto& kind : kinds()) all_.push_back(scored(kind, *rows, *rows, world, intervals));
    rows_ = std::move(*rows);
  }

  catalogue::Catalogue catalogue_ = catalogue::built_in();
  model::Models models_{model::Constants(catalogue_)};
  std::vector<Row> rows_;
  std::vector<ScoredKind> all_;
};

/// Mean of |ln(predicted / measured)| over rows that both answer: p90 and median in one.
double loss(const std::vector<Scored>& rows, const std::vector<Scored>& other) {
  double sum = 0, count = 0;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].refused || other[i].refused || rows[i].measured <= 0) continue;
    sum += std::min(5.0, std::abs(std::log(rows[i].predicted / rows[i].measured)));
    count += 1;
  }
  return count > 0 ? sum / count : 0;
}

TEST_F(Measurements, EveryModelEarnsItsPlace) {
  for (const auto& kind : all_)
    for (const auto& [name, theirs] : kind.nulls)
      EXPECT_LT(loss(kind.all(), theirs), loss(theirs, kind.all()))
          << kind.kind->name << ": replacing the model by '" << name << "' would not hurt";
}

TEST_F(Measurements, EveryRowBelongsToOneKind) {
  for (const auto& row : rows_) {
    int takers = 0;
    for (const auto& kind : kinds()) takers += kind.takes(row) ? 1 : 0;
    EXPECT_EQ(takers, 1) << row.id << ' ' << row.workload;
  }
}

TEST_F(Measurements, IntervalsCoverWhatTheyPromise) {
  for (const auto& kind : all_) {
    const Score s = score(kind.all());
    if (s.groups < 30 || !s.covered) continue;
    EXPECT_GT(*s.covered, coverage_band(s.rows).first) << kind.kind->name;
  }
}

TEST_F(Measurements, NothingThatRanOutOfMemoryIsSaidToFit) {
  for (const auto& kind : all_)
    for (const auto& [row, s] : kind.measured)
      if (row->metric == "fits" && *row->value == 0 && !s.refused) {
        EXPECT_EQ(s.predicted, 0) << row->id << ' ' << row->workload;
      }
}

TEST_F(Measurements, ThePageSaysWhatTheModelsDo) {
  const auto page =
      platform::read_file(std::string(GPUVET_SOURCE_DIR) + "/docs/accuracy.md", 1 << 20);
  ASSERT_TRUE(page) << page.error().message();
  EXPECT_EQ(*page, page_of(all_, catalogue_))
      << "stale: model_accuracy TABLE --page docs/accuracy.md";
}

}  // namespace
}  // namespace gpuvet::accuracy
