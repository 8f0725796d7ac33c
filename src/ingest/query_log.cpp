// SPDX-License-Identifier: Apache-2.0
// The hot loop of telemetry logs: cut a row, find its GPU, read the few numbers that matter.
#include "ingest/query_log.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"
#include "ingest/row_cells.hpp"

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
    : header_{std::move(header)}, columns_(header_.names.size()) {}

Result<void> QueryLog::row(std::string_view text, std::size_t line) {
  if (text.size() > longest_row) return fail(Errc::too_large, "row is longer than 64 KiB", line);
  if (!assigned_) assign_roles(text);
  line_ = line;
  Row row;
  if (const std::size_t fields = read_cells(text, row); fields != columns_.size())
    return wrong_count(fields);
  if (row.problem) return tl::make_unexpected(std::move(*row.problem));
  if (has(Role::when) && !first_) first_ = row.time;
  QueryGpu* gpu = nullptr;
  if (row.in_turn) {
    gpu = &next_in_turn();
  } else {
    GPUVET_TRY(gpu, whose());
  }
  if (gpu->nameless) GPUVET_CHECK(tell_apart(*gpu, row.time));
  if (has(Role::page_address)) count_page(*gpu, gpu->rows > 0 && row.time != gpu->previous);
  if (has_series_) add_sample(*gpu, row);
  gpu->lost = gpu->lost || row.lost;
  gpu->previous = row.time;
  ++gpu->rows;
  gpu->last_row.assign(text);
  gpu->last_line = line;
  last_ = gpu;
  return {};
}

void QueryLog::assign_roles(std::string_view first_row) {
  const auto cells = split(first_row, ',');
  if (cells.size() != columns_.size()) return;  // the caller will say so
  assigned_ = true;
  ByRole<bool> settled;
  ByRole<std::size_t> position;
  for (const auto& [role, name] : role_names) {
    const auto at = header_.find(name);
    if (!at || settled[role]) continue;
    settled[role] = !absence_in(query_cell(cells[*at]));
    if (has_[role] && !settled[role]) continue;
    has_[role] = true;
    position[role] = *at;
  }
  const auto in_series = [](Role role) { return role >= Role::core && role <= Role::sw_power_cap; };
  has_series_ = has_[Role::when] && std::ranges::any_of(role_names, [&](const RoleName& named) {
                  return in_series(named.role) && has_[named.role];
                });
  for (const auto& [role, name] : role_names) {
    if (!has_[role] || (in_series(role) && !has_series_)) continue;
    columns_[position[role]].role = role;
    unit_[role] = header_.units[position[role]];
  }
  for (const Quantity& quantity : quantities) {
    if (!has_[quantity.role] || !has_series_) continue;
    const std::string& unit = unit_[quantity.role];
    Column& column = columns_[position[quantity.role]];
    column.quantity = &quantity;
    column.plain = unit.empty() || unit == quantity.unit;
  }
}

/// Reads the cells that have a role; returns the number of fields. What a cell nearly always is
/// stands here, the rest in functions of its own.
std::size_t QueryLog::read_cells(std::string_view text, Row& row) {
  const QueryGpu* const in_turn = gpus_.empty() ? nullptr : gpus_[next_].get();
  row.in_turn = in_turn != nullptr;
  RowCells cells{text};
  std::size_t field = 0;
  for (const Column& column : columns_) {
    if (cells.done()) return field;
    ++field;
    if (const Quantity* const quantity = column.quantity) {
      const double plain = column.plain ? cells.plain_number(quantity->unit) : RowCells::not_plain;
      // Most quantities are logged in base units, and a division costs as much as the rest.
      const double number = plain * quantity->factor;
      row.sample.*quantity->to = quantity->divisor == 1 ? number : number / quantity->divisor;
      if (plain != plain) read_odd_number(*quantity, cells.next(), row);
      continue;
    }
    switch (column.role) {
      case Role::unused:
        cells.skip();
        break;
      case Role::when:  // the rows of all GPUs share one
        row.time = time_.last_time();
        if (time_.last_text().empty() || !cells.skip_if(time_.last_text()))
          read_new_time(cells.next(), row);
        break;
      case Role::uuid:
      case Role::bus_id:
      case Role::index: {
        const auto position =
            static_cast<std::size_t>(column.role) - static_cast<std::size_t>(Role::uuid);
        if (in_turn != nullptr && cells.skip_if(in_turn->cells[position])) {
          cells_[column.role] = in_turn->cells[position];
          break;
        }
        cells_[column.role] = cells.next();
        row.in_turn = false;
        break;
      }
      case Role::events:  // they change rarely
        if (!cells.skip_if(events_text_)) read_new_events(cells.next());
        break;
      default:
        cells_[column.role] = cells.next();
    }
  }
  return field + cells.left();
}

void QueryLog::read_new_time(std::string_view cell, Row& row) {
  if (const auto time = time_.read(cell))
    row.time = *time;
  else if (!row.problem)
    row.problem = Error{
        Errc::malformed, "unreadable timestamp: " + printable(cell.substr(0, 40)), line_, {}, {}};
}

void QueryLog::read_odd_number(const Quantity& quantity, std::string_view cell, Row& row) const {
  auto number = read_number(quantity.id, {cell, unit_[quantity.role], line_});
  if (!number) {
    if (!row.problem) row.problem = std::move(number).error();
    return;
  }
  row.sample.*quantity.to = number->value_or(Sample::missing);
  row.lost = row.lost || (!*number && says_lost(cell));
}

void QueryLog::read_new_events(std::string_view cell) {
  events_text_.assign(cell);
  events_ = read_clock_events(cell);
}

Result<void> QueryLog::wrong_count(std::size_t fields) const {
  std::string what = "row has " + std::to_string(fields) + " fields, the header has " +
                     std::to_string(columns_.size());
  if (fields > columns_.size()) what += ": decimal commas? rerun with LC_ALL=C";
  return fail(Errc::malformed, std::move(what), line_);
}

/// Rows go round the GPUs: the one after the last row's.
QueryGpu& QueryLog::next_in_turn() {
  QueryGpu& gpu = *gpus_[next_];
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

void QueryLog::add_sample(QueryGpu& gpu, Row& row) const {
  Sample& s = row.sample;
  if (gpu.rows > 0) {
    const std::int64_t step = row.time - gpu.previous;
    s.gap = static_cast<double>(step < 0 ? -step : step) / 1e6;
    // A clock that was set back: time stands still for a moment, the gap is how far it jumped.
    if (step < -second) {
      gpu.shift -= step;
      ++gpu.jumps;
    }
  }
  s.time = static_cast<double>(row.time + gpu.shift - first_.value_or(row.time)) / 1e6;
  read_throttling(row);
  gpu.series.add(s);
}

/// One column holds all reasons as bits; columns of single reasons serve where it doesn't.
void QueryLog::read_throttling(Row& row) const {
  Sample& s = row.sample;
  if (has(Role::events)) {
    if (events_) {
      s.hardware_throttled = (*events_ & hardware_events) != 0 ? 1 : 0;
      s.sw_thermal = (*events_ & bit(ClockEvent::sw_thermal)) != 0 ? 1 : 0;
      s.power_cap = (*events_ & bit(ClockEvent::sw_power_cap)) != 0 ? 1 : 0;
      return;
    }
    row.lost = row.lost || says_lost(events_text_);
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
