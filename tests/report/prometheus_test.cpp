// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdio>
#include <fstream>
#include <set>

#include "core/text.hpp"
#include "sample.hpp"

namespace gpuvet::report {
namespace {

using testing::rendered;

/// One observation of every declared id, so that the naming rules meet them all.
judge::Verdict every_id() {
  judge::Verdict v = testing::sample();
  for (const auto& info : all_ids())
    v.evidence.observations.push_back(
        {*find_id(info.name), "every", {}, Value{1.5}, "", nullptr, 0});
  return v;
}

struct Exposition {
  std::set<std::string> series, typed;
  std::vector<std::string> order;  ///< metric of each run of samples
};

Exposition read(const std::string& text) {
  Exposition out;
  for (const auto line : split(text, '\n')) {
    if (line.empty()) continue;
    if (line[0] == '#') {
      const auto parts = words(line);
      EXPECT_TRUE(parts[1] == "HELP" || parts[1] == "TYPE") << line;
      if (parts[1] == "TYPE") {
        EXPECT_TRUE(out.typed.emplace(parts[2]).second) << "typed twice: " << line;
      }
      continue;
    }
    const std::string series(line.substr(0, line.rfind(' ')));
    EXPECT_TRUE(parse_number(line.substr(line.rfind(' ') + 1))) << line;
    EXPECT_TRUE(out.series.insert(series).second) << "twice: " << series;
    const std::string metric = series.substr(0, series.find('{'));
    if (out.order.empty() || out.order.back() != metric) out.order.push_back(metric);
  }
  return out;
}

TEST(Prometheus, SeriesAreUniqueAndContiguous) {
  for (const auto& verdict : {testing::sample(), every_id(), judge::Verdict{}}) {
    const auto seen = read(rendered("prometheus", verdict));
    const std::set<std::string> metrics(seen.order.begin(), seen.order.end());
    EXPECT_EQ(metrics.size(), seen.order.size()) << "samples of a metric stand together";
    EXPECT_EQ(metrics, seen.typed);
  }
}

TEST(Prometheus, EveryIdHasItsOwnMetric) {
  EXPECT_EQ(read(rendered("prometheus", every_id())).typed.size(), all_ids().size() + 5);
}

TEST(Prometheus, CarriesVerdictFindingsScorecardAndFits) {
  const std::string out = rendered("prometheus");
  for (const auto* line :
       {"gpuvet_verdict{outcome=\"fit\"} 0\n", "gpuvet_verdict{outcome=\"unfit\"} 1\n",
        "gpuvet_scorecard{benchmark=\"collectives\",status=\"no_evidence\"} 1\n",
        "gpuvet_finding{id=\"thermal.soak\",subject=\"node\",group=\"thermal\",status=\"no_"
        "evidence\",required=\"true\"} 1\n",
        "gpuvet_fit{workload=\"sdxl\",status=\"no_evidence\",asked=\"false\"} 1\n"})
    EXPECT_NE(out.find(line), std::string::npos) << line;
  EXPECT_EQ(out.find("gpuvet_scorecard{benchmark=\"health\""), std::string::npos);
}

TEST(Prometheus, CarriesObservationsInBaseUnits) {
  const std::string out = rendered("prometheus");
  for (const auto* line : {"gpuvet_topology_gpu_count_value{subject=\"node\"} 8\n",
                           "gpuvet_gpu_ecc_mode{subject=\"gpu:a\"} 1\n",
                           "gpuvet_gpu_memory_total_bytes{subject=\"gpu:a\"} 85899345920\n",
                           "gpuvet_gpu_utilization_ratio{subject=\"gpu:a\"} 0.1\n",
                           "# TYPE gpuvet_gpu_temperature_core_celsius gauge\n",
                           "# HELP gpuvet_gpu_temperature_core_celsius Core temperature.\n",
                           "gpuvet_collective_all_reduce_busbw_bytes_per_second{subject=\"node\","
                           "bytes=\"8589934592\",datatype=\"float\",gpus=\"8\"} 234900000000\n"})
    EXPECT_NE(out.find(line), std::string::npos) << line;
  EXPECT_EQ(out.find("gpuvet_gpu_fabric_state"), std::string::npos) << "absence is not a number";
}

TEST(Prometheus, TellsSourcesApartOnlyWhereTheyMeet) {
  const std::string out = rendered("prometheus");
  EXPECT_NE(
      out.find("gpuvet_gpu_temperature_core_celsius{subject=\"gpu:a\",source=\"a.txt\"} 62\n"),
      std::string::npos);
  EXPECT_EQ(testing::count(out, "source=\"b.txt\",line=\"7\"} 63.5\n"), 1u);
  EXPECT_EQ(testing::count(out, "source="), 2u);
}

TEST(Prometheus, PassesPromtool) {
  if (std::system("command -v promtool >/dev/null 2>&1") != 0) GTEST_SKIP() << "no promtool here";
  const std::string path = ::testing::TempDir() + "gpuvet_prometheus_test.txt";
  std::ofstream(path) << rendered("prometheus", every_id());
  EXPECT_EQ(std::system(("promtool check metrics < '" + path + "'").c_str()), 0);
  std::remove(path.c_str());
}

}  // namespace
}  // namespace gpuvet::report
