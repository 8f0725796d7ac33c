// SPDX-License-Identifier: Apache-2.0
// Bins: exact at first, then wider, and no sample, maximum or gap gets lost on the way.
#include "ingest/series_binner.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <numeric>

namespace gpuvet::ingest {
namespace {

Sample at(double time, double core, double utilization = 1) {
  Sample s;
  s.time = time;
  s.core = core;
  s.utilization = utilization;
  return s;
}

double cell(const Table& table, std::string_view column, std::size_t bin) {
  return table.column(column)->values.at(bin);
}

double sum(const Table& table, std::string_view column) {
  const auto& values = table.column(column)->values;
  return std::accumulate(values.begin(), values.end(), 0.0);
}

TEST(SeriesBinner, EverySampleIsItsOwnBinAtFirst) {
  SeriesBinner binner{4};
  Sample s = at(0, 50, 0.94);
  s.power = 100;
  s.hardware_throttled = 0;
  binner.add(s);
  s = at(1, 60, 0.95);
  s.gap = 1;
  s.power = 300;
  s.clock = 1.5e9;
  s.hardware_throttled = 1;
  binner.add(s);
  const Table table = binner.table("thermal.log", "gpu:x");
  EXPECT_EQ(table.name, "thermal.log");
  EXPECT_EQ(table.subject, "gpu:x");
  ASSERT_EQ(table.rows(), 2U);
  EXPECT_EQ(cell(table, "start", 1), 1);
  EXPECT_EQ(cell(table, "end", 1), 1);
  EXPECT_EQ(cell(table, "samples", 1), 1);
  EXPECT_EQ(cell(table, "busy", 0), 0);
  EXPECT_EQ(cell(table, "busy", 1), 1);
  EXPECT_EQ(cell(table, "core_max", 0), 50);
  EXPECT_TRUE(std::isnan(cell(table, "core_mean_busy", 0))) << "not busy";
  EXPECT_EQ(cell(table, "core_mean_busy", 1), 60);
  EXPECT_EQ(cell(table, "power_mean", 0), 100);
  EXPECT_EQ(cell(table, "power_mean_busy", 1), 300);
  EXPECT_EQ(cell(table, "clock_sm_mean_busy", 1), 1.5e9);
  EXPECT_EQ(cell(table, "hardware_throttled", 1), 1);
  EXPECT_EQ(cell(table, "gap_max", 1), 1);
  EXPECT_EQ(table.column("core_max")->unit, Unit::celsius);
  EXPECT_EQ(table.column("margin_min")->unit, Unit::kelvin);
}

TEST(SeriesBinner, WhatWasNotLoggedStaysMissing) {
  SeriesBinner binner{2};
  for (int i = 0; i < 5; ++i) binner.add(at(i, Sample::missing, Sample::missing));
  const Table table = binner.table("t", "s");
  for (const char* column :
       {"busy", "core_max", "core_mean", "core_mean_busy", "memory_max", "margin_min", "power_mean",
        "utilization_mean", "hardware_throttled", "sw_thermal", "power_cap"})
    EXPECT_TRUE(std::isnan(cell(table, column, 0))) << column;
}

TEST(SeriesBinner, DoublesTheWidthWhenFull) {
  SeriesBinner binner{4};
  for (int i = 0; i < 11; ++i) {
    Sample s = at(i, i == 3 ? 90 : 40);
    s.margin = i == 6 ? 2 : 20;
    s.gap = i == 9 ? 30 : 1;
    s.power = i;
    binner.add(s);
  }
  const Table table = binner.table("t", "s");
  ASSERT_EQ(table.rows(), 3U) << "4 + 4 + 3 samples";
  EXPECT_EQ(cell(table, "samples", 0), 4);
  EXPECT_EQ(cell(table, "samples", 2), 3);
  EXPECT_EQ(cell(table, "start", 1), 4);
  EXPECT_EQ(cell(table, "end", 1), 7);
  EXPECT_EQ(cell(table, "core_max", 0), 90);
  EXPECT_EQ(cell(table, "core_mean", 0), (40 + 40 + 40 + 90) / 4.0);
  EXPECT_EQ(cell(table, "margin_min", 1), 2);
  EXPECT_EQ(cell(table, "gap_max", 2), 30);
  EXPECT_EQ(cell(table, "power_mean_busy", 1), 5.5);
}

TEST(SeriesBinner, KeepsEverySampleAtAnyLength) {
  for (const int samples : {1, 2, 7, 8, 9, 16, 17, 1000, 1023, 1024, 1025}) {
    SeriesBinner binner{8};
    for (int i = 0; i < samples; ++i) binner.add(at(i, i % 50, i % 2));
    const Table table = binner.table("t", "s");
    EXPECT_LE(table.rows(), 8U);
    EXPECT_EQ(sum(table, "samples"), samples);
    EXPECT_EQ(sum(table, "busy"), samples / 2);
    EXPECT_EQ(cell(table, "end", table.rows() - 1), samples - 1);
    for (std::size_t bin = 1; bin < table.rows(); ++bin)
      EXPECT_EQ(cell(table, "start", bin), cell(table, "end", bin - 1) + 1);
  }
}

TEST(SeriesBinner, CanBeLimitedLater) {
  SeriesBinner binner{64};
  for (int i = 0; i < 61; ++i) binner.add(at(i, i));
  binner.limit(4);
  for (int i = 61; i < 100; ++i) binner.add(at(i, i));
  const Table table = binner.table("t", "s");
  EXPECT_LE(table.rows(), 4U);
  EXPECT_EQ(sum(table, "samples"), 100);
  EXPECT_EQ(cell(table, "samples", 0), 32);
  EXPECT_EQ(cell(table, "core_max", 0), 31);
  EXPECT_EQ(binner.samples(), 100U);
}

}  // namespace
}  // namespace gpuvet::ingest
