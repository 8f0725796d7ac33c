// SPDX-License-Identifier: Apache-2.0
// The spellings of nvidia-smi's values and of its many ways to give none.
#include "ingest/nvidia_smi_fields.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

/// A unit as nvidia-smi writes it. A factor and a divisor, since 7 / 100 is 0.07 and 7 * 0.01
/// isn't.
struct Spelling {
  std::string_view text;
  Unit unit;
  double factor = 1, divisor = 1;
};

/// The first spelling of each unit is what a bare number means.
constexpr std::array spellings{
    Spelling{"W", Unit::watt},
    Spelling{"mW", Unit::watt, 1, 1e3},
    Spelling{"MHz", Unit::hertz, 1e6},
    Spelling{"GHz", Unit::hertz, 1e9},
    Spelling{"MiB", Unit::byte, 1024. * 1024},
    Spelling{"KiB", Unit::byte, 1024},
    Spelling{"GiB", Unit::byte, 1024. * 1024 * 1024},
    Spelling{"%", Unit::ratio, 1, 100},
    Spelling{"C", Unit::celsius},
    Spelling{"C", Unit::kelvin},
    Spelling{"us", Unit::second, 1, 1e6},
    Spelling{"ms", Unit::second, 1, 1e3},
    Spelling{"s", Unit::second},
    Spelling{"", Unit::none},
    Spelling{"x", Unit::none},
    Spelling{"bank(s)", Unit::none},
};

const Spelling* find_spelling(std::string_view text, Unit unit) {
  const auto found = std::ranges::find_if(spellings, [&](const Spelling& s) {
    return s.unit == unit && (text.empty() || s.text == text);
  });
  return found == spellings.end() ? nullptr : &*found;
}

constexpr std::size_t longest_text = 256;
constexpr std::size_t shown_text = 80;

/// What to say about a cell that has no value: its reason, and its words unless they say no more.
std::pair<Absence, std::string> absence_of(std::string_view text) {
  const auto known = absence_in(text);
  const Absence why = known.value_or(Absence::malformed);
  if (why != Absence::malformed) return {why, {}};
  return {why, printable(trim(text).substr(0, shown_text))};
}

bool is_decimal_comma(std::string_view after_digits) {
  return after_digits.size() > 1 && after_digits[0] == ',' && after_digits[1] >= '0' &&
         after_digits[1] <= '9';
}

/// Remembers which cell to name if no alternative has a value: one that went wrong rather than one
/// that the GPU doesn't support.
class Blame {
 public:
  void consider(const Cell& cell) {
    auto [why, words] = absence_of(cell.text);
    if (cell_ && (why_ != Absence::not_supported || why == Absence::not_supported)) return;
    cell_ = cell;
    why_ = why;
    words_ = std::move(words);
  }
  void record(Recorder& out, Id id, const std::string& subject) {
    if (!cell_) return;
    out.line(cell_->line);
    out.absent(id, subject, why_, std::move(words_));
  }

 private:
  std::optional<Cell> cell_;
  Absence why_ = Absence::not_supported;
  std::string words_;
};

/// The sum in one alternative; nothing when it has no value.
Result<std::optional<double>> read_sum(Id id, std::string_view names, const FindCell& find,
                                       std::size_t& line, Blame& blame) {
  const bool all = contains(names, "&");
  std::optional<double> sum;
  bool complete = true;
  for (const auto name : split(names, all ? '&' : '+')) {
    const auto cell = find(trim(name));
    if (!cell) {
      complete = complete && !all;
      continue;
    }
    GPUVET_TRY(const auto number, read_number(id, *cell));
    if (number) {
      if (!sum) line = cell->line;
      sum = sum.value_or(0) + *number;
      continue;
    }
    blame.consider(*cell);
    // A part that went wrong leaves the sum unknown; one that this GPU doesn't have adds nothing.
    if (all || absence_in(cell->text).value_or(Absence::malformed) != Absence::not_supported)
      complete = false;
  }
  return complete ? sum : std::nullopt;
}

/// "2330" from "233010DE" or "0x233010DE".
std::optional<std::string> read_device_id(std::string_view text) {
  if (text.substr(0, 2) == "0x") text.remove_prefix(2);
  if (text.size() != 8 || text.find_first_not_of("0123456789abcdefABCDEF") != text.npos) return {};
  return lower(text.substr(0, 4));
}

