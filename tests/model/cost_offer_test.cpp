// SPDX-License-Identifier: Apache-2.0
#include "model/cost_offer.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const catalogue::Catalogue& shipped() {
  static const auto out = catalogue::built_in();
  return out;
}

catalogue::Offer example(const std::string& name) {
  std::ifstream in(GPUVET_SOURCE_DIR "/examples/offers/" + name + ".toml");
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  return *catalogue::parse_offer(text, shipped());
}

Answer<CostInputs> inputs(const catalogue::Offer& offer) {
  return cost_inputs(offer, shipped(), Power(Constants(shipped())), Intervals(shipped()),
                     Costs(shipped()), Load::mixed);
}

TEST(cost_offer, takes_the_offers_figures_and_predicts_the_rest) {
  auto offer = example("dell-xe9680");
  offer.figures["support"] = {8760, 8760, 8760, Unit::usd, "quote", 2, "document"};
  const auto in = *inputs(offer);
  EXPECT_EQ(in.price->likely(), 37700 * USD);
  EXPECT_EQ(in.price->figure.known, Known::article);
  EXPECT_NEAR((in.support.likely() * h).base(), 1, 1e-9);  // 8,760 USD a year
  EXPECT_EQ(in.support.figure.source, "quote page 2");
  EXPECT_EQ(in.busy_power.figure.known, Known::predicted);
  EXPECT_LT(in.busy_power.figure.low, in.busy_power.figure.high);
  EXPECT_GT(in.busy_power.likely(), in.idle_power.likely());
}

TEST(cost_offer, measured_power_replaces_the_prediction) {
  auto offer = example("dell-xe9680");
  offer.figures["power_busy"] = {4100, 4100, 4100, Unit::watt, "pdu.csv", 0, "measured"};
  EXPECT_EQ(inputs(offer)->busy_power.likely(), 4100 * W);
  EXPECT_EQ(inputs(offer)->busy_power.figure.known, Known::measured);
}

TEST(cost_offer, an_xe9680_has_500_watt_modules) {
  EXPECT_EQ(powered_server(example("dell-xe9680"), shipped())->limit, 500 * W);
  EXPECT_FALSE(powered_server(example("hpe-apollo-6500"), shipped())->limit.has_value());
}

TEST(cost_offer, without_a_price_there_is_a_break_even_price) {
  const auto in = *inputs(example("hpe-apollo-6500"));
  EXPECT_FALSE(Costs(shipped()).cost(in));
  const auto rent = rent_of("a100-sxm4-40gb", shipped());
  ASSERT_TRUE(rent);
  const auto price = *Costs(shipped()).break_even_price(in, *rent);
  EXPECT_GT(price.p50, 50000 * USD);
  EXPECT_LT(price.p10, price.p90);
  EXPECT_FALSE(rent_of("t4-16gb", shipped()));
}

}  // namespace
}  // namespace gpuvet::model
