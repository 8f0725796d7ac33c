// SPDX-License-Identifier: Apache-2.0
// The hot loop of telemetry logs: cut a row, find its GPU, read the few numbers that matter.
#include "ingest/query_log.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_gpus = 1024;
constexpr std::size_t most_bins = 32 * SeriesBinner::default_bins;  // of all GPUs together
constexpr std::size_t longest_row = std::size_t{1} << 16;           // all 241 fields take 3 KB
constexpr std::size_t longest_key = 128;
constexpr std::int64_t second = 1'000'000;

struct RoleName {
  Role role;
  std::string_view name;
};

/// A role that has several columns takes the first of them that has a value in the first row.
constexpr std::array role_names{
    RoleName{Role::when, "timestamp"},
    RoleName{Role::uuid, "uuid"},
    RoleName{Role::bus_id, "pci.bus_id"},
    RoleName{Role::index, "index"},
    RoleName{Role::core, "temperature.gpu"},
    RoleName{Role::memory, "temperature.memory"},
    RoleName{Role::margin, "temperature.gpu.tlimit"},
    RoleName{Role::power, "power.draw.instant"},
    RoleName{Role::power, "power.draw"},
    RoleName{Role::power, "power.draw.average"},
    RoleName{Role::clock, "clocks.current.sm"},
    RoleName{Role::utilization, "utilization.gpu"},
    RoleName{Role::events, "clocks_event_reasons.active"},
    RoleName{Role::hw_slowdown, "clocks_event_reasons.hw_slowdown"},
    RoleName{Role::hw_thermal, "clocks_event_reasons.hw_thermal_slowdown"},
    RoleName{Role::hw_power_brake, "clocks_event_reasons.hw_power_brake_slowdown"},
    RoleName{Role::sw_thermal, "clocks_event_reasons.sw_thermal_slowdown"},
    RoleName{Role::sw_power_cap, "clocks_event_reasons.sw_power_cap"},
    RoleName{Role::page_address, "retired_pages.address"},
    RoleName{Role::page_cause, "retired_pages.cause"},
};

/// The text of a GPU's name in an identity column; empty when it names no GPU.
std::string_view usable_name(Role role, std::string_view cell) {
  if (absence_in(cell)) return {};
  if (role == Role::uuid && !usable_uuid(cell)) return {};
  if (role == Role::bus_id && !pci_address(cell)) return {};
  if (role == Role::index) {
    const auto number = parse_integer(cell);
    if (!number || *number < 0 || *number > 99'999) return {};
  }
  return cell;
}

/// query_cell() for what nvidia-smi writes: one blank before the value, nothing behind it.
std::string_view plain_cell(const char* from, const char* to) {
  if (from != to && *from == ' ') ++from;
  const std::string_view cell{from, static_cast<std::size_t>(to - from)};
  const bool plain =
      cell.empty() || (cell.front() > ' ' && cell.front() != '"' && cell.back() > ' ');
  return plain ? cell : query_cell(cell);
}

/// The exact value of a plain decimal with at most 15 digits, followed by nothing or by a blank and
/// `unit`: nearly every cell of every log. NaN for all else, which read_number() knows.
double read_plain(std::string_view cell, std::string_view unit) {
  constexpr std::array<double, 16> powers{1,   1e1, 1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                          1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15};
  constexpr std::ptrdiff_t most_digits = 15;
  const char* const begin = cell.data();
  const char* const end = begin + cell.size();
  const char* at = begin;
  std::uint64_t digits = 0;
  for (unsigned digit = 0; at != end && (digit = static_cast<unsigned>(*at - '0')) <= 9; ++at)
    digits = digits * 10 + digit;
  std::ptrdiff_t count = at - begin, decimals = 0;
  if (at != end && *at == '.') {
    const char* const point = at++;
    for (unsigned digit = 0; at != end && (digit = static_cast<unsigned>(*at - '0')) <= 9; ++at)
      digits = digits * 10 + digit;
    decimals = at - point - 1;
    count += decimals;
  }
  if (count == 0 || count > most_digits) return Sample::missing;
  if (at != end &&
      (*at != ' ' || std::string_view(at + 1, static_cast<std::size_t>(end - at - 1)) != unit))
    return Sample::missing;
  const auto whole = static_cast<double>(digits);
  return decimals == 0 ? whole : whole / powers[static_cast<std::size_t>(decimals)];
}

/// One bit, the highest of its byte, for each comma among eight characters.
std::uint64_t commas_in(std::uint64_t eight) {
  constexpr std::uint64_t ones = 0x0101010101010101, low_bits = 0x7f * ones;
  const std::uint64_t zero_at_comma = eight ^ (',' * ones);
  return ~(((zero_at_comma & low_bits) + low_bits) | zero_at_comma | low_bits);
}

}  // namespace

