// SPDX-License-Identifier: Apache-2.0
// Terminal layout: rows that never exceed the width, colour only when asked for. All text goes
// through visible() here, at the one door to the terminal, so callers can't forget it.
#pragma once

#include <string>
#include <string_view>

namespace gpuvet::report {

enum class Tint { none, bold, dim, red, yellow, green };

class Page {
 public:
  /// Widths below 40 columns are taken as 40.
  Page(std::size_t width, bool colour);

  /// What stands left of a row's text: "FAIL", a bullet, a name; padded to `width` columns.
  struct Lead {
    std::string_view text{};
    std::size_t width = 0;
    Tint tint = Tint::none;
  };

  void blank() { out_ += '\n'; }
  /// A blank line, then the heading.
  void heading(std::string_view text);
  /// `text` wrapped; its continuation lines start under its first column.
  void row(std::size_t indent, Lead lead, std::string_view text, Tint tint = Tint::none);
  /// One line; what does not fit is cut, with "…" in its place.
  void line(std::size_t indent, Lead lead, std::string_view text, Tint tint = Tint::none);

  [[nodiscard]] std::size_t width() const { return width_; }
  std::string take() { return std::move(out_); }

 private:
  /// Writes indent and lead; returns the column where text starts.
  std::size_t open(std::size_t indent, const Lead& lead);
  void paint(std::string_view text, Tint tint);

  std::size_t width_;
  bool colour_;
  std::string out_;
};

/// `text` in at most `room` columns, cut with "…".
std::string fitted(std::string_view text, std::size_t room);

}  // namespace gpuvet::report
