// SPDX-License-Identifier: Apache-2.0
// One fact: what was seen, on what, under which conditions, how we know it.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "evidence/ids.hpp"

namespace gpuvet {

/// Why there is no value where one was due. Never written as 0, never left out.
enum class Absence { not_supported, permission, timeout, malformed, not_asked };

/// A number is in the id's base unit. Lists keep their order.
using Value =
    std::variant<double, bool, std::string, std::vector<double>, std::vector<std::string>>;

/// How a fact is known, best first.
enum class How { measured, reported, claimed, derived, modelled, assumed };
/// Through whose hands it came.
enum class Custody { own, received, simulated };

struct Provenance {
  How how = How::reported;
  Custody custody = Custody::received;
  std::string tool;     ///< "nvidia-smi topo -m", "gpuvet derive"
  std::string version;  ///< of the tool, where it says so
  std::string source;   ///< file or call; empty for derived facts
  std::string when;     ///< as the source writes its time
};

/// Conditions that make two figures comparable or not: dimension -> number or text.
using Where = std::map<std::string, std::variant<double, std::string>, std::less<>>;

struct Observation {
  Id id;
  std::string subject;  ///< "node", "gpu:<uuid or PCI address>", "link:<a>~<b>", ...
  Where where;
  std::variant<Absence, Value> value;
  std::string detail;  ///< in words, where a value or its absence needs them
  std::shared_ptr<const Provenance> provenance;  ///< shared by all that one source said
  std::size_t line = 0;                          ///< in the source, 1-based; 0: not one line

  [[nodiscard]] const Value* get() const { return std::get_if<Value>(&value); }
  template <class T>
  [[nodiscard]] const T* as() const {
    const Value* v = get();
    return v == nullptr ? nullptr : std::get_if<T>(v);
  }
  [[nodiscard]] const double* number() const { return as<double>(); }
  [[nodiscard]] const std::string* text() const { return as<std::string>(); }
  [[nodiscard]] const bool* flag() const { return as<bool>(); }
};

std::string_view name(Absence);
std::string_view name(How);
std::string_view name(Custody);
std::string_view name(Nature);

/// For people, in the id's unit: "62 °C", "yes", "GPU0~GPU3, GPU1~GPU3", "not supported".
std::string format(const Observation&);
std::string format(Id, const Value&);

/// "gpus=8, bytes=16 GiB"; empty when there are no dimensions.
std::string format(const Where&);

}  // namespace gpuvet
