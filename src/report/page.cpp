// SPDX-License-Identifier: Apache-2.0
// Columns are counted before colour is put on, since escape codes take bytes and no room.
#include "report/page.hpp"

#include <algorithm>
#include <vector>

#include "core/text.hpp"
#include "report/escape.hpp"

namespace gpuvet::report {
namespace {

// Below this, leads and indents would leave no room for text.
constexpr std::size_t narrowest = 40;

std::string_view code(Tint tint) {
  switch (tint) {
    case Tint::none:
      return "";
    case Tint::bold:
      return "\x1b[1m";
    case Tint::dim:
      return "\x1b[2m";
    case Tint::red:
      return "\x1b[1;31m";
    case Tint::yellow:
      return "\x1b[33m";
    case Tint::green:
      return "\x1b[32m";
  }
  return "";
}

/// Where to break a word that is longer than a line: after the last separator of a path, URL or
/// subject in its second half, else where the line is full.
std::size_t break_at(std::string_view word, std::size_t room) {
  const std::size_t full = bytes_of(word, room);
  const auto separator = word.substr(0, full).find_last_of("/\\,;:~=&?_-");
  return separator != std::string_view::npos && separator + 1 > full / 2 ? separator + 1 : full;
}

std::vector<std::string> wrapped(std::string_view text, std::size_t room) {
  std::vector<std::string> lines;
  std::string line;
  std::size_t used = 0;
  const auto finish = [&] {
    lines.push_back(std::move(line));
    line.clear();
    used = 0;
  };
  const std::string safe = visible(text);
  for (std::string_view word : words(safe)) {
    std::size_t wide = columns(word);
    if (used > 0 && used + 1 + wide > room) finish();
    // Longer than any line: in pieces, each on its own line, so that nothing is lost.
    for (; wide > room; wide = columns(word)) {
      const std::size_t cut = break_at(word, room);
      line = word.substr(0, cut);
      finish();
      word.remove_prefix(cut);
    }
    if (used > 0) line += ' ', ++used;
    line += word;
    used += wide;
  }
  if (used > 0 || lines.empty()) finish();
  return lines;
}

}  // namespace

std::string fitted(std::string_view text, std::size_t room) {
  std::string safe = visible(trim(text));
  if (columns(safe) <= room) return safe;
  return room == 0 ? "" : safe.substr(0, bytes_of(safe, room - 1)) + "…";
}

Page::Page(std::size_t width, bool colour) : width_{std::max(width, narrowest)}, colour_{colour} {}

void Page::paint(std::string_view text, Tint tint) {
  // Reset after each piece: a line cut by a pager must not colour the next one.
  const bool coloured = colour_ && tint != Tint::none && !text.empty();
  if (coloured) out_ += code(tint);
  out_ += text;
  if (coloured) out_ += "\x1b[0m";
}

std::size_t Page::open(std::size_t indent, const Lead& lead) {
  // A lead may take half of the line, so that text always has room.
  const std::size_t room = std::min(lead.width, width_ / 2);
  const std::string text = fitted(lead.text, room);
  out_.append(indent, ' ');
  paint(text, lead.tint);
  out_.append(room - columns(text), ' ');
  return indent + room;
}

void Page::heading(std::string_view text) {
  blank();
  paint(fitted(text, width_), Tint::bold);
  out_ += '\n';
}

void Page::row(std::size_t indent, Lead lead, std::string_view text, Tint tint) {
  const std::size_t start = open(indent, lead);
  bool first = true;
  for (const auto& line : wrapped(text, width_ - start)) {
    if (!first) out_.append(start, ' ');
    first = false;
    paint(line, tint);
    out_ += '\n';
  }
}

void Page::line(std::size_t indent, Lead lead, std::string_view text, Tint tint) {
  const std::size_t start = open(indent, lead);
  paint(fitted(text, width_ - start), tint);
  out_ += '\n';
}

}  // namespace gpuvet::report
