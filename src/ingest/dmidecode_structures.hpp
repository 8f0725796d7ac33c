// SPDX-License-Identifier: Apache-2.0
// dmidecode's output as structures of named fields, without what none of them means to us.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace gpuvet::ingest {

struct DmiField {
  std::string name, value;
  std::size_t line = 0;
  friend bool operator==(const DmiField& a, const DmiField& b) {
    return a.name == b.name && a.value == b.value;
  }
};

struct DmiStructure {
  std::string title;   ///< "Memory Device"
  std::string handle;  ///< "0x0015"; empty with -q
  std::size_t line = 0;
  std::vector<DmiField> fields;

  /// The field called so; null when this version of the tool or of the firmware has none.
  [[nodiscard]] const DmiField* find(std::string_view name) const;
  [[nodiscard]] std::string_view value(std::string_view name) const;  ///< empty when missing
};

struct DmiTable {
  std::string version;  ///< of dmidecode
  std::vector<DmiStructure> structures;
  bool virtual_machine = false;

  [[nodiscard]] std::vector<const DmiStructure*> all(std::string_view title) const;
};

/// "04/01/2014" -> "2014-04-01", so that it sorts and agrees with other sources; anything else as
/// it stands.
std::string iso_date(std::string_view text);

/// Reads all of `source`. An output that ends before its end marker is an error: what it lacks
/// would read as not being there.
Result<DmiTable> read_dmi_table(ByteSource& source);

}  // namespace gpuvet::ingest
