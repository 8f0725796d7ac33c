// SPDX-License-Identifier: Apache-2.0
// JSON as text, piece by piece. A verdict has tens of thousands of values; a tree of them would
// cost ten times what writing them does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace gpuvet::report {

/// Indented by one blank a level, spelled as nlohmann's dump() spells it. Bytes that are no UTF-8
/// become U+FFFD. The caller sees to it that members have keys and elements have none.
class JsonWriter {
 public:
  /// `expected` bytes: a guess spares growing step by step.
  explicit JsonWriter(std::size_t expected = 0) { out_.reserve(expected); }

  /// `body` writes the members, or the elements.
  template <class Body>
  void object(Body body) {
    open('{');
    body();
    close('}');
  }
  template <class Body>
  void array(Body body) {
    open('[');
    body();
    close(']');
  }

  /// Before a member's value. `name` needs no escapes.
  JsonWriter& key(std::string_view name);

  void text(std::string_view value);
  void number(double value);  ///< integral where the double is one and exact
  void count(std::uint64_t value);
  void flag(bool value);
  void null();

  void text_or_null(std::string_view value);  ///< null for "there is none"
  void texts(const std::vector<std::string>& values);

  /// The document, with a newline at its end.
  std::string finish();

 private:
  void open(char bracket);
  void close(char bracket);
  void separate();

  std::string out_;
  std::size_t depth_ = 0;
  bool empty_ = true;       // nothing stands in the open bracket yet
  bool after_key_ = false;  // the value belongs behind a key that is written
};

}  // namespace gpuvet::report
