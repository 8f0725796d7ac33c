// SPDX-License-Identifier: Apache-2.0
// How nvidia-smi writes values, shared by the importers of its XML and of its CSV: the text of a
// cell -> an observation or the reason why there is none.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// How the text of a cell becomes a value.
enum class CellKind : std::uint8_t {
  number,       ///< "217.24 W", "16x", "2560 bank(s)", "59"
  flag,         ///< Yes/No, Enabled/Disabled, Active/Not Active, True/False, 1/0
  text,         ///< as it stands, made printable
  pci_address,  ///< any spelling that pci_address() takes
  device_id,    ///< "233010DE", "0x233010DE": device, then vendor
};

struct Cell {
  std::string_view text;
  std::string_view unit;  ///< from the column's header; empty: none, or the cell carries it
  std::size_t line = 0;
};

/// Finds a cell by the name that the format gives it; nothing when this file has no such cell.
using FindCell = std::function<std::optional<Cell>(std::string_view name)>;

/// One id and where its value stands. `from` holds alternatives in order of preference, separated
/// by '|': the first that has a value is recorded. An alternative of numbers may be a sum: in
/// "a & b" both must be numbers, in "a + b" those that are numbers count.
struct Field {
  Id id;
  CellKind kind;
  std::string_view from;
};

/// Records `field` about `subject`: a value, or the reason for its absence when the file has the
/// cell and no value in it; nothing at all when the file has no such cell. The only error is a
/// decimal comma, which would spoil every other number of the file too.
Result<void> record_field(Recorder& out, const Field& field, const std::string& subject,
                          const FindCell& find);

/// The number in a cell, in the base unit of `id`; nothing when it is not one.
Result<std::optional<double>> read_number(Id id, const Cell& cell);

/// Yes/No and their kin; nothing for anything else.
std::optional<bool> read_flag(std::string_view text);

/// Whether the driver says in this cell that the GPU fell off the bus or waits for a reset.
bool says_lost(std::string_view text);

/// Whether `text` can identify a GPU: shaped like a UUID and not blanked out with zeros.
bool usable_uuid(std::string_view text);

/// How often each identity that a GPU goes by occurs in the file, for gpu_subject().
struct GpuNames {
  std::string_view uuid;  ///< empty when missing, unusable or shared with another GPU
  std::string_view pci;   ///< the same
  std::optional<std::size_t> index;
};

/// "gpu:<uuid>", else "gpu:<pci address>", else "gpu:smi#<index>", else empty.
std::string gpu_subject(const GpuNames& names);

}  // namespace gpuvet::ingest
