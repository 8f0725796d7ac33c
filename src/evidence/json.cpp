// SPDX-License-Identifier: Apache-2.0
#include "evidence/json.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "core/text.hpp"

namespace gpuvet {
namespace {

/// Integers as integers where the double holds them exactly.
Json number(double v) {
  constexpr double exact = 9007199254740992.0;  // 2^53
  if (std::nearbyint(v) == v && std::abs(v) < exact) return static_cast<std::int64_t>(v);
  return v;
}

Json text_or_null(std::string_view s) { return s.empty() ? Json(nullptr) : Json(std::string(s)); }

template <class E, std::size_t N>
std::optional<E> named(std::string_view text, const std::array<E, N>& all) {
  const auto found = std::find_if(all.begin(), all.end(), [&](E e) { return name(e) == text; });
  return found == all.end() ? std::nullopt : std::optional(*found);
}

constexpr std::array hows = {How::measured, How::reported, How::claimed,
                             How::derived,  How::modelled, How::assumed};
constexpr std::array custodies = {Custody::own, Custody::received, Custody::simulated};
constexpr std::array absences = {Absence::not_supported, Absence::permission, Absence::timeout,
                                 Absence::malformed, Absence::not_asked};
constexpr std::array units = {
    Unit::none,  Unit::ratio, Unit::byte,    Unit::second, Unit::byte_per_second, Unit::watt,
    Unit::joule, Unit::hertz, Unit::celsius, Unit::kelvin, Unit::flop_per_second, Unit::usd};

std::optional<Unit> named_unit(std::string_view text) {
  const auto found =
      std::find_if(units.begin(), units.end(), [&](Unit u) { return symbol(u) == text; });
  return found == units.end() ? std::nullopt : std::optional(*found);
}

std::string text_of(const Json& j, const char* key) {
  const auto found = j.find(key);
  return found == j.end() || !found->is_string() ? std::string() : found->get<std::string>();
}

tl::unexpected<Error> wrong(std::string what) { return fail(Errc::malformed, std::move(what)); }

Result<Value> value_from(const Json& j) {
  if (j.is_number()) {
    const double v = j.get<double>();
    if (!std::isfinite(v)) return wrong("value is not finite");
    return Value{v};
  }
  if (j.is_boolean()) return Value{j.get<bool>()};
  if (j.is_string()) return Value{j.get<std::string>()};
  if (!j.is_array()) return wrong("value must be a number, a flag, text or a list");
  if (!j.empty() && std::all_of(j.begin(), j.end(), [](const Json& e) { return e.is_string(); }))
    return Value{j.get<std::vector<std::string>>()};
  if (std::all_of(j.begin(), j.end(), [](const Json& e) { return e.is_number(); }))
    return Value{j.get<std::vector<double>>()};
  return wrong("a list must hold only numbers or only texts");
}

Result<Where> where_from(const Json& j) {
  Where out;
  if (!j.is_object()) return wrong("where must be an object");
  for (const auto& [key, value] : j.items()) {
    if (value.is_number())
      out[key] = value.get<double>();
    else if (value.is_string())
      out[key] = value.get<std::string>();
    else
      return wrong("where." + key + " must be a number or text");
  }
  return out;
}

Result<Provenance> provenance_from(const Json& j) {
  Provenance out;
  const auto how = named(text_of(j, "how"), hows);
  const auto custody = named(text_of(j, "custody"), custodies);
  if (!how)
    return wrong(
        "provenance.how is none of measured, reported, claimed, derived, modelled, assumed");
  if (!custody) return wrong("provenance.custody is none of own, received, simulated");
  out.how = *how;
  out.custody = *custody;
  out.tool = text_of(j, "tool");
  out.version = text_of(j, "version");
  out.source = text_of(j, "source");
  out.when = text_of(j, "when");
  return out;
}

std::size_t line_from(const Json& provenance) {
  const auto found = provenance.find("line");
  return found != provenance.end() && found->is_number_unsigned() ? found->get<std::size_t>() : 0;
}

/// The member, or an empty object: absent members read as wrong ones do, with a message.
const Json& member(const Json& j, const char* key) {
  static const Json none = nullptr;
  const auto found = j.find(key);
  return found == j.end() ? none : *found;
}

}  // namespace

Json to_json(const Value& value) {
  return std::visit(
      [](const auto& v) -> Json {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, double>)
          return number(v);
        else if constexpr (std::is_same_v<T, std::vector<double>>) {
          Json out = Json::array();
          for (const double e : v) out.push_back(number(e));
          return out;
        } else
          return Json(v);
      },
      value);
}

Json to_json(const Where& where) {
  Json out = Json::object();
  for (const auto& [key, value] : where) {
    if (const auto* v = std::get_if<double>(&value))
      out[key] = number(*v);
    else
      out[key] = std::get<std::string>(value);
  }
  return out;
}

