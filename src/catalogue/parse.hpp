// SPDX-License-Identifier: Apache-2.0
// Inside the catalogue: one parser per kind of data file.
#pragma once

#include <algorithm>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "catalogue/toml_reader.hpp"

namespace gpuvet::catalogue {

/// Refuses an id that `all` holds already.
template <class T>
void refuse_twice(TomlReader& in, const std::vector<T>& all, const std::string& id) {
  const bool known =
      std::any_of(all.begin(), all.end(), [&](const T& other) { return other.id == id; });
  if (known) in.refuse("id", "'" + id + "' stands twice");
}

void parse_groups(TomlReader& in, Catalogue& out);
void parse_criteria(TomlReader& in, const std::string& file, Catalogue& out);
Need need_in(TomlReader& in);
void parse_workload(TomlReader& in, Catalogue& out);
void parse_gpu(TomlReader& in, Catalogue& out);
void parse_server(TomlReader& in, Catalogue& out);
void parse_xids(TomlReader& in, Catalogue& out);
void parse_sxids(TomlReader& in, Catalogue& out);
void parse_claims(TomlReader& in, Catalogue& out);
void parse_article_orders(TomlReader& in, Catalogue& out);
void parse_model(TomlReader& in, Catalogue& out);
void parse_architecture(TomlReader& in, Catalogue& out);
void parse_intervals(TomlReader& in, Catalogue& out);
void parse_prices(TomlReader& in, Catalogue& out);
void parse_upgrades(TomlReader& in, Catalogue& out);
void parse_verified(TomlReader& in, Catalogue& out);

}  // namespace gpuvet::catalogue
