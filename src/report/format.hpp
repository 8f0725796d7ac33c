// SPDX-License-Identifier: Apache-2.0
// Results -> bytes: one file per format, one line each in all.cpp. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "judge/verdict.hpp"

namespace gpuvet::report {

struct Style {
  bool colour = false;     ///< terminal only
  bool verbose = false;    ///< terminal: show passes and not-applicable findings one by one
  std::size_t width = 80;  ///< terminal columns
};

struct Format {
  std::string_view name;   ///< "json": also the option --json
  std::string_view title;  ///< "one JSON document (schema gpuvet.verdict/1)"
  std::string (*render)(const judge::Verdict&, const Style&);
};

/// Sorted by name.
std::span<const Format> all();

const Format* format_named(std::string_view name);

}  // namespace gpuvet::report