Json to_json(const Provenance& p, std::size_t line) {
  return {{"how", name(p.how)},
          {"custody", name(p.custody)},
          {"tool", text_or_null(p.tool)},
          {"version", text_or_null(p.version)},
          {"source", text_or_null(p.source)},
          {"line", line == 0 ? Json(nullptr) : Json(line)},
          {"when", text_or_null(p.when)}};
}

Json to_json(const Observation& o) {
  const Value* value = o.get();
  return {{"id", o.id.name()},
          {"subject", o.subject},
          {"where", to_json(o.where)},
          {"value", value == nullptr ? Json(nullptr) : to_json(*value)},
          {"unit", text_or_null(symbol(o.id.info().unit))},
          {"reason", value == nullptr ? Json(name(std::get<Absence>(o.value))) : Json(nullptr)},
          {"detail", text_or_null(o.detail)},
          {"provenance", to_json(*o.provenance, o.line)}};
}

Json to_json(const Table& t) {
  Json columns = Json::array();
  for (const auto& c : t.columns) {
    Json values = Json::array();
    for (const double v : c.values) values.push_back(std::isnan(v) ? Json(nullptr) : number(v));
    columns.push_back(
        {{"name", c.name}, {"unit", text_or_null(symbol(c.unit))}, {"values", std::move(values)}});
  }
  return {{"name", t.name},
          {"subject", t.subject},
          {"where", to_json(t.where)},
          {"provenance", to_json(*t.provenance, 0)},
          {"columns", std::move(columns)}};
}

Result<Observation> observation_from(const Json& j) {
  const auto spelled = text_of(j, "id");
  const auto id = find_id(spelled);
  if (!id) return wrong("'" + printable(spelled) + "' is not a declared observation");
  const auto subject = text_of(j, "subject");
  if (subject.empty()) return wrong(spelled + " has no subject");
  GPUVET_TRY(auto where, where_from(member(j, "where")));
  const auto declared = words(id->info().dimensions);
  for (const auto& [dimension, value] : where)
    if (std::find(declared.begin(), declared.end(), dimension) == declared.end())
      return wrong(spelled + " has no dimension " + printable(dimension));
  GPUVET_TRY(auto provenance, provenance_from(member(j, "provenance")));
  Observation out{*id,
                  subject,
                  std::move(where),
                  Absence::not_asked,
                  text_of(j, "detail"),
                  std::make_shared<Provenance>(std::move(provenance)),
                  line_from(member(j, "provenance"))};
  if (member(j, "value").is_null()) {
    const auto reason = named(text_of(j, "reason"), absences);
    if (!reason) return wrong(spelled + " has neither a value nor a reason");
    out.value = *reason;
    return out;
  }
  GPUVET_TRY(auto value, value_from(member(j, "value")));
  out.value = std::move(value);
  return out;
}

Result<Table> table_from(const Json& j) {
  Table out;
  out.name = text_of(j, "name");
  out.subject = text_of(j, "subject");
  GPUVET_TRY(out.where, where_from(member(j, "where")));
  GPUVET_TRY(auto provenance, provenance_from(member(j, "provenance")));
  out.provenance = std::make_shared<Provenance>(std::move(provenance));
  const auto& columns = member(j, "columns");
  if (!columns.is_array()) return wrong("table " + out.name + " has no columns");
  for (const auto& c : columns) {
    Column column{text_of(c, "name"), Unit::none, {}};
    const auto unit = named_unit(text_of(c, "unit"));
    if (!unit) return wrong("column " + column.name + " has an unknown unit");
    column.unit = *unit;
    const auto& values = member(c, "values");
    if (!values.is_array()) return wrong("column " + column.name + " has no values");
    for (const auto& v : values) {
      if (!v.is_number() && !v.is_null())
        return wrong("column " + column.name + " holds what is no number");
      column.values.push_back(v.is_null() ? std::numeric_limits<double>::quiet_NaN()
                                          : v.get<double>());
    }
    if (!out.columns.empty() && column.values.size() != out.rows())
      return wrong("columns of table " + out.name + " differ in length");
    out.columns.push_back(std::move(column));
  }
  return out;
}

std::string dump(const Json& j) {
  return j.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Json> parse_json(std::string_view text) {
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& e) {
    const auto at = std::min(text.size(), e.byte);
    const auto line = 1 + static_cast<std::size_t>(std::count(
                              text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n'));
    return fail(Errc::malformed, "not JSON: " + printable(e.what()), line);
  } catch (const Json::out_of_range& e) {  // a number that no double holds: "1e999"
    return fail(Errc::malformed, "not JSON: " + printable(e.what()));
  }
}

}  // namespace gpuvet
