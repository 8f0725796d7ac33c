// SPDX-License-Identifier: Apache-2.0
// JSON with the line of every value, for documents whose facts are reported one by one. Bounded in
// depth and in number of values, and without exceptions, so that any bytes may be parsed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::ingest {

struct JsonNode {
  enum class Kind : std::uint8_t { null, flag, number, text, array, object };

  Kind kind = Kind::null;
  bool flag = false;
  double number = 0;
  std::size_t line = 0;         ///< of the key, or of the value in an array; 1-based
  std::string key;              ///< in its object
  std::string text;             ///< of a text
  std::vector<JsonNode> items;  ///< of an array or object, in the file's order

  [[nodiscard]] bool is(Kind wanted) const { return kind == wanted; }

  /// The value below `path`, "Status/Health"; null when there is none.
  [[nodiscard]] const JsonNode* at(std::string_view path) const;
  /// The elements of the array below `path`; none when there is no such array.
  [[nodiscard]] const std::vector<JsonNode>& list(std::string_view path) const;
  /// The text below `path` without surrounding blanks; empty when there is none.
  [[nodiscard]] std::string_view words(std::string_view path) const;
  [[nodiscard]] std::optional<double> number_at(std::string_view path) const;
};

/// The document in `text`, which starts at `first_line` of its file.
Result<JsonNode> parse_json_tree(std::string_view text, std::size_t first_line = 1);

}  // namespace gpuvet::ingest
