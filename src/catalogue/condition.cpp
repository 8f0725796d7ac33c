// SPDX-License-Identifier: Apache-2.0
// The small language of limits: an operator, then a figure with its unit, or a reference with a
// factor and an offset.
#include <fmt/format.h>

#include <array>
#include <utility>

#include "catalogue/catalogue.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

using Op = Condition::Op;

constexpr std::array<std::pair<std::string_view, Op>, 6> operators = {{
    {">=", Op::greater_equal},
    {"<=", Op::less_equal},
    {"==", Op::equal},
    {"!=", Op::not_equal},
    {">", Op::greater},
    {"<", Op::less},
}};

/// "ref", "0.8 ref", "ref + 3 K", "ref - 3 K" after the operator.
Result<Condition> parse_relative(Condition c, std::string_view right) {
  c.relative = true;
  const auto at = right.find("ref");
  const auto before = trim(right.substr(0, at));
  auto after = trim(right.substr(at + 3));
  if (!before.empty()) {
    const auto factor = parse_number(before);
    if (!factor)
      return fail(Errc::malformed,
                  fmt::format("'{}': the factor before ref is no number", c.written));
    c.factor = *factor;
  }
  if (after.empty()) return c;
  const bool minus = after.front() == '-';
  if (!minus && after.front() != '+')
    return fail(Errc::malformed,
                fmt::format("'{}': after ref comes + or - and an offset", c.written));
  GPUVET_TRY(const auto offset, parse_measure(after.substr(1)));
  c.number = minus ? -offset.value : offset.value;
  c.unit = offset.unit;
  return c;
}

}  // namespace

Result<Condition> parse_condition(std::string_view text) {
  text = trim(text);
  Condition c;
  c.written = std::string(text);
  if (text == "any") return c;
  if (text == "empty" || text == "not empty") {
    c.op = text == "empty" ? Op::empty : Op::not_empty;
    return c;
  }
  if (text.substr(0, 6) == "count ") {
    c.count = true;
    text = trim(text.substr(6));
  }
  const auto found = std::find_if(operators.begin(), operators.end(), [&](const auto& candidate) {
    return text.substr(0, candidate.first.size()) == candidate.first;
  });
  if (found == operators.end())
    return fail(Errc::malformed,
                fmt::format("'{}' starts with none of >= <= == != > < any empty count", text));
  c.op = found->second;
  const auto right = trim(text.substr(found->first.size()));
  if (right.empty()) return fail(Errc::malformed, fmt::format("'{}' compares with nothing", text));
  if (right == "ref" || right.substr(0, 4) == "ref " || contains(right, " ref"))
    return parse_relative(std::move(c), right);
  if (const auto measure = parse_measure(right)) {
    c.number = measure->value;
    c.unit = measure->unit;
    return c;
  }
  if (c.op != Op::equal && c.op != Op::not_equal)
    return fail(Errc::malformed, fmt::format("'{}': only == and != compare text", text));
  c.text = std::string(right);
  return c;
}

}  // namespace gpuvet::catalogue
