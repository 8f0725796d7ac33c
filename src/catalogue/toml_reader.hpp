// SPDX-License-Identifier: Apache-2.0
// A TOML table read key by key. The first thing wrong is kept with file and line; keys that nobody
// asked for are wrong too, so that a typo in the catalogue never passes silently.
#pragma once

#include <toml++/toml.h>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "core/units.hpp"

namespace gpuvet::catalogue {

class TomlReader {
 public:
  /// `problem` outlives the reader and is shared by all readers of one file.
  TomlReader(const toml::table& table, std::optional<Error>& problem);

  [[nodiscard]] bool has(std::string_view key) const { return table_.contains(key); }

  std::string text(std::string_view key);  ///< required
  std::string text_or(std::string_view key, std::string_view otherwise);
  bool flag_or(std::string_view key, bool otherwise);
  int integer(std::string_view key);                     ///< required
  std::vector<std::string> texts(std::string_view key);  ///< one text or a list; none: {}

  /// Texts, numbers or flags, one or a list, as text: 8 -> "8", true -> "true".
  std::vector<std::string> scalars(std::string_view key);

  /// A bare number, or text with a unit ("400 W").
  std::optional<Measure> measure(std::string_view key);

  void each_table(std::string_view key,
                  const std::function<void(TomlReader&)>& visit);  ///< [[key]]
  void table(std::string_view key,
             const std::function<void(TomlReader&)>& visit);  ///< [key], optional
  [[nodiscard]] std::vector<std::string> keys() const;        ///< in file order

  /// Refuses keys that were not asked for.
  void finish();

  void refuse(std::string_view key, std::string what);

 private:
  const toml::node* take(std::string_view key);

  const toml::table& table_;
  std::optional<Error>& problem_;
  std::set<std::string, std::less<>> asked_;
};

}  // namespace gpuvet::catalogue