/// The unit of a quantity is the one that needs no look at the cell.
struct Quantity {
  Role role;
  Id id;
  std::string_view unit;
  double factor, divisor;
  double Sample::*to;
};

namespace {

constexpr std::array quantities{
    Quantity{Role::core, "gpu.temperature.core"_id, "C", 1, 1, &Sample::core},
    Quantity{Role::memory, "gpu.temperature.memory"_id, "C", 1, 1, &Sample::memory},
    Quantity{Role::margin, "gpu.temperature.margin"_id, "C", 1, 1, &Sample::margin},
    Quantity{Role::power, "gpu.power.draw"_id, "W", 1, 1, &Sample::power},
    Quantity{Role::clock, "gpu.clock.sm"_id, "MHz", 1e6, 1, &Sample::clock},
    Quantity{Role::utilization, "gpu.utilization"_id, "%", 1, 100, &Sample::utilization},
};

constexpr std::uint64_t bit(ClockEvent event) { return static_cast<std::uint64_t>(event); }
constexpr std::uint64_t hardware_events =
    bit(ClockEvent::hw_slowdown) | bit(ClockEvent::hw_thermal) | bit(ClockEvent::hw_power_brake);

}  // namespace

QueryLog::QueryLog(QueryHeader header)
    : header_{std::move(header)}, role_(header_.names.size(), Role::unused) {}

Result<void> QueryLog::row(std::string_view row, std::size_t line) {
  if (row.size() > longest_row) return fail(Errc::too_large, "row is longer than 64 KiB", line);
  if (!assigned_) assign_roles(row);
  line_ = line;
  if (const std::size_t fields = cut(row); fields != role_.size()) return wrong_count(fields);
  std::int64_t now = 0;
  if (has(Role::when)) {
    const auto time = time_.read(cells_[Role::when]);
    if (!time)
      return fail(Errc::malformed,
                  "unreadable timestamp: " + printable(cells_[Role::when].substr(0, 40)), line);
    now = *time;
    if (!first_) first_ = now;
  }
  QueryGpu* gpu = next_in_turn();
  if (gpu == nullptr) {
    GPUVET_TRY(gpu, whose());
  }
  if (gpu->nameless) GPUVET_CHECK(tell_apart(*gpu, now));
  if (has(Role::page_address)) count_page(*gpu, gpu->rows > 0 && now != gpu->previous);
  if (has_series_) GPUVET_CHECK(sample(*gpu, now));
  gpu->previous = now;
  ++gpu->rows;
  gpu->last_row.assign(row);
  gpu->last_line = line;
  last_ = gpu;
  return {};
}

void QueryLog::assign_roles(std::string_view first_row) {
  const auto cells = split(first_row, ',');
  if (cells.size() != role_.size()) return;  // the caller will say so
  assigned_ = true;
  ByRole<bool> settled;
  ByRole<std::size_t> column;
  for (const auto& [role, name] : role_names) {
    const auto at = header_.find(name);
    if (!at || settled[role]) continue;
    settled[role] = !absence_in(query_cell(cells[*at]));
    if (has_[role] && !settled[role]) continue;
    has_[role] = true;
    column[role] = *at;
  }
  for (const auto& [role, name] : role_names) {
    if (!has_[role]) continue;
    role_[column[role]] = role;
    unit_[role] = header_.units[column[role]];
    has_series_ = has_series_ || (role >= Role::core && role <= Role::sw_power_cap);
  }
  has_series_ = has_series_ && has_[Role::when];
  for (const Quantity& quantity : quantities) {
    if (!has_[quantity.role]) continue;
    const std::string& unit = unit_[quantity.role];
    plain_[quantity.role] = unit.empty() || unit == quantity.unit;
    series_.push_back(&quantity);
  }
}

