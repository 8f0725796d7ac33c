// SPDX-License-Identifier: Apache-2.0
// The report formats. To add one: its file, its line in each of the two lists here, its test.
#include <algorithm>
#include <array>

#include "report/format.hpp"

namespace gpuvet::report {

Format html();
Format json();
Format junit();
Format markdown();
Format prometheus();
Format terminal();

// An explicit list, since a static library drops registrars that nothing refers to.
std::span<const Format> all() {
  static const std::array formats = {
      html(), json(), junit(), markdown(), prometheus(), terminal(),
  };
  return formats;
}

const Format* format_named(std::string_view name) {
  const auto formats = all();
  const auto found = std::ranges::find(formats, name, &Format::name);
  return found == formats.end() ? nullptr : &*found;
}

}  // namespace gpuvet::report
