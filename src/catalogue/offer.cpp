// SPDX-License-Identifier: Apache-2.0
#include "catalogue/offer.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "catalogue/toml_reader.hpp"
#include "core/toml_text.hpp"

namespace gpuvet::catalogue {
namespace {

struct Named {
  std::string_view name;
  Unit unit;
};

constexpr std::array<Named, 13> known_figures = {{{"price", Unit::usd},
                                                  {"options", Unit::usd},
                                                  {"network", Unit::usd},
                                                  {"support", Unit::usd},
                                                  {"space", Unit::usd},
                                                  {"staff", Unit::usd},
                                                  {"power_busy", Unit::watt},
                                                  {"power_idle", Unit::watt},
                                                  {"utilisation", Unit::ratio},
                                                  {"availability", Unit::ratio},
                                                  {"kept_per_year", Unit::ratio},
                                                  {"delivery", Unit::second},
                                                  {"warranty", Unit::second}}};
constexpr std::array<std::string_view, 5> known_ways = {"measured", "quoted", "document", "assumed",
                                                        "article"};
constexpr std::array<std::string_view, 5> topologies = {"nvswitch", "nvlink-all", "nvlink-partial",
                                                        "pcie", "single"};
constexpr std::array<std::string_view, 3> coolings = {"air", "liquid", "immersion"};

template <class List>
bool holds(const List& list, std::string_view what) {
  return std::find(list.begin(), list.end(), what) != list.end();
}

double measure_in(TomlReader& in, std::string_view key, Unit unit, double otherwise) {
  if (!in.has(key)) return otherwise;
  const auto measure = in.measure(key);
  if (!measure) return otherwise;  // refused already
  // "3" for three dollars would leave open whether it is three or three thousand.
  if (measure->unit != unit) in.refuse(key, "must be in " + std::string(symbol(unit)));
  if (measure->value < 0) in.refuse(key, "must not be negative");
  return measure->value;
}

OfferFigure figure_in(TomlReader& in, Unit unit) {
  OfferFigure out;
  out.unit = unit;
  if (!in.has("value")) in.refuse("value", "is required");
  out.value = measure_in(in, "value", unit, 0);
  out.low = measure_in(in, "low", unit, out.value);
  out.high = measure_in(in, "high", unit, out.value);
  if (!(out.low <= out.value && out.value <= out.high)) in.refuse("value", "is outside low … high");
  if (unit == Unit::ratio && out.high > 1) in.refuse("value", "is a share above 100 %");
  out.document = in.text_or("document", "");
  if (in.has("page")) out.page = in.integer("page");
  out.known = in.text_or("known", out.document.empty() ? "quoted" : "document");
  if (!holds(known_ways, out.known))
    in.refuse("known", "must be measured, quoted, document, assumed or article");
  return out;
}

/// The words of `text`, or a refusal that lists `list`.
template <class List>
std::string one_of(TomlReader& in, std::string_view key, const List& list) {
  std::string text = in.text_or(key, "");
  if (text.empty() || holds(list, text)) return text;
  std::string all;
  for (const auto word : list) all += (all.empty() ? "" : ", ") + std::string(word);
  in.refuse(key, "must be one of " + all);
  return text;
}

void read_host(TomlReader& in, Offer& out) {
  const auto optional = [&](std::string_view key, Unit unit) {
    return in.has(key) ? std::optional(measure_in(in, key, unit, 0)) : std::nullopt;
  };
  out.cores = optional("cores", Unit::none);
  out.memory = optional("memory", Unit::byte);
  out.drives = optional("drives", Unit::none);
  out.network_ports = optional("network_ports", Unit::none);
}

void read_offer(TomlReader& in, const Catalogue& catalogue, Offer& out) {
  out.name = in.text("name");
  out.server = in.text_or("server", "");
  if (!out.server.empty() && catalogue.server(out.server) == nullptr)
    in.refuse("server", "'" + out.server + "' is not in the catalogue");
  out.gpu = in.text("gpu");
  if (!out.gpu.empty() && catalogue.gpu(out.gpu) == nullptr)
    in.refuse("gpu", "'" + out.gpu + "' is not in the catalogue");
  out.gpus = in.integer("gpus");
  if (out.gpus < 1 || out.gpus > 64) in.refuse("gpus", "must be between 1 and 64");
  out.topology = one_of(in, "topology", topologies);
  out.cooling = one_of(in, "cooling", coolings);
  if (in.has("certified")) out.certified = in.flag_or("certified", false);
  out.notes = in.texts("notes");
  in.table("host", [&](TomlReader& t) { read_host(t, out); });
  in.table("figures", [&](TomlReader& all) {
    for (const auto& key : all.keys()) {
      const auto found = std::find_if(known_figures.begin(), known_figures.end(),
                                      [&](const Named& n) { return n.name == key; });
      if (found == known_figures.end())
        all.refuse(key, "is no figure of an offer");
      else
        all.table(key, [&](TomlReader& t) { out.figures[key] = figure_in(t, found->unit); });
    }
  });
}

}  // namespace

const OfferFigure* Offer::figure(std::string_view wanted) const {
  const auto found = figures.find(wanted);
  return found == figures.end() ? nullptr : &found->second;
}

Result<Offer> parse_offer(std::string_view text, const Catalogue& catalogue) {
  constexpr std::size_t largest = std::size_t{256} << 10;
  if (text.size() > largest) return fail(Errc::too_large, "an offer of more than 256 KiB");
  GPUVET_CHECK(check_toml(text));
  const auto parsed = toml::parse(text);
  if (!parsed)
    return fail(Errc::malformed, std::string(parsed.error().description()),
                parsed.error().source().begin.line);
  std::optional<Error> problem;
  TomlReader reader(parsed.table(), problem);
  Offer out;
  read_offer(reader, catalogue, out);
  reader.finish();
  if (problem) return tl::make_unexpected(std::move(*problem));
  return out;
}

}  // namespace gpuvet::catalogue