/// Puts the cells that have a role into cells_; returns the number of fields. Eight characters at a
/// time: a log has more bytes than anything else that is read.
std::size_t QueryLog::cut(std::string_view row) {
  static_assert(std::endian::native == std::endian::little, "the first character is the low byte");
  const char* const end = row.data() + row.size();
  const char* at = row.data();
  const char* from = at;
  std::size_t field = 0;
  const auto take_up_to_commas = [&](std::uint64_t eight) {
    for (std::uint64_t commas = commas_in(eight); commas != 0; commas &= commas - 1) {
      const char* const comma = at + std::countr_zero(commas) / 8;
      take(field++, from, comma);
      from = comma + 1;
    }
  };
  for (std::uint64_t eight = 0; end - at >= 8; at += 8) {
    std::memcpy(&eight, at, 8);
    take_up_to_commas(eight);
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, at, static_cast<std::size_t>(end - at));
  take_up_to_commas(rest);
  take(field, from, end);
  return field + 1;
}

void QueryLog::take(std::size_t field, const char* from, const char* to) {
  if (field < role_.size() && role_[field] != Role::unused)
    cells_[role_[field]] = plain_cell(from, to);
}

Result<void> QueryLog::wrong_count(std::size_t fields) const {
  std::string what = "row has " + std::to_string(fields) + " fields, the header has " +
                     std::to_string(role_.size());
  if (fields > role_.size()) what += ": decimal commas? rerun with LC_ALL=C";
  return fail(Errc::malformed, std::move(what), line_);
}

/// Rows go round the GPUs: the one after the last row's, if it is that one.
QueryGpu* QueryLog::next_in_turn() {
  if (gpus_.empty() || !same_cells(*gpus_[next_])) return nullptr;
  QueryGpu* const gpu = gpus_[next_].get();
  if (++next_ == gpus_.size()) next_ = 0;
  return gpu;
}

/// The GPU of the row in cells_, wherever it stands.
Result<QueryGpu*> QueryLog::whose() {
  std::string key;
  for (const Role role : QueryGpu::identities) {
    key += cells_[role].substr(0, longest_key);
    key += ',';  // no cell holds one
  }
  auto found = by_cells_.find(key);
  if (found == by_cells_.end()) {
    if (by_cells_.size() >= most_gpus * 4)
      return fail(Errc::too_large, "rows of more than 1024 GPUs", line_);
    GPUVET_TRY(const std::size_t position, by_name());
    found = by_cells_.emplace(std::move(key), position).first;
  }
  QueryGpu& gpu = *gpus_[found->second];
  next_ = (found->second + 1) % gpus_.size();
  for (std::size_t i = 0; i < gpu.cells.size(); ++i)
    gpu.cells[i].assign(cells_[QueryGpu::identities[i]].substr(0, longest_key));
  return &gpu;
}

bool QueryLog::same_cells(const QueryGpu& gpu) const {
  for (std::size_t i = 0; i < gpu.cells.size(); ++i)
    if (gpu.cells[i] != cells_[QueryGpu::identities[i]]) return false;
  return true;
}

/// A known GPU that shares a name with the row and contradicts none, or a new one. A lost GPU may
/// lose its UUID but keep its bus id, which still makes it the same GPU.
Result<std::size_t> QueryLog::by_name() {
  std::array<std::string_view, 3> names;
  for (std::size_t i = 0; i < names.size(); ++i) {
    const Role role = QueryGpu::identities[i];
    names[i] = usable_name(role, cells_[role].substr(0, longest_key));
  }
  for (std::size_t g = 0; g < gpus_.size(); ++g) {
    bool agrees = false, contradicts = false;
    for (std::size_t i = 0; i < names.size(); ++i) {
      const std::string& known = gpus_[g]->names[i];
      if (names[i].empty() || known.empty()) continue;
      (names[i] == known ? agrees : contradicts) = true;
    }
    if (agrees && !contradicts) return g;
  }
  if (gpus_.size() == most_gpus) return fail(Errc::too_large, "rows of more than 1024 GPUs", line_);
  auto gpu = std::make_unique<QueryGpu>();
  for (std::size_t i = 0; i < names.size(); ++i) gpu->names[i] = names[i];
  gpu->nameless =
      std::ranges::all_of(names, [](const std::string_view name) { return name.empty(); });
  gpus_.push_back(std::move(gpu));
  limit_bins();
  return gpus_.size() - 1;
}

