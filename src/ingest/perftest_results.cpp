// SPDX-License-Identifier: Apache-2.0
#include "ingest/perftest_results.hpp"

#include <array>
#include <utility>

#include "core/text.hpp"
#include "ingest/json_tree.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

// "MB/sec" of older versions means the same as "MiB/sec" of later ones.
constexpr double mebi = 1024.0 * 1024.0, gigabit = 1e9 / 8, micro = 1e-6;
constexpr double most_bytes = 1e13, most_rate = 1e14, most_seconds = 1e6;

constexpr std::array<std::pair<std::string_view, std::string_view>, 6> verbs{{
    {"RDMA_Write", "write"},
    {"RDMA_Read", "read"},
    {"Send", "send"},
    {"RDMA_Write_imm", "write_imm"},
    {"Send_imm", "send_imm"},
    {"Atomic", "atomic"},
}};

bool fits(std::optional<double> value, double most) {
  return !value || (*value > 0 && *value <= most);
}

}  // namespace

std::string perftest_verb(std::string_view title) {
  for (const auto& [theirs, ours] : verbs)
    if (title == theirs) return std::string(ours);
  return {};
}

bool PerftestRow::reads(std::string_view column) {
  return column == "#bytes" || column.starts_with("BW average[") || column.starts_with("t_avg[") ||
         column.starts_with("t_typical[") || column.starts_with("99% percentile[");
}

void PerftestRow::take(std::string_view column, double value) {
  cycles = cycles || contains(column, "[cycles]");
  if (column == "#bytes")
    bytes = value;
  else if (column.starts_with("BW average["))
    bandwidth = value * (contains(column, "Gb/sec") ? gigabit : mebi);
  else if (column.starts_with("t_avg["))
    average = value * micro;
  else if (column.starts_with("t_typical["))
    typical = value * micro;
  else
    p99 = value * micro;
}

Result<void> record(const PerftestRun& run, Recorder& out) {
  for (const auto& row : run.rows) {
    out.line(row.line);
    if (!is_rdma_device(run.device))
      return fail(Errc::malformed, "figures of no named device", row.line);
    const std::string subject = rdma_subject(run.device, 1);
    if (!row.bytes || !fits(row.bytes, most_bytes) || !fits(row.bandwidth, most_rate) ||
        (!run.bandwidth && (!fits(row.typical, most_seconds) || !fits(row.average, most_seconds) ||
                            !fits(row.p99, most_seconds))))
      return fail(Errc::malformed, "a figure that cannot be", row.line);
    Where where{{"backend", "perftest"}, {"verb", run.verb}, {"bytes", *row.bytes}};
    if (!run.connection.empty()) where.emplace("connection", printable(run.connection));
    if (run.gpu) where.emplace("memory", *run.gpu ? "gpu" : "host");
    if (run.bandwidth) {
      where.emplace("direction", run.direction);
      if (run.qps) where.emplace("qps", *run.qps);
      if (!row.bandwidth) return fail(Errc::malformed, "no average bandwidth", row.line);
      out.number("nic.rdma.bandwidth"_id, subject, *row.bandwidth, std::move(where));
      continue;
    }
    const auto time = row.typical ? row.typical : row.average;
    if (!time) return fail(Errc::malformed, "no latency", row.line);
    if (row.cycles) {
      out.absent("nic.rdma.latency"_id, subject, Absence::not_supported,
                 "given in processor cycles of unknown length", std::move(where));
      continue;
    }
    out.number("nic.rdma.latency"_id, subject, *time, where);
    out.detail(row.typical ? "typical (median)" : "mean");
    if (row.p99) out.number("nic.rdma.latency.p99"_id, subject, *row.p99, std::move(where));
  }
  return {};
}

Result<void> read_perftest_json(std::string_view text, Recorder& out) {
  out.tool("perftest");
  out.how(How::measured);
  GPUVET_TRY(const JsonNode document, parse_json_tree(text));
  const auto* info = document.at("test_info");
  const auto* results = document.at("results");
  if (info == nullptr || results == nullptr)
    return fail(Errc::malformed, "no test or no results: the file is cut off");
  // "RDMA_Write_Bidirectional_BW_Test": verbs hold the same sign that parts the words.
  const std::string_view title = info->words("test");
  PerftestRun run;
  std::size_t longest = 0;
  for (const auto& [theirs, ours] : verbs)
    if (title.starts_with(theirs) && theirs.size() > longest) {
      run.verb = ours;
      longest = theirs.size();
    }
  run.latency = contains(title, "_Latency_");
  run.bandwidth = contains(title, "_BW_");
  if (run.verb.empty() || run.latency == run.bandwidth)
    return fail(Errc::malformed, "a test of unknown kind", info->line);
  if (contains(title, "_Bidirectional_")) run.direction = "bidirectional";
  if (info->words("Dual_port") == "ON") run.direction = "two ports";
  run.device = printable(info->words("Device").substr(0, 64));
  run.connection = info->words("Connection_type").substr(0, 16);
  run.qps = info->number_at("Number_of_qps");
  // Versions that know of GPUs' memory here name another vendor's too.
  run.gpu.reset();
  if (info->at("cuda_device") != nullptr || info->words("Use_ROCm_memory") == "ON")
    run.gpu = true;
  else if (info->at("Use_ROCm_memory") != nullptr)
    run.gpu = false;
  PerftestRow row;
  row.line = results->line;
  row.bytes = results->number_at("MsgSize");
  if (const auto average = results->number_at("BW_average")) {
    // The unit is not written down; messages a second tell it.
    const double rate = results->number_at("MsgRate").value_or(0) * 1e6 * row.bytes.value_or(0);
    for (const double unit : {mebi, gigabit})
      if (rate > 0 && *average * unit > 0.5 * rate && *average * unit < 2 * rate)
        row.bandwidth = *average * unit;
    if (!row.bandwidth)
      return fail(Errc::malformed, "bandwidth in a unit that its message rate does not tell",
                  results->line);
  }
  for (const auto& item : results->items) {
    if (!item.is(JsonNode::Kind::number)) continue;
    if (item.key == "t_typical") row.typical = item.number * micro;
    if (item.key == "t_avg") row.average = item.number * micro;
    if (item.key == "percentile_99") row.p99 = item.number * micro;
  }
  run.rows.push_back(row);
  return record(run, out);
}

}  // namespace gpuvet::ingest
