// SPDX-License-Identifier: Apache-2.0
// What is said of probes that ran on hardware, and of those that did not.
#include "gpuvet/verified_page.hpp"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "catalogue/packed.hpp"
#include "core/text.hpp"

namespace gpuvet::app {
namespace {

probe::Probe a_probe(probe::Needs needs) {
  probe::Probe out{};
  out.name = "x";
  out.needs = needs;
  return out;
}

TEST(VerifiedPage, ProbesBetweenGpusNeedTwo) {
  catalogue::Catalogue catalogue;
  catalogue.verified.push_back({"x", "H100", 1, "570", "2026-11-28", ""});
  EXPECT_EQ(verified_words(catalogue, a_probe(probe::Needs::device)),
            "H100, driver 570, 2026-11-28");
  EXPECT_EQ(verified_words(catalogue, a_probe(probe::Needs::two_devices)),
            "unverified on hardware");
  catalogue.verified.push_back({"x", "H100", 8, "570", "2026-11-29", ""});
  EXPECT_EQ(verified_words(catalogue, a_probe(probe::Needs::two_devices)),
            "8 x H100, driver 570, 2026-11-29");
  catalogue.verified = {{"x", "none", 0, "none", "2026-11-28", ""}};
  EXPECT_EQ(verified_words(catalogue, a_probe(probe::Needs::device)), "unverified on hardware");
  EXPECT_TRUE(contains(verified_words(catalogue, a_probe(probe::Needs::host)), "host"));
}

TEST(VerifiedPage, NamesEveryProbe) {
  const auto page = verified_page(catalogue::built_in());
  for (const auto& probe : probe::all())
    EXPECT_TRUE(contains(page, fmt::format("| `{}` |", probe.name))) << probe.name;
}

TEST(VerifiedPage, WhatIsShippedIsOfProbesThatExist) {
  for (const auto& v : catalogue::built_in().verified)
    EXPECT_NE(probe::probe_named(v.probe), nullptr) << v.probe;
}

}  // namespace
}  // namespace gpuvet::app
