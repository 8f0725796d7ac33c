// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

/// A log of `samples` samples of two GPUs, `step` seconds apart; `row(sample, gpu)` gives what
/// follows the ordinal: utilization, core temperature, reasons.
Evidence log(int samples, int step, const std::function<std::string(int, int)>& row) {
  std::string text =
      "timestamp, index, utilization.gpu [%], temperature.gpu, clocks_event_reasons.active\n";
  for (int s = 0; s < samples; ++s)
    for (int gpu = 0; gpu < 2; ++gpu) {
      const int t = s * step;
      text += fmt::format("2026/10/{:02} {:02}:{:02}:{:02}.000, {}, {}\n", 1 + t / 86400,
                          t / 3600 % 24, t / 60 % 60, t % 60, gpu, row(s, gpu));
    }
  return imported(text, "thermal.csv");
}

std::string busy(int, int gpu) { return gpu == 0 ? "100 %, 70, 0x4" : "100 %, 61, 0x4"; }

TEST(ThermalTest, FullLogCountsAndIsMeasured) {
  const auto e = derived(log(361, 10, busy), 3600);
  EXPECT_EQ(shown(e, "thermal.log.admissible", "gpu:smi#0"), "yes");
  EXPECT_EQ(*find(e, "thermal.log.duration", "gpu:smi#0")->number(), 3610);
  EXPECT_EQ(*find(e, "thermal.log.busy", "gpu:smi#0")->number(), 1);
  EXPECT_EQ(*find(e, "thermal.log.gap", "gpu:smi#0")->number(), 10);
  EXPECT_EQ(shown(e, "thermal.temperature.core.max", "gpu:smi#0"), "70 °C");
  EXPECT_EQ(shown(e, "thermal.temperature.over_siblings", "gpu:smi#0"), "9 K");
  EXPECT_EQ(shown(e, "thermal.temperature.over_siblings", "gpu:smi#1"), "-9 K");
  EXPECT_EQ(shown(e, "thermal.throttle.hardware", "gpu:smi#0"), "0 %");
  EXPECT_EQ(shown(e, "thermal.throttle.power_cap", "gpu:smi#0"), "100 %");
}

TEST(ThermalTest, LastSampleCoversItsIntervalToo) {
  EXPECT_EQ(shown(derived(log(360, 10, busy), 3600), "thermal.log.admissible", "gpu:smi#0"), "yes");
  EXPECT_EQ(shown(derived(log(359, 10, busy), 3600), "thermal.log.admissible", "gpu:smi#0"), "no");
}

TEST(ThermalTest, ShortLogSaysSo) {
  const auto e = derived(log(60, 10, busy), 3600);
  EXPECT_EQ(find(e, "thermal.log.admissible", "gpu:smi#0")->detail,
            "the log does not count: it lasts 10 min of the 1 h asked");
}

TEST(ThermalTest, FiveIdleSamplesInAHundredAreAllowedSixAreNot) {
  const auto with_idle = [](int idle) {
    return derived(
        log(100, 10, [idle](int s, int) { return s < idle ? "94 %, 50, 0x1" : "95 %, 70, 0x4"; }),
        900);
  };
  EXPECT_EQ(shown(with_idle(5), "thermal.log.admissible", "gpu:smi#0"), "yes");
  const auto idle = with_idle(6);
  EXPECT_EQ(find(idle, "thermal.log.admissible", "gpu:smi#0")->detail,
            "the log does not count: only 94 % of its samples are busy, 95 % are needed");
}

TEST(ThermalTest, GapOverTenSecondsDoesNotCount) {
  EXPECT_EQ(shown(derived(log(100, 11, busy), 900), "thermal.log.admissible", "gpu:smi#0"), "no");
  EXPECT_EQ(shown(derived(log(100, 10, busy), 900), "thermal.log.admissible", "gpu:smi#0"), "yes");
}

TEST(ThermalTest, ThrottledShareCountsEveryHardwareReason) {
  const auto e = derived(log(100, 10,
                             [](int s, int) {
                               return s == 0   ? "100 %, 90, 0x8"
                                      : s == 1 ? "100 %, 90, 0x40"
                                      : s == 2 ? "100 %, 90, 0x80"
                                      : s == 3 ? "100 %, 90, 0x24"
                                               : "100 %, 70, 0x4";
                             }),
                         900);
  EXPECT_DOUBLE_EQ(*find(e, "thermal.throttle.hardware", "gpu:smi#0")->number(), 0.03);
  EXPECT_DOUBLE_EQ(*find(e, "thermal.throttle.sw_thermal", "gpu:smi#0")->number(), 0.01);
}

}  // namespace
}  // namespace gpuvet::derive::testing
