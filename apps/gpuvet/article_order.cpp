// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/article_order.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "core/text.hpp"
#include "gpuvet/outlook_output.hpp"

namespace gpuvet::app {
namespace {

using catalogue::ArticleOrder;

constexpr double same_within = 0.005;

const OurPlace* of_server(const std::vector<OurPlace>& ours, const std::string& server) {
  const auto found =
      std::find_if(ours.begin(), ours.end(), [&](const OurPlace& p) { return p.server == server; });
  return found == ours.end() ? nullptr : &*found;
}

OrderDifference difference(const ArticleOrder& order, const ArticleOrder::Place& better,
                           const ArticleOrder::Place& worse) {
  OrderDifference out;
  out.article =
      fmt::format("{} {} before {} {}", better.value, order.unit, worse.value, order.unit);
  out.claims = {better.claim, worse.claim};
  for (const auto& known : order.differences) {
    if (known.better != better.server || known.worse != worse.server) continue;
    out.why = known.why;
    for (const auto& id : known.claims)
      if (std::find(out.claims.begin(), out.claims.end(), id) == out.claims.end())
        out.claims.push_back(id);
  }
  return out;
}

}  // namespace

OrderComparison against_article(const ArticleOrder& order, const std::vector<OurPlace>& ours,
                                const Reason& reason) {
  OrderComparison out;
  out.order = &order;
  for (std::size_t i = 0; i < order.places.size(); ++i)
    for (std::size_t j = i + 1; j < order.places.size(); ++j) {
      const auto *a = of_server(ours, order.places[i].server),
                 *b = of_server(ours, order.places[j].server);
      if (a == nullptr || b == nullptr) continue;
      ++out.pairs;
      if (order.places[i].value == order.places[j].value) continue;
      const bool equal =
          std::abs(a->value - b->value) <= same_within * std::max(a->value, b->value);
      if (!equal && a->value < b->value) continue;
      auto found = difference(order, order.places[i], order.places[j]);
      found.articles_better = a;
      found.articles_worse = b;
      found.equal = equal;
      found.sure = b->high < a->low;
      if (!equal) found.model = reason(b->name, a->name);
      out.differences.push_back(std::move(found));
    }
  return out;
}

std::string text_of(const OrderComparison& c, const catalogue::Catalogue& catalogue,
                    std::size_t width) {
  if (c.pairs == 0) return {};
  std::string out = item(
      "  ",
      fmt::format("the article's order by {} ({}): {} of {} pairs are the other way round here "
                  "or the same{}",
                  c.order->by, c.order->figure, c.differences.size(), c.pairs,
                  c.differences.empty() ? "" : ":"),
      width);
  std::set<std::string> cited;
  for (const auto& d : c.differences) {
    out +=
        item("  -  ",
             fmt::format("it has {} before {} ({}); here {} against {}{}{}. {} [{}]",
                         printable(d.articles_better->name), printable(d.articles_worse->name),
                         d.article, d.articles_better->shown, d.articles_worse->shown,
                         d.equal  ? ", the same"
                         : d.sure ? ""
                                  : ", intervals that overlap",
                         d.model.empty() ? "" : ": " + d.model, d.why, fmt::join(d.claims, ", ")),
             width);
    cited.insert(d.claims.begin(), d.claims.end());
  }
  for (const auto& id : cited)
    if (const auto* claim = catalogue.claim(id))
      out += item("     ", fmt::format("{} ({}): {}", id, claim->verdict, claim->found), width);
  return out;
}

Json to_json(const OrderComparison& c, const catalogue::Catalogue& catalogue) {
  Json order = Json::array(), differences = Json::array();
  for (const auto& place : c.order->places)
    order.push_back({{"server", place.server}, {"value", place.value}, {"claim", place.claim}});
  for (const auto& d : c.differences) {
    Json sources = Json::array();
    for (const auto& id : d.claims)
      if (const auto* claim = catalogue.claim(id))
        sources.push_back({{"claim", id},
                           {"quote", claim->quote},
                           {"verdict", claim->verdict},
                           {"found", claim->found}});
    differences.push_back({{"article_better", d.articles_better->name},
                           {"article_worse", d.articles_worse->name},
                           {"article", d.article},
                           {"here_better", d.equal ? Json() : Json(d.articles_worse->name)},
                           {"here", {d.articles_better->value, d.articles_worse->value}},
                           {"sure", d.sure},
                           {"why", d.why},
                           {"model", d.model},
                           {"sources", std::move(sources)}});
  }
  return {{"by", c.order->by},     {"figure", c.order->figure},
          {"unit", c.order->unit}, {"order", std::move(order)},
          {"pairs", c.pairs},      {"differences", std::move(differences)}};
}

}  // namespace gpuvet::app
