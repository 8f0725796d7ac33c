// SPDX-License-Identifier: Apache-2.0
#include "platform/terminal.hpp"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

namespace gpuvet::platform {
namespace {

TEST(Terminal, IsNeverNarrowerOrWiderThanAReportNeeds) {
  EXPECT_GE(terminal_width(), 60U);
  EXPECT_LE(terminal_width(), 100U);
}

TEST(Environment, IsEmptyWhereNothingIsSet) {
  ::unsetenv("GPUVET_TEST_VARIABLE");
  EXPECT_EQ(environment("GPUVET_TEST_VARIABLE"), "");
  ::setenv("GPUVET_TEST_VARIABLE", "value", 1);
  EXPECT_EQ(environment("GPUVET_TEST_VARIABLE"), "value");
  ::unsetenv("GPUVET_TEST_VARIABLE");
}

TEST(UtcNow, IsWrittenAsIso8601) {
  const std::string now = utc_now();
  ASSERT_EQ(now.size(), 20U) << now;
  std::string shape = now;
  for (char& c : shape)
    if (c >= '0' && c <= '9') c = '0';
  EXPECT_EQ(shape, "0000-00-00T00:00:00Z");
  EXPECT_GE(now.substr(0, 4), "2024");
}

TEST(MonotonicSeconds, NeverGoBack) {
  double before = monotonic_seconds();
  for (int i = 0; i < 1000; ++i) {
    const double now = monotonic_seconds();
    ASSERT_GE(now, before);
    before = now;
  }
}

TEST(HostName, IsNotEmpty) { EXPECT_FALSE(host_name().empty()); }

}  // namespace
}  // namespace gpuvet::platform