/// Beyond 32 GPUs they share the bins of 32: a hostile log of 1024 GPUs takes no more memory.
void QueryLog::limit_bins() {
  const std::size_t each = most_bins / gpus_.size();
  if (each >= SeriesBinner::default_bins) return;
  gpus_.back()->series.limit(each);
  if ((gpus_.size() & (gpus_.size() - 1)) != 0) return;  // all of them at 64, 128, ... GPUs
  for (auto& gpu : gpus_) gpu->series.limit(each);
}

/// Without names all rows are one GPU's, unless two of them can't be. For a nameless GPU only.
Result<void> QueryLog::tell_apart(const QueryGpu& gpu, std::int64_t now) const {
  if (gpu.rows == 0 || has(Role::page_address)) return {};
  if (!has(Role::when))
    return fail(Errc::malformed,
                "nothing tells rows apart: add timestamp and index, pci.bus_id or uuid to "
                "--query-gpu",
                line_);
  if (now != gpu.previous) return {};
  return fail(Errc::malformed,
              "rows share a timestamp and nothing tells their GPUs apart: add index, pci.bus_id or "
              "uuid to --query-gpu",
              line_);
}

void QueryLog::count_page(QueryGpu& gpu, bool next_listing) const {
  if (next_listing) gpu.pages.clear();
  if (gpu.pages.size() > 8) return;  // there are two causes
  RetiredPages& pages = gpu.pages[std::string(cells_[Role::page_cause].substr(0, longest_key))];
  if (const auto why = absence_in(cells_[Role::page_address]))
    pages.absent = why;
  else
    ++pages.count;
}

Result<void> QueryLog::sample(QueryGpu& gpu, std::int64_t now) {
  Sample s;
  if (gpu.rows > 0) {
    const std::int64_t step = now - gpu.previous;
    s.gap = static_cast<double>(step < 0 ? -step : step) / 1e6;
    // A clock that was set back: time stands still for a moment, the gap is how far it jumped.
    if (step < -second) {
      gpu.shift -= step;
      ++gpu.jumps;
    }
  }
  s.time = static_cast<double>(now + gpu.shift - first_.value_or(now)) / 1e6;
  for (const Quantity* const q : series_) {
    const std::string_view cell = cells_[q->role];
    if (plain_[q->role]) {
      if (const double plain = read_plain(cell, q->unit); plain == plain) {
        // Most quantities are logged in base units, and a division costs as much as the rest.
        s.*q->to = q->divisor == 1 ? plain * q->factor : plain * q->factor / q->divisor;
        continue;
      }
    }
    GPUVET_TRY(const auto number, read_number(q->id, {cell, unit_[q->role], line_}));
    s.*q->to = number.value_or(Sample::missing);
    if (!number && says_lost(cell)) gpu.lost = true;
  }
  throttling(gpu, s);
  gpu.series.add(s);
  return {};
}

/// One column holds all reasons as bits; columns of single reasons serve where it doesn't.
void QueryLog::throttling(QueryGpu& gpu, Sample& s) {
  if (has(Role::events)) {
    const std::string_view cell = cells_[Role::events];
    if (cell != last_events_text_) {  // it changes only when the reasons do
      last_events_text_.assign(cell);
      last_events_ = read_clock_events(cell);
    }
    if (last_events_) {
      s.hardware_throttled = (*last_events_ & hardware_events) != 0 ? 1 : 0;
      s.sw_thermal = (*last_events_ & bit(ClockEvent::sw_thermal)) != 0 ? 1 : 0;
      s.power_cap = (*last_events_ & bit(ClockEvent::sw_power_cap)) != 0 ? 1 : 0;
      return;
    }
    if (says_lost(cell)) gpu.lost = true;
  }
  for (const Role role : {Role::hw_slowdown, Role::hw_thermal, Role::hw_power_brake})
    raise(role, s.hardware_throttled);
  raise(Role::sw_thermal, s.sw_thermal);
  raise(Role::sw_power_cap, s.power_cap);
}

void QueryLog::raise(Role role, double& to) const {
  if (!has(role)) return;
  if (const auto active = read_flag(cells_[role])) to = *active || to == 1 ? 1 : 0;
}

}  // namespace gpuvet::ingest
