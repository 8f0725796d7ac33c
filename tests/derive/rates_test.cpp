// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

class Rates : public testing::Test {
 protected:
  void pair(const std::string& link, const std::string& kind, double there, double back,
            double latency = 2e-6) {
    out_.text("link.kind"_id, link, kind);
    const Where where{{"direction", std::string("read")},
                      {"engine", std::string("ce")},
                      {"p2p", std::string("enabled")},
                      {"bytes", 1e6}};
    out_.number("peer.bandwidth"_id, link, there, where);
    out_.number("peer.bandwidth"_id, link, back, where);
    out_.number("peer.latency"_id, link, latency, {{"p2p", std::string("enabled")}});
  }
  void host(const std::string& gpu, Id id, double rate, double concurrent) {
    out_.number(id, gpu, rate,
                {{"memory", std::string("pinned")}, {"concurrent", concurrent}, {"bytes", 1e6}});
  }
  double value(Id id, const std::string& subject) {
    const auto* o = find(evidence_, id, subject);
    return o == nullptr || o->number() == nullptr ? -1 : *o->number();
  }
  Evidence evidence_;

 private:
  Recorder out_{evidence_, {}};
};

TEST_F(Rates, TheSlowerDirectionOfAPair) {
  pair("link:A~B", "nvlink", 90e9, 30e9);
  compare_rates(evidence_);
  EXPECT_DOUBLE_EQ(value("peer.one_way"_id, "link:A~B"), 1.0 / 3);
}

TEST_F(Rates, PairsAreComparedWithPairsOfTheirKindAlone) {
  pair("link:A~B", "nvlink", 90e9, 90e9);
  pair("link:A~C", "nvlink", 90e9, 90e9, 6e-6);
  pair("link:B~C", "nvlink", 45e9, 90e9);
  pair("link:A~D", "sys", 20e9, 20e9);
  compare_rates(evidence_);
  EXPECT_DOUBLE_EQ(value("peer.below_alike"_id, "link:A~B"), 0);
  EXPECT_DOUBLE_EQ(value("peer.below_alike"_id, "link:B~C"), 0.5);
  EXPECT_DOUBLE_EQ(value("peer.latency_above_alike"_id, "link:A~C"), 3);
  EXPECT_EQ(value("peer.below_alike"_id, "link:A~D"), -1);  // alone of its kind
}

TEST_F(Rates, OneHostLinkAloneAndWithOthersAndBothWays) {
  host("gpu:A", "hostlink.h2d"_id, 26e9, 1);
  host("gpu:A", "hostlink.h2d"_id, 13e9, 8);
  host("gpu:A", "hostlink.d2h"_id, 20.8e9, 1);
  host("gpu:B", "hostlink.h2d"_id, 26e9, 1);
  compare_rates(evidence_);
  EXPECT_DOUBLE_EQ(value("hostlink.h2d.concurrent_share"_id, "gpu:A"), 0.5);
  EXPECT_DOUBLE_EQ(value("hostlink.one_way"_id, "gpu:A"), 0.8);
  EXPECT_EQ(value("hostlink.h2d.concurrent_share"_id, "gpu:B"), -1);
  EXPECT_EQ(value("hostlink.one_way"_id, "gpu:B"), -1);
}

}  // namespace
}  // namespace gpuvet::derive
