// SPDX-License-Identifier: Apache-2.0
#include "model/cost_ranking.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

using namespace units;

const Costs& costs() {
  static const auto catalogue = catalogue::built_in();
  static const Costs out(catalogue, 4000);
  return out;
}

Candidate offer(const char* name, double price, double spread, double hours) {
  Candidate out;
  out.cost = costs().usual(8, Input<Watts>::predicted(3.5 * kW, 4 * kW, 4.6 * kW),
                           Input<Watts>::exactly(1 * kW, Known::predicted));
  out.cost.offer = name;
  out.cost.price = Input<Usd>::between((1 - spread) * price * USD, price * USD,
                                       (1 + spread) * price * USD, Known::quoted);
  out.work = Work{Work::Per::job, "one epoch", Input<Seconds>::exactly(hours * h, Known::measured)};
  return out;
}

TEST(cost_ranking, what_offers_share_does_not_blur_their_difference) {
  // Utilisation and electricity make either cost vary by half; a price 10 % lower is lower all the
  // same, whatever they are.
  const auto a = offer("A", 90000, 0, 10), b = offer("B", 100000, 0, 10);
  const auto r = *rank({b, a}, costs());
  ASSERT_EQ(r.order.size(), 2U);
  EXPECT_EQ(r.order[0].offer, "A");
  EXPECT_GT(r.order[0].metric.p90, r.order[1].metric.p10);  // the intervals overlap
  EXPECT_TRUE(r.pairs[0].real);
}

TEST(cost_ranking, a_difference_inside_the_quotes_is_not_real) {
  const auto r = *rank({offer("A", 98000, 0.2, 10), offer("B", 100000, 0.2, 10)}, costs());
  EXPECT_FALSE(r.pairs[0].real);
  EXPECT_GT(r.pairs[0].probability, 0.5);
  // Either price alone would turn the order, and is what to ask.
  const auto price_flip = std::find_if(r.flips.begin(), r.flips.end(),
                                       [](const auto& f) { return f.input == "price"; });
  ASSERT_NE(price_flip, r.flips.end());
  EXPECT_GT(price_flip->chance, 0.2);
  ASSERT_FALSE(r.ask.empty());
  EXPECT_EQ(r.ask[0].input, "price");
  EXPECT_GT(r.ask[0].worth, 0);
}

TEST(cost_ranking, a_figure_of_the_site_is_one_question_and_worth_nothing_where_order_stands) {
  const auto r = *rank({offer("A", 50000, 0, 10), offer("B", 150000, 0, 10)}, costs());
  const auto electricity = std::count_if(r.ask.begin(), r.ask.end(),
                                         [](const auto& q) { return q.input == "electricity"; });
  EXPECT_EQ(electricity, 1);
  for (const auto& question : r.ask) EXPECT_NEAR(question.worth, 0, 1e-9) << question.input;
}

TEST(cost_ranking, the_front_keeps_what_is_best_in_something) {
  auto slow = offer("cheap and slow", 50000, 0.1, 15), fast = offer("fast", 200000, 0.1, 5);
  auto worse = offer("worse", 210000, 0.1, 16);
  const auto r = *rank({slow, fast, worse}, costs());
  for (const auto& place : r.order) EXPECT_EQ(place.on_front, place.offer != "worse");
  EXPECT_EQ(r.order.back().offer, "worse");
  worse.risk = 0;
  slow.risk = fast.risk = 0.3;  // now it is the one that surely works
  const auto surer = *rank({slow, fast, worse}, costs());
  for (const auto& place : surer.order) EXPECT_TRUE(place.on_front) << place.offer;
}

TEST(cost_ranking, flips_are_where_the_order_turns) {
  auto a = offer("A", 100000, 0, 10), b = offer("B", 104000, 0.2, 10);
  const auto r = *rank({a, b}, costs());
  const auto flip = std::find_if(r.flips.begin(), r.flips.end(), [](const auto& f) {
    return f.input == "price" && f.offer == "B";
  });
  ASSERT_NE(flip, r.flips.end());
  EXPECT_NEAR(flip->at, 100000, 100);
  EXPECT_EQ(flip->in, Ranking::In::usd);
}

TEST(cost_ranking, a_flip_says_what_its_figure_is_in) {
  auto a = offer("A", 100000, 0.2, 10), b = offer("B", 104000, 0.2, 10);
  a.cost.busy_power = Input<Watts>::predicted(2 * kW, 4 * kW, 8 * kW);
  a.work->time = Input<Seconds>::predicted(8 * h, 10 * h, 12 * h);
  const auto r = *rank({a, b}, costs());
  const auto in = [&](std::string_view input) -> std::optional<Ranking::In> {
    for (const auto& flip : r.flips)
      if (flip.input == input) return flip.in;
    return {};
  };
  EXPECT_EQ(in("price"), Ranking::In::usd);
  EXPECT_EQ(in("busy power"), Ranking::In::watt);
  EXPECT_EQ(in("time of the work"), Ranking::In::second);
}

RC_GTEST_PROP(cost_ranking, shares_of_the_best_sum_to_one_and_the_order_follows_the_median, ()) {
  std::vector<Candidate> all;
  const char* names[] = {"A", "B", "C", "D"};
  for (const char* name : names)
    all.push_back(offer(name, *rc::gen::inRange(40000, 200000), 0.2, *rc::gen::inRange(5, 20)));
  const auto r = *rank(all, costs());
  double best = 0;
  for (std::size_t i = 0; i < r.order.size(); ++i) {
    best += r.order[i].best;
    if (i > 0) RC_ASSERT(r.order[i - 1].metric.p50 <= r.order[i].metric.p50);
  }
  RC_ASSERT(std::abs(best - 1) < 1e-9);
  RC_ASSERT(std::any_of(r.order.begin(), r.order.end(), [](auto& p) { return p.on_front; }));
}

TEST(cost_ranking, refuses_what_it_cannot_compare) {
  const auto a = offer("A", 1e5, 0, 10);
  EXPECT_FALSE(rank({a}, costs()));
  EXPECT_FALSE(rank({a, a}, costs()));
  auto b = offer("B", 1e5, 0, 10);
  b.work.reset();
  EXPECT_FALSE(rank({a, b}, costs()));
  b = offer("B", 1e5, 0, 10);
  b.cost.price.reset();
  EXPECT_EQ(rank({a, b}, costs()).error().reason.substr(0, 2), "B:");
}

}  // namespace
}  // namespace gpuvet::model
