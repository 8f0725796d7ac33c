// SPDX-License-Identifier: Apache-2.0
// Every observation that gpuvet can make, declared once: name, unit, kind, dimensions, one
// sentence.
// `"gpu.power.draw"_id` is looked up at compile time, so an undeclared id does not compile; names
// that come from files go through find_id() and are refused when undeclared.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/units.hpp"

namespace gpuvet {

/// What a disagreement between two sources means.
enum class Nature : std::uint8_t {
  property,  ///< fixed for the machine: two values are a contradiction
  state,     ///< changes with time: two values are two moments
};

struct IdInfo {
  std::string_view name;
  Unit unit;
  Nature nature;
  std::string_view dimensions;  ///< space-separated names that `where` may hold
  std::string_view sentence;
};

/// All declarations, sorted by name.
std::span<const IdInfo> all_ids();

namespace detail {
#include "evidence/ids.inc"
}  // namespace detail

/// An index into the declarations; two are equal exactly when their names are.
class Id {
 public:
  [[nodiscard]] constexpr const IdInfo& info() const { return detail::declared_ids[index_]; }
  [[nodiscard]] constexpr std::string_view name() const { return info().name; }
  friend constexpr bool operator==(Id, Id) = default;
  friend constexpr auto operator<=>(Id, Id) = default;

  /// Position of `name` among the declarations; nothing when it is undeclared.
  static constexpr std::optional<Id> find(std::string_view name) {
    std::size_t low = 0, high = std::size(detail::declared_ids);
    while (low < high) {
      const std::size_t middle = (low + high) / 2;
      if (detail::declared_ids[middle].name < name)
        low = middle + 1;
      else
        high = middle;
    }
    if (low == std::size(detail::declared_ids) || detail::declared_ids[low].name != name) return {};
    return Id{static_cast<std::uint16_t>(low)};
  }

 private:
  explicit constexpr Id(std::uint16_t index) : index_{index} {}
  std::uint16_t index_;
};

inline std::span<const IdInfo> all_ids() { return detail::declared_ids; }
inline std::optional<Id> find_id(std::string_view name) { return Id::find(name); }

consteval Id operator""_id(const char* text, std::size_t length) {
  return Id::find(std::string_view(text, length)).value();  // undeclared: does not compile
}

}  // namespace gpuvet
