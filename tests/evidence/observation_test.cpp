// SPDX-License-Identifier: Apache-2.0
// Observations as people read them.
#include "evidence/observation.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>
#include <vector>

namespace gpuvet {
namespace {

using Texts = std::vector<std::string>;

Observation observation(Id id, std::variant<Absence, Value> value, std::string detail = {}) {
  return {id, "gpu:0", {}, std::move(value), std::move(detail), std::make_shared<Provenance>(), 0};
}

TEST(Format, ShowsNumbersInTheUnitOfTheId) {
  EXPECT_EQ(format("gpu.temperature.core"_id, Value{62.0}), "62 °C");
  EXPECT_EQ(format("collective.all_reduce.busbw"_id, Value{234.9e9}), "234.9 GB/s");
  EXPECT_EQ(format("collective.all_reduce.wrong"_id, Value{0.0}), "0");
}

TEST(Format, ShowsFlagsTextsAndLists) {
  EXPECT_EQ(format("thermal.log.admissible"_id, Value{true}), "yes");
  EXPECT_EQ(format("thermal.log.admissible"_id, Value{false}), "no");
  EXPECT_EQ(format("topology.class"_id, Value{std::string("nvswitch")}), "nvswitch");
  EXPECT_EQ(format("topology.columns"_id, Value{Texts{"GPU0", "GPU1"}}), "GPU0, GPU1");
  EXPECT_EQ(format("gpu.temperature.core"_id, Value{std::vector<double>{60, 61.5}}),
            "60 °C, 61.5 °C");
}

TEST(Format, SaysNoneForAnEmptyList) {
  EXPECT_EQ(format("topology.columns"_id, Value{Texts{}}), "none");
}

TEST(Format, SaysWhyThereIsNoValue) {
  EXPECT_EQ(format(observation("gpu.power.draw"_id, Absence::not_supported)), "not supported");
  EXPECT_EQ(format(observation("gpu.power.draw"_id, Absence::timeout, "after 5 s")),
            "timeout (after 5 s)");
}

TEST(Format, ShowsDimensionsWithTheirUnits) {
  EXPECT_EQ(format(Where{}), "");
  EXPECT_EQ(format(Where{{"gpus", 8.0}, {"bytes", 17179869184.0}}), "bytes=16 GiB, gpus=8");
  EXPECT_EQ(format(Where{{"datatype", std::string("float")}}), "datatype=float");
}

TEST(Observation, GivesAValueOnlyAsItsOwnType) {
  const Observation o = observation("gpu.temperature.core"_id, Value{62.0});
  ASSERT_NE(o.number(), nullptr);
  EXPECT_EQ(*o.number(), 62);
  EXPECT_EQ(o.text(), nullptr);
  EXPECT_EQ(o.flag(), nullptr);
  EXPECT_EQ(observation("gpu.temperature.core"_id, Absence::malformed).get(), nullptr);
}

TEST(Names, AreDifferentAndNotEmpty) {
  std::set<std::string_view> names = {""};
  for (const auto a : {Absence::not_supported, Absence::permission, Absence::timeout,
                       Absence::malformed, Absence::not_asked})
    EXPECT_TRUE(names.insert(name(a)).second) << name(a);
  for (const auto h :
       {How::measured, How::reported, How::claimed, How::derived, How::modelled, How::assumed})
    EXPECT_TRUE(names.insert(name(h)).second) << name(h);
  for (const auto c : {Custody::own, Custody::received, Custody::simulated})
    EXPECT_TRUE(names.insert(name(c)).second) << name(c);
  for (const auto n : {Nature::property, Nature::state})
    EXPECT_TRUE(names.insert(name(n)).second) << name(n);
}

}  // namespace
}  // namespace gpuvet
