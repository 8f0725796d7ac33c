// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer timedatectl();

namespace testing {
namespace {

const Importer importer = timedatectl();

Evidence good(std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

std::string report(std::string_view row) {
  return "      Local time: Mon 2022-11-14 02:33:36 EST\n"
         "  Universal time  : Mon 2022-11-14 07:33:36 UTC\n"
         "       Time zone: America/New_York (EST, -0500)\n" +
         std::string(row);
}

TEST(TimedatectlTest, ThreeGenerationsOfSystemd) {
  EXPECT_EQ(value<bool>(good(report("NTP synchronized: yes\n")), "node.clock.synchronised", "node"),
            true);
  EXPECT_EQ(value<bool>(good(report("System clock synchronized: no\nNTP service: active\n")),
                        "node.clock.synchronised", "node"),
            false);
  const auto evidence =
      good(report("System clock synchronized: yes\r\nsystemd-timesyncd.service active: yes\r\n"));
  EXPECT_EQ(text(evidence, "node.clock.service"), "timesyncd");
  EXPECT_EQ(only(evidence, "node.clock.service", "node")->provenance->when,
            "Mon 2022-11-14 07:33:36 UTC");
}

TEST(TimedatectlTest, CutFiles) {
  expect_error(importer, report("     NTP enabled: yes\n"), 4, "cut off");
  expect_error(importer, report("NTP synchronized: ye"), 4, "cut off");
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
