// SPDX-License-Identifier: Apache-2.0
// data/prices.toml and data/upgrades.toml: what things cost and what servers can become.
#include <algorithm>
#include <array>
#include <utility>

#include "catalogue/parse.hpp"

namespace gpuvet::catalogue {
namespace {

/// Base units in one of `unit`: USD, USD per second, USD per joule.
std::optional<double> scale_of(std::string_view unit) {
  constexpr std::array<std::pair<std::string_view, double>, 5> units = {
      {{"USD", 1},
       {"USD/h", 1.0 / 3600},
       {"USD/year", 1.0 / (8760 * 3600)},
       {"USD/kWh", 1 / 3.6e6},
       {"", 1}}};
  const auto found =
      std::find_if(units.begin(), units.end(), [&](const auto& u) { return u.first == unit; });
  return found == units.end() ? std::nullopt : std::optional(found->second);
}

double number(TomlReader& in, std::string_view key) {
  const auto measure = in.measure(key);
  if (!measure || measure->unit != Unit::none) in.refuse(key, "must be a bare number");
  return measure ? measure->value : 0;
}

Source source_in(TomlReader& in) {
  Source out;
  in.table("source", [&](TomlReader& t) {
    out.tier = t.integer("tier");
    out.ref = t.text("ref");
  });
  if (out.ref.empty()) in.refuse("source", "every entry has a source = {tier, ref}");
  return out;
}

}  // namespace

void parse_prices(TomlReader& in, Catalogue& out) {
  in.each_table("price", [&](TomlReader& t) {
    Price price;
    price.id = t.text("id");
    price.means = t.text("means");
    price.unit = t.text("unit");
    price.date = t.text("date");
    const auto scale = scale_of(price.unit);
    if (!scale) t.refuse("unit", "must be USD, USD/h, USD/year or USD/kWh");
    price.value = number(t, "value") * scale.value_or(1);
    price.low = number(t, "low") * scale.value_or(1);
    price.high = number(t, "high") * scale.value_or(1);
    if (!(price.low <= price.value && price.value <= price.high))
      t.refuse("value", "is outside low … high");
    price.source = source_in(t);
    refuse_twice(t, out.prices, price.id);
    out.prices.push_back(std::move(price));
  });
}

void parse_upgrades(TomlReader& in, Catalogue& out) {
  in.each_table("upgrade", [&](TomlReader& t) {
    Upgrade u;
    u.server = t.text("server");
    u.kind = t.text("kind");
    u.from = t.texts("from");
    u.to = t.text_or("to", "");
    u.what = t.text("what");
    u.source = source_in(t);
    constexpr std::array<std::string_view, 5> kinds = {"baseboard", "cards", "firmware", "network",
                                                       "node"};
    if (std::find(kinds.begin(), kinds.end(), u.kind) == kinds.end())
      t.refuse("kind", "must be baseboard, cards, firmware, network or node");
    const std::string status = t.text("status");
    u.documented = status == "documented";
    if (!u.documented && status != "contradicted")
      t.refuse("status", "must be documented or contradicted");
    out.upgrades.push_back(std::move(u));
  });
}

const Price* Catalogue::price(std::string_view id) const {
  const auto found =
      std::find_if(prices.begin(), prices.end(), [&](const Price& p) { return p.id == id; });
  return found == prices.end() ? nullptr : &*found;
}

}  // namespace gpuvet::catalogue
