// SPDX-License-Identifier: Apache-2.0
#include "evidence/observation.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet {
namespace {

template <class... F>
struct Overloaded : F... {
  using F::operator()...;
};
template <class... F>
Overloaded(F...) -> Overloaded<F...>;

template <class T, class F>
std::string joined(const std::vector<T>& values, F format_one) {
  if (values.empty()) return "none";
  std::string out;
  for (const auto& v : values) {
    if (!out.empty()) out += ", ";
    out += format_one(v);
  }
  return out;
}

/// Units of the dimensions that `where` may hold, for people.
Unit unit_of_dimension(std::string_view dimension) {
  return dimension == "bytes" ? Unit::byte : Unit::none;
}

}  // namespace

std::string_view name(Absence a) {
  switch (a) {
    case Absence::not_supported:
      return "not_supported";
    case Absence::permission:
      return "permission";
    case Absence::timeout:
      return "timeout";
    case Absence::malformed:
      return "malformed";
    case Absence::not_asked:
      return "not_asked";
  }
  return "";
}

std::string_view name(How h) {
  switch (h) {
    case How::measured:
      return "measured";
    case How::reported:
      return "reported";
    case How::claimed:
      return "claimed";
    case How::derived:
      return "derived";
    case How::modelled:
      return "modelled";
    case How::assumed:
      return "assumed";
  }
  return "";
}

std::string_view name(Custody c) {
  switch (c) {
    case Custody::own:
      return "own";
    case Custody::received:
      return "received";
    case Custody::simulated:
      return "simulated";
  }
  return "";
}

std::string_view name(Nature n) { return n == Nature::property ? "property" : "state"; }

std::string format(Id id, const Value& value) {
  const Unit unit = id.info().unit;
  const auto number = [&](double v) { return format_value(v, unit); };
  return std::visit(Overloaded{
                        [&](double v) { return number(v); },
                        [](bool v) { return std::string(v ? "yes" : "no"); },
                        [](const std::string& v) { return v; },
                        [&](const std::vector<double>& v) { return joined(v, number); },
                        [](const std::vector<std::string>& v) {
                          return joined(v, [](const std::string& s) { return s; });
                        },
                    },
                    value);
}

std::string format(const Observation& o) {
  if (const Value* value = o.get()) return format(o.id, *value);
  std::string why(name(std::get<Absence>(o.value)));
  std::replace(why.begin(), why.end(), '_', ' ');
  return o.detail.empty() ? why : why + " (" + o.detail + ")";
}

std::string format(const Where& where) {
  std::string out;
  for (const auto& [dimension, value] : where) {
    if (!out.empty()) out += ", ";
    out += dimension + "=";
    if (const auto* text = std::get_if<std::string>(&value))
      out += *text;
    else
      out += format_value(std::get<double>(value), unit_of_dimension(dimension));
  }
  return out;
}

}  // namespace gpuvet
