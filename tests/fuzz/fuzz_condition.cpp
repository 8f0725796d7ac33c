// SPDX-License-Identifier: Apache-2.0
// Any text as a condition and as a measure: what parses is finite, prints, and means the same when
// its own spelling is parsed again.
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "catalogue/catalogue.hpp"
#include "core/units.hpp"
#include "fuzz/require.hpp"

namespace gpuvet::fuzz {
namespace {

void check_measure(std::string_view text) {
  const auto measure = parse_measure(text);
  if (!measure) return require(!measure.error().message().empty(), "an error says something");
  require(std::isfinite(measure->value), "a measure is finite");
  require(!format_value(measure->value, measure->unit).empty(), "a measure can be shown");
}

void check_condition(std::string_view text) {
  const auto condition = catalogue::parse_condition(text);
  if (!condition) return require(!condition.error().message().empty(), "an error says something");
  require(std::isfinite(condition->number) && std::isfinite(condition->factor),
          "figures of a condition are finite");
  const auto again = catalogue::parse_condition(condition->written);
  require(again.has_value(), "a condition can be parsed as it was written");
  require(again->op == condition->op && again->count == condition->count &&
              again->relative == condition->relative && again->number == condition->number &&
              again->factor == condition->factor && again->unit == condition->unit &&
              again->text == condition->text,
          "a condition means what it says");
}

}  // namespace
}  // namespace gpuvet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text{reinterpret_cast<const char*>(data), size};
  gpuvet::fuzz::check_measure(text);
  gpuvet::fuzz::check_condition(text);
  return 0;
}
