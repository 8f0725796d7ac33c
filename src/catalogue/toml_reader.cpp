// SPDX-License-Identifier: Apache-2.0
#include "catalogue/toml_reader.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

std::size_t line_of(const toml::node& node) { return node.source().begin.line; }

}  // namespace

TomlReader::TomlReader(const toml::table& table, std::optional<Error>& problem)
    : table_{table}, problem_{problem} {}

const toml::node* TomlReader::take(std::string_view key) {
  asked_.emplace(key);
  return table_.get(key);
}

void TomlReader::refuse(std::string_view key, std::string what) {
  if (problem_) return;
  const toml::node* node = table_.get(key);
  problem_ = Error{Errc::malformed,
                   std::string(key) + ": " + std::move(what),
                   line_of(node == nullptr ? table_ : *node),
                   {},
                   {}};
}

std::string TomlReader::text(std::string_view key) {
  if (!has(key)) refuse(key, "is required");
  return text_or(key, "");
}

std::string TomlReader::text_or(std::string_view key, std::string_view otherwise) {
  const toml::node* node = take(key);
  if (node == nullptr) return std::string(otherwise);
  const auto value = node->value_exact<std::string>();
  if (!value) refuse(key, "must be text");
  return value.value_or("");
}

bool TomlReader::flag_or(std::string_view key, bool otherwise) {
  const toml::node* node = take(key);
  if (node == nullptr) return otherwise;
  const auto value = node->value_exact<bool>();
  if (!value) refuse(key, "must be true or false");
  return value.value_or(otherwise);
}

int TomlReader::integer(std::string_view key) {
  const toml::node* node = take(key);
  const auto value = node == nullptr ? std::nullopt : node->value_exact<std::int64_t>();
  if (!value || !std::in_range<int>(*value)) refuse(key, "must be an integer");
  return static_cast<int>(value.value_or(0));
}

std::vector<std::string> TomlReader::texts(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return {};
  if (const auto one = node->value_exact<std::string>()) return {*one};
  const toml::array* list = node->as_array();
  std::vector<std::string> out;
  if (list == nullptr)
    refuse(key, "must be text or a list of texts");
  else
    for (const auto& element : *list) {
      const auto value = element.value_exact<std::string>();
      if (!value) refuse(key, "must be a list of texts");
      out.push_back(value.value_or(""));
    }
  return out;
}

std::vector<std::string> TomlReader::scalars(std::string_view key) {
  const toml::node* node = take(key);
  std::vector<std::string> out;
  const auto add = [&](const toml::node& scalar) {
    if (const auto text_value = scalar.value_exact<std::string>())
      out.push_back(*text_value);
    else if (const auto flag = scalar.value_exact<bool>())
      out.emplace_back(*flag ? "true" : "false");
    else if (scalar.is_number())
      out.push_back(format_number(scalar.value<double>().value_or(0)));
    else
      refuse(key, "must be text, a number or a flag");
  };
  if (node == nullptr) return out;
  if (const toml::array* list = node->as_array())
    for (const auto& element : *list) add(element);
  else
    add(*node);
  return out;
}

std::optional<Measure> TomlReader::measure(std::string_view key) {
  const toml::node* node = take(key);
  if (node == nullptr) return {};
  if (node->is_number()) return Measure{node->value<double>().value_or(0), Unit::none};
  const auto parsed = parse_measure(node->value_exact<std::string>().value_or(""));
  if (parsed) return *parsed;
  refuse(key, parsed.error().what);
  return {};
}

void TomlReader::each_table(std::string_view key, const std::function<void(TomlReader&)>& visit) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  const toml::array* list = node->as_array();
  if (list == nullptr || !list->is_homogeneous(toml::node_type::table)) {
    refuse(key, "must be written as [[" + std::string(key) + "]]");
    return;
  }
  for (const auto& element : *list) {
    TomlReader reader(*element.as_table(), problem_);
    visit(reader);
    reader.finish();
  }
}

void TomlReader::table(std::string_view key, const std::function<void(TomlReader&)>& visit) {
  const toml::node* node = take(key);
  if (node == nullptr) return;
  if (!node->is_table()) {
    refuse(key, "must be a table");
    return;
  }
  TomlReader reader(*node->as_table(), problem_);
  visit(reader);
  reader.finish();
}

std::vector<std::string> TomlReader::keys() const {
  std::vector<std::pair<std::size_t, std::string>> placed;
  for (const auto& [key, node] : table_) placed.emplace_back(line_of(node), key.str());
  std::stable_sort(placed.begin(), placed.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> out;
  for (auto& [line, key] : placed) out.push_back(std::move(key));
  return out;
}

void TomlReader::finish() {
  for (const auto& [key, node] : table_)
    if (!asked_.contains(key.str())) refuse(key.str(), "is not a key that belongs here");
}

}  // namespace gpuvet::catalogue
