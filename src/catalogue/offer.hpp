// SPDX-License-Identifier: Apache-2.0
// offer.toml: a server that somebody offers, with what the offer says about price and terms.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/result.hpp"
#include "core/units.hpp"

namespace gpuvet::catalogue {

/// One figure of an offer in base units, and where it stands.
struct OfferFigure {
  double value = 0, low = 0, high = 0;  ///< low and high are the value where it is no range
  Unit unit = Unit::none;
  std::string document;  ///< "quote 4711.pdf"; empty: nobody's document
  int page = 0;          ///< 0: not given
  std::string known;     ///< "measured", "quoted", "document", "assumed" or "article"
};

/// Figures by name, with the unit they are kept in:
///   price, options, network          USD, of one server
///   support, space, staff            USD for one year
///   power_busy, power_idle           W at the wall
///   utilisation, availability        share
///   kept_per_year                    share of the price that a year leaves for resale
///   delivery, warranty               s
struct Offer {
  std::string name;
  std::string server;    ///< id in data/servers; empty: described by hand
  std::string gpu;       ///< id in data/gpus
  int gpus = 0;          ///< of the whole server
  std::string topology;  ///< "nvswitch", "nvlink-all", "nvlink-partial", "pcie", "single"
  std::string cooling;   ///< "air", "liquid", "immersion"; empty: not said
  std::optional<bool> certified;
  std::optional<double> cores, memory, drives, network_ports;  ///< of the host; memory in bytes
  std::map<std::string, OfferFigure, std::less<>> figures;
  std::vector<std::string> notes;

  [[nodiscard]] const OfferFigure* figure(std::string_view name) const;
};

/// Takes any bytes. The error names the line; a key or figure that offers do not have, a unit that
/// does not fit, a GPU or server that the catalogue lacks are errors.
Result<Offer> parse_offer(std::string_view text, const Catalogue&);

}  // namespace gpuvet::catalogue
