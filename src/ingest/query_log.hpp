// SPDX-License-Identifier: Apache-2.0
// The rows of one `nvidia-smi --query-gpu` log, reduced while they go by: per GPU its last row and
// a series of bins. Memory doesn't grow with the log, and a row costs no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/result.hpp"
#include "evidence/observation.hpp"
#include "ingest/query_fields.hpp"
#include "ingest/query_time.hpp"
#include "ingest/series_binner.hpp"

namespace gpuvet::ingest {

/// What a column is for while the rows go by.
enum class Role : std::uint8_t {
  unused,
  when,
  uuid,  // the first of three by which a GPU is known
  bus_id,
  index,
  core,  // the first that makes a series
  memory,
  margin,
  power,
  clock,
  utilization,
  events,
  hw_slowdown,
  hw_thermal,
  hw_power_brake,
  sw_thermal,
  sw_power_cap,  // the last that makes a series
  page_address,
  page_cause,
};

/// One value for each role.
template <class T>
class ByRole {
 public:
  T& operator[](Role role) { return values_[static_cast<std::size_t>(role)]; }
  const T& operator[](Role role) const { return values_[static_cast<std::size_t>(role)]; }

 private:
  std::array<T, static_cast<std::size_t>(Role::page_cause) + 1> values_{};
};

/// A quantity of the series, known to query_log.cpp alone.
struct Quantity;

/// What is done with the cells of one column.
struct Column {
  Role role = Role::unused;
  const Quantity* quantity = nullptr;  ///< that the column holds, if it is one of the series
  bool plain = false;  ///< the column's unit is the quantity's own, or stands in the cell
};

/// What "--query-retired-pages" lists of one cause.
struct RetiredPages {
  std::size_t count = 0;
  std::optional<Absence> absent;
};

struct QueryGpu {
  static constexpr std::array<Role, 3> identities{Role::uuid, Role::bus_id, Role::index};

  std::array<std::string, 3> names;  ///< as in `identities`; empty: none that could name a GPU
  std::array<std::string, 3> cells;  ///< what stood there last, to recognise the next row fast
  std::string last_row;
  std::size_t last_line = 0;
  std::size_t rows = 0;
  std::int64_t previous = 0;  ///< time of the last row, as written
  std::int64_t shift = 0;     ///< what to add to it so that time never jumps back
  std::size_t jumps = 0;      ///< how often it did, by more than a second
  bool nameless = false;      ///< none of `names` could be read
  bool lost = false;
  SeriesBinner series;
  std::map<std::string, RetiredPages, std::less<>> pages;  ///< by cause
};

class QueryLog {
 public:
  explicit QueryLog(QueryHeader header);

  /// One data row. After an error the log is not to be used, except that a row with too few fields
  /// leaves it as it was.
  Result<void> row(std::string_view row, std::size_t line);

  [[nodiscard]] const QueryHeader& header() const { return header_; }
  [[nodiscard]] std::vector<std::unique_ptr<QueryGpu>>& gpus() { return gpus_; }
  [[nodiscard]] const QueryGpu* last() const { return last_; }  ///< GPU of the last row
  [[nodiscard]] bool has(Role role) const { return has_[role]; }

 private:
  /// What a row says before it is known which GPU's it is.
  struct Row {
    std::int64_t time = 0;
    Sample sample;
    bool in_turn = false;  ///< it is the GPU's whose turn it is
    bool lost = false;
    std::optional<Error> problem;  ///< with the first cell that can't be read
  };

  void assign_roles(std::string_view first_row);
  std::size_t read_cells(std::string_view text, Row& row);
  void read_new_time(std::string_view cell, Row& row);
  void read_odd_number(const Quantity& quantity, std::string_view cell, Row& row) const;
  void read_new_events(std::string_view cell);
  void read_throttling(Row& row) const;
  void raise(Role role, double& to) const;
  [[nodiscard]] Result<void> wrong_count(std::size_t fields) const;
  QueryGpu& next_in_turn();
  Result<QueryGpu*> whose();
  Result<std::size_t> by_name();
  void limit_bins();
  [[nodiscard]] Result<void> tell_apart(const QueryGpu& gpu, std::int64_t now) const;
  void count_page(QueryGpu& gpu, bool next_listing) const;
  void add_sample(QueryGpu& gpu, Row& row) const;

  QueryHeader header_;
  std::vector<Column> columns_;
  ByRole<bool> has_;                // whether a column plays it
  ByRole<std::string> unit_;        // from the header
  ByRole<std::string_view> cells_;  // of the row at hand, of the roles that are read late
  bool assigned_ = false, has_series_ = false;
  QueryTime time_;
  std::optional<std::int64_t> first_;  // time of the first row
  std::size_t line_ = 0, next_ = 0;
  std::vector<std::unique_ptr<QueryGpu>> gpus_;
  std::unordered_map<std::string, std::size_t> by_cells_;  // identity cells -> position in gpus_
  const QueryGpu* last_ = nullptr;
  std::string events_text_;              // of the row at hand, and mostly of the next
  std::optional<std::uint64_t> events_;  // what it means
};

}  // namespace gpuvet::ingest
