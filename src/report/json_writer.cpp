// SPDX-License-Identifier: Apache-2.0
#include "report/json_writer.hpp"

#include <cmath>
#include <nlohmann/json.hpp>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::report {
namespace {

using Json = nlohmann::json;

/// Printable ASCII that JSON writes as it stands.
bool plain(char c) { return c >= ' ' && c < '\x7f' && c != '"' && c != '\\'; }

bool all_plain(std::string_view s) {
  bool out = true;  // no early way out: most texts are plain, and so the compiler vectorises it
  for (const char c : s) out = out & plain(c);
  return out;
}

}  // namespace

void JsonWriter::separate() {
  if (std::exchange(after_key_, false) || depth_ == 0) return;
  out_ += std::exchange(empty_, false) ? "\n" : ",\n";
  out_.append(depth_, ' ');
}

void JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  ++depth_;
  empty_ = true;
}

void JsonWriter::close(char bracket) {
  --depth_;
  if (!std::exchange(empty_, false)) {
    out_ += '\n';
    out_.append(depth_, ' ');
  }
  out_ += bracket;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  separate();
  out_ += '"';
  out_ += name;
  out_ += "\": ";
  after_key_ = true;
  return *this;
}

void JsonWriter::text(std::string_view value) {
  separate();
  if (!all_plain(value)) {  // nlohmann knows all the escapes
    out_ += Json(value).dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  out_ += '"';
  out_ += value;
  out_ += '"';
}

void JsonWriter::number(double value) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  separate();
  if (std::nearbyint(value) == value && std::abs(value) < exact)
    out_ += format_number(value);
  else
    out_ += Json(value).dump();
}

void JsonWriter::count(std::uint64_t value) {
  separate();
  out_ += std::to_string(value);
}

void JsonWriter::flag(bool value) {
  separate();
  out_ += value ? "true" : "false";
}

void JsonWriter::null() {
  separate();
  out_ += "null";
}

void JsonWriter::text_or_null(std::string_view value) {
  if (value.empty())
    null();
  else
    text(value);
}

void JsonWriter::texts(const std::vector<std::string>& values) {
  array([&] {
    for (const auto& value : values) text(value);
  });
}

std::string JsonWriter::finish() {
  out_ += '\n';
  return std::move(out_);
}

}  // namespace gpuvet::report