std::optional<std::string> read_text(CellKind kind, std::string_view text) {
  if (kind == CellKind::pci_address) return pci_address(text);
  if (kind == CellKind::device_id) return read_device_id(text);
  if (text.size() > longest_text) return {};
  return printable(text);
}

}  // namespace

std::optional<Absence> absence_in(std::string_view text) {
  text = trim(text);
  if (text.size() > 1 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  for (const std::string_view s :
       {"", "N/A", "Not Supported", "Requested functionality has been deprecated", "Not Available"})
    if (text == s) return Absence::not_supported;
  if (text == "Insufficient Permissions") return Absence::permission;
  if (says_lost(text) || text == "Unknown Error" || text == "ERR!") return Absence::malformed;
  return {};
}

std::string gpu_ordinal(std::size_t index) { return "gpu:smi#" + std::to_string(index); }

bool says_lost(std::string_view text) {
  text = trim(text);
  if (text.size() > 1 && text.front() == '[' && text.back() == ']')
    text = text.substr(1, text.size() - 2);
  return text == "GPU is lost" || text == "GPU requires reset";
}

bool usable_uuid(std::string_view text) {
  if (text.substr(0, 4) == "GPU-") text.remove_prefix(4);
  constexpr std::string_view hex_and_dash = "0123456789abcdefABCDEF-";
  return text.size() >= 8 && text.size() <= 64 && text.find_first_not_of("0-") != text.npos &&
         text.find_first_not_of(hex_and_dash) == text.npos;
}

std::string gpu_subject(const GpuNames& names) {
  if (!names.uuid.empty()) return "gpu:" + std::string(names.uuid);
  if (!names.pci.empty()) return "gpu:" + std::string(names.pci);
  return names.index ? gpu_ordinal(*names.index) : std::string();
}

std::optional<bool> read_flag(std::string_view text) {
  text = trim(text);
  for (const std::string_view s : {"Yes", "Enabled", "Active", "True", "1"})
    if (text == s) return true;
  for (const std::string_view s : {"No", "Disabled", "Not Active", "False", "0"})
    if (text == s) return false;
  return {};
}

Result<std::optional<double>> read_number(Id id, const Cell& cell) {
  const std::string_view text = trim(cell.text);
  const std::size_t digits = std::min(text.find_first_not_of("-.0123456789"), text.size());
  const auto number = parse_number(text.substr(0, digits));
  if (!number) return std::nullopt;
  const std::string_view rest = text.substr(digits);
  if (is_decimal_comma(rest))
    return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", cell.line);
  const Unit unit = id.info().unit;
  const Spelling* s = find_spelling(rest.empty() ? cell.unit : trim(rest), unit);
  if (s == nullptr) return std::nullopt;
  // Only temperatures and margins go below zero; elsewhere it is a driver's "don't know".
  if (*number < 0 && unit != Unit::celsius && unit != Unit::kelvin) return std::nullopt;
  return *number * s->factor / s->divisor;
}

Result<void> record_field(Recorder& out, const Field& field, const std::string& subject,
                          const FindCell& find) {
  Blame blame;
  for (const auto alternative : split(field.from, '|')) {
    if (field.kind == CellKind::number) {
      std::size_t line = 0;
      GPUVET_TRY(const auto number, read_sum(field.id, alternative, find, line, blame));
      if (!number) continue;
      out.line(line);
      out.number(field.id, subject, *number);
      return {};
    }
    const auto cell = find(trim(alternative));
    if (!cell) continue;
    const std::string_view text = trim(cell->text);
    out.line(cell->line);
    if (field.kind == CellKind::flag) {
      if (const auto flag = read_flag(text))
        return out.flag(field.id, subject, *flag), Result<void>{};
    } else if (!absence_in(text)) {
      if (auto value = read_text(field.kind, text))
        return out.text(field.id, subject, *std::move(value)), Result<void>{};
    }
    blame.consider(*cell);
  }
  blame.record(out, field.id, subject);
  return {};
}

}  // namespace gpuvet::ingest
