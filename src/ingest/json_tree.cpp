// SPDX-License-Identifier: Apache-2.0
// The parser is nlohmann's, driven through its events: its own tree keeps no lines.
#include "ingest/json_tree.hpp"

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t deepest = 64;           // Redfish needs about 10
constexpr std::size_t most_values = 500'000;  // a server's whole tree has about 50,000
constexpr std::size_t shown = 40;

/// Counts the lines that the parser has taken.
class CountingIterator {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  CountingIterator(const char* at, std::size_t* lines) : at_{at}, lines_{lines} {}
  reference operator*() const { return *at_; }
  CountingIterator& operator++() {
    if (*at_ == '\n') ++*lines_;
    ++at_;
    return *this;
  }
  CountingIterator operator++(int) {
    auto before = *this;
    ++*this;
    return before;
  }
  bool operator==(const CountingIterator& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  std::size_t* lines_;
};

/// Events -> tree. Pointers to open containers stay valid: only the innermost one grows.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  using Kind = JsonNode::Kind;

  Builder(std::string_view text, std::size_t& line, std::size_t first)
      : text_{text}, line_{line}, first_{first} {}

  bool null() override { return add(Kind::null) != nullptr; }
  bool boolean(bool value) override {
    JsonNode* node = add(Kind::flag);
    if (node != nullptr) node->flag = value;
    return node != nullptr;
  }
  bool number_integer(number_integer_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_unsigned(number_unsigned_t value) override {
    return number(static_cast<double>(value));
  }
  bool number_float(number_float_t value, const string_t& /*text*/) override {
    return number(value);
  }
  bool string(string_t& value) override {
    JsonNode* node = add(Kind::text);
    if (node != nullptr) node->text = std::move(value);
    return node != nullptr;
  }
  bool binary(binary_t& /*value*/) override { return false; }
  bool start_object(std::size_t /*n*/) override { return open(Kind::object); }
  bool start_array(std::size_t /*n*/) override { return open(Kind::array); }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    key_line_ = line_;
    return true;
  }

  bool parse_error(std::size_t position, const std::string& last_token,
                   const nlohmann::detail::exception& /*why*/) override {
    // Beyond the last character: nothing is wrong but that the rest is missing.
    if (position > text_.size()) {
      error_ =
          Error{Errc::malformed, "the file ends early: its JSON is not complete", line_, {}, {}};
      return false;
    }
    const auto before = text_.substr(0, position > 0 ? position - 1 : 0);
    error_ = Error{Errc::malformed,
                   "not JSON at '" + printable(std::string_view(last_token).substr(0, shown)) + "'",
                   first_ + static_cast<std::size_t>(std::ranges::count(before, '\n')),
                   {},
                   {}};
    return false;
  }

  JsonNode root;
  std::optional<Error> error_;

 private:
  JsonNode* refuse(std::string what) {
    error_ = Error{Errc::too_large, std::move(what), line_, {}, {}};
    return nullptr;
  }

  JsonNode* add(Kind kind) {
    if (++values_ > most_values) return refuse("more than 500,000 values");
    JsonNode* node = &root;
    if (!open_.empty()) {
      JsonNode& parent = *open_.back();
      node = &parent.items.emplace_back();
      if (parent.kind == Kind::object) node->key = std::move(key_);
      // The parser reads one character beyond a number, so its own line may be the next one.
      node->line = parent.kind == Kind::object ? key_line_ : line_;
    } else {
      node->line = line_;
    }
    node->kind = kind;
    return node;
  }
  bool number(double value) {
    JsonNode* node = add(Kind::number);
    if (node != nullptr) node->number = value;
    return node != nullptr;
  }
  bool open(Kind kind) {
    if (open_.size() >= deepest)
      return refuse("more than 64 levels of objects and arrays") != nullptr;
    JsonNode* node = add(kind);
    if (node != nullptr) open_.push_back(node);
    return node != nullptr;
  }
  bool close() {
    open_.pop_back();
    return true;
  }

  std::string_view text_;
  std::size_t& line_;
  std::size_t first_;
  std::vector<JsonNode*> open_;
  std::string key_;
  std::size_t key_line_ = 0;
  std::size_t values_ = 0;
};

}  // namespace

const JsonNode* JsonNode::at(std::string_view path) const {
  const JsonNode* node = this;
  for (const auto name : split(path, '/')) {
    if (!node->is(Kind::object)) return nullptr;
    const auto found = std::ranges::find(node->items, name, &JsonNode::key);
    if (found == node->items.end()) return nullptr;
    node = &*found;
  }
  return node;
}

const std::vector<JsonNode>& JsonNode::list(std::string_view path) const {
  static const std::vector<JsonNode> none;
  const JsonNode* node = at(path);
  return node != nullptr && node->is(Kind::array) ? node->items : none;
}

std::string_view JsonNode::words(std::string_view path) const {
  const JsonNode* node = at(path);
  return node != nullptr && node->is(Kind::text) ? trim(node->text) : std::string_view{};
}

std::optional<double> JsonNode::number_at(std::string_view path) const {
  const JsonNode* node = at(path);
  return node != nullptr && node->is(Kind::number) ? std::optional(node->number) : std::nullopt;
}

Result<JsonNode> parse_json_tree(std::string_view text, std::size_t first_line) {
  std::size_t line = first_line;
  Builder builder{text, line, first_line};
  const char* end = text.data() + text.size();
  if (!nlohmann::json::sax_parse(CountingIterator{text.data(), &line}, CountingIterator{end, &line},
                                 &builder))
    return tl::make_unexpected(
        builder.error_.value_or(Error{Errc::malformed, "not JSON", line, {}, {}}));
  return std::move(builder.root);
}

}  // namespace gpuvet::ingest
