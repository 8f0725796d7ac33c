// SPDX-License-Identifier: Apache-2.0
#include "ingest/nvbandwidth_results.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr double giga = 1e9, nano = 1e-9;
constexpr std::size_t longest_words = 200;
constexpr std::string_view no_peers = "waived: no two GPUs can reach each other's memory";

enum class Measures : std::uint8_t {
  h2d,
  d2h,
  h2d_all,
  d2h_all,
  h2d_half,
  d2h_half,
  peer,
  peer_both,
  local,
  host_latency,
  peer_latency,
};

struct Test {
  std::string_view name;
  Measures measures;
  std::string_view direction, engine;
};

// Copies to and from the host by a kernel (_sm) say less about the link than the copy engine's and
// are left out, as are sums over many GPUs (all_to_one, one_to_all) and multinode tests.
constexpr std::array tests{
    Test{"host_to_device_memcpy_ce", Measures::h2d, "", ""},
    Test{"device_to_host_memcpy_ce", Measures::d2h, "", ""},
    Test{"host_to_all_memcpy_ce", Measures::h2d_all, "", ""},
    Test{"all_to_host_memcpy_ce", Measures::d2h_all, "", ""},
    Test{"host_to_device_bidirectional_memcpy_ce", Measures::h2d_half, "", ""},
    Test{"device_to_host_bidirectional_memcpy_ce", Measures::d2h_half, "", ""},
    Test{"device_to_device_memcpy_read_ce", Measures::peer, "read", "ce"},
    Test{"device_to_device_memcpy_write_ce", Measures::peer, "write", "ce"},
    Test{"device_to_device_memcpy_read_sm", Measures::peer, "read", "sm"},
    Test{"device_to_device_memcpy_write_sm", Measures::peer, "write", "sm"},
    Test{"device_to_device_bidirectional_memcpy_read_ce", Measures::peer_both, "both", "ce"},
    Test{"device_to_device_bidirectional_memcpy_write_ce", Measures::peer_both, "both", "ce"},
    Test{"device_to_device_bidirectional_memcpy_read_sm", Measures::peer_both, "both", "sm"},
    Test{"device_to_device_bidirectional_memcpy_write_sm", Measures::peer_both, "both", "sm"},
    Test{"device_local_copy", Measures::local, "", ""},
    Test{"host_device_latency_sm", Measures::host_latency, "", ""},
    Test{"device_to_device_latency_sm", Measures::peer_latency, "", "sm"},
};

const Test* find_test(std::string_view name) {
  const auto found = std::ranges::find(tests, name, &Test::name);
  return found == tests.end() ? nullptr : found;
}

bool between_gpus(Measures m) {
  return m == Measures::peer || m == Measures::peer_both || m == Measures::peer_latency;
}

Where peer_where(std::string_view direction, std::string_view engine) {
  Where where{{"engine", std::string(engine)}, {"p2p", "enabled"}};
  if (!direction.empty()) where.emplace("direction", std::string(direction));
  return where;
}

Where pinned_copy() { return {{"memory", "pinned"}}; }

std::string shortened(std::string_view words) { return printable(words.substr(0, longest_words)); }

/// "PCI address" of any length: before v0.6 the parts lacked their leading zeros.
std::optional<std::string> padded_address(std::string_view text) {
  const auto parts = split(text, ':');
  if (parts.size() != 3) return {};
  std::array<std::int64_t, 3> number{};
  for (std::size_t i = 0; i < 3; ++i) {
    const auto value = parse_integer(parts[i], 16);
    if (!value || *value < 0 || *value > (i == 0 ? 0xffffffff : 0xff)) return {};
    number[i] = *value;
  }
  return pci_address(fmt::format("{:08x}:{:02x}:{:02x}", number[0], number[1], number[2]));
}

}  // namespace

void NvbandwidthResults::start(std::string_view version, std::size_t line) {
  end_of_run();
  version_ = printable(trim(version).substr(0, 40));
  out_.tool("nvbandwidth", version_);
  out_.line(line);
}

void NvbandwidthResults::driver(std::string_view version, std::size_t line) {
  out_.line(line);
  out_.text("node.driver.version"_id, "node", printable(trim(version).substr(0, 40)));
}

void NvbandwidthResults::device(std::size_t ordinal, std::string_view text, std::size_t line) {
  text = trim(text);
  std::optional<std::string> address;
  const auto open = text.rfind('(');
  if (open != std::string_view::npos && text.ends_with(')'))
    address = padded_address(text.substr(open + 1, text.size() - open - 2));
  devices_.add(ordinal, address ? text.substr(0, open) : text, address, line);
}

std::size_t NvbandwidthResults::rows_due(std::string_view test, std::size_t columns) {
  const Test* known = find_test(test);
  if (known == nullptr) return 0;
  return between_gpus(known->measures) ? columns : 1;
}

Result<void> NvbandwidthResults::matrix(const NvbandwidthMatrix& m) {
  ++results_;
  const Test* test = find_test(m.test);
  if (test == nullptr) return {};
  for (const auto& row : m.rows)
    for (const auto& cell : row)
      if (cell && (*cell < 0 || *cell > 1e9))
        return fail(Errc::malformed, fmt::format("{} is no bandwidth or latency", *cell), m.line);
  record_devices();
  peers_seen_ = peers_seen_ || between_gpus(test->measures);
  switch (test->measures) {
    case Measures::h2d:
      host(m, "hostlink.h2d"_id, false);
      break;
    case Measures::d2h:
      host(m, "hostlink.d2h"_id, false);
      break;
    case Measures::h2d_all:
      host(m, "hostlink.h2d"_id, true);
      break;
    case Measures::d2h_all:
      host(m, "hostlink.d2h"_id, true);
      break;
    case Measures::h2d_half:
      half(m, &Halves::h2d);
      break;
    case Measures::d2h_half:
      half(m, &Halves::d2h);
      break;
    case Measures::peer:
      peer(m, test->direction, test->engine);
      break;
    case Measures::peer_both:
      peer_both(m, test->engine);
      break;
    case Measures::local:
      local(m);
      break;
    case Measures::host_latency:
      host_latency(m);
      break;
    case Measures::peer_latency:
      peer_latency(m);
      break;
  }
  return {};
}

void NvbandwidthResults::record_devices() {
  if (!devices_recorded_) devices_.record(out_);
  devices_recorded_ = true;
}

void NvbandwidthResults::host(const NvbandwidthMatrix& m, Id id, bool all_at_once) {
  out_.line(m.line);
  const auto& row = m.rows.front();
  Where where = pinned_copy();
  where.emplace("concurrent", all_at_once ? static_cast<double>(row.size()) : 1.0);
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i])
      out_.number(id, devices_.gpu(i), *row[i] * giga, where);
    else
      out_.absent(id, devices_.gpu(i), Absence::not_supported, "N/A in " + m.test, where);
}

/// "host_to_device_bidirectional" measures one direction while the other runs unmeasured, and is
/// no total: the two tests together are.
void NvbandwidthResults::half(const NvbandwidthMatrix& m, std::optional<double> Halves::*side) {
  const auto& row = m.rows.front();
  for (std::size_t i = 0; i < row.size(); ++i) {
    auto& halves = halves_[devices_.gpu(i)];
    halves.*side = row[i];
    halves.line = m.line;
  }
}

void NvbandwidthResults::local(const NvbandwidthMatrix& m) {
  out_.line(m.line);
  const auto& row = m.rows.front();
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i]) {
      // It counts each byte once, though it is read and written.
      out_.number("memory.bandwidth.copy"_id, devices_.gpu(i), 2 * *row[i] * giga,
                  {{"backend", "cuda memcpy"}});
      out_.detail("device_local_copy, doubled: read and write");
    } else {
      out_.absent("memory.bandwidth.copy"_id, devices_.gpu(i), Absence::not_supported,
                  "N/A in " + m.test, {{"backend", "cuda memcpy"}});
    }
}

void NvbandwidthResults::host_latency(const NvbandwidthMatrix& m) {
  out_.line(m.line);
  const auto& row = m.rows.front();
  for (std::size_t i = 0; i < row.size(); ++i)
    if (row[i])
      out_.number("hostlink.latency"_id, devices_.gpu(i), *row[i] * nano, pinned_copy());
    else
      out_.absent("hostlink.latency"_id, devices_.gpu(i), Absence::not_supported,
                  "N/A in " + m.test, pinned_copy());
}

/// In both kinds of test the GPU of the row gives the order, whatever the arrow in the title says:
/// it reads from, or writes to, the GPU of the column.
void NvbandwidthResults::peer(const NvbandwidthMatrix& m, std::string_view direction,
                              std::string_view engine) {
  const Where where = peer_where(direction, engine);
  const bool reads = direction == "read";
  for (std::size_t i = 0; i < m.rows.size(); ++i) {
    out_.line(m.line == 0 ? 0 : m.line + i);
    for (std::size_t j = 0; j < m.rows[i].size(); ++j) {
      if (i == j) continue;
      const auto words = fmt::format("GPU {} {} GPU {}", i, reads ? "reads from" : "writes to", j);
      // v0.1 printed 0.00 where later versions print N/A: the GPUs are no peers.
      if (const auto& cell = m.rows[i][j]; cell && *cell > 0) {
        out_.number("peer.bandwidth"_id, devices_.link(i, j), *cell * giga, where);
        out_.detail(words);
      } else {
        out_.absent("peer.bandwidth"_id, devices_.link(i, j), Absence::not_supported,
                    words + ": no peer access", where);
      }
    }
  }
}

/// Since v0.6 three matrices: each direction, then "Total". Before, the copy engine's cell was one
/// direction under opposite load, so that (i,j) and (j,i) make the total, and the kernel's the sum.
void NvbandwidthResults::peer_both(const NvbandwidthMatrix& m, std::string_view engine) {
  if (contains(m.title, "Read1") || contains(m.title, "Read2") || contains(m.title, "Write1") ||
      contains(m.title, "Write2"))
    return;
  const bool is_total = contains(m.title, "Total") || engine == "sm";
  const Where where = peer_where("both", engine);
  for (std::size_t i = 0; i < m.rows.size(); ++i) {
    out_.line(m.line == 0 ? 0 : m.line + i);
    for (std::size_t j = is_total ? 0 : i + 1; j < m.rows[i].size(); ++j) {
      if (i == j) continue;
      const auto &there = m.rows[i][j], &back = m.rows[j][i];
      const bool known = there && *there > 0 && (is_total || (back && *back > 0));
      if (!known) {
        out_.absent("peer.bandwidth"_id, devices_.link(i, j), Absence::not_supported,
                    fmt::format("GPU {} and GPU {}: no peer access", i, j), where);
        continue;
      }
      const double total = is_total ? *there : *there + *back;
      out_.number("peer.bandwidth"_id, devices_.link(i, j), total * giga, where);
      out_.detail(is_total ? m.test
                           : fmt::format("{}: {} and {} GB/s, each under opposite load", m.test,
                                         *there, *back));
    }
  }
}

void NvbandwidthResults::peer_latency(const NvbandwidthMatrix& m) {
  const Where where = peer_where("", "sm");
  const auto version = version_parts(version_.starts_with('v') ? version_.substr(1) : version_);
  const bool sound =
      version.size() >= 2 && std::pair(version[0], version[1]) >= std::pair(INT64_C(0), INT64_C(8));
  for (std::size_t i = 0; i < m.rows.size(); ++i) {
    out_.line(m.line == 0 ? 0 : m.line + i);
    for (std::size_t j = 0; j < m.rows[i].size(); ++j) {
      if (i == j) continue;
      const auto& cell = m.rows[i][j];
      if (!sound) {
        // Fixed in v0.8: the pointer that it chased lay in host memory.
        out_.absent("peer.latency"_id, devices_.link(i, j), Absence::malformed,
                    "before v0.8 nvbandwidth measured host memory here", where);
      } else if (cell && *cell > 0) {
        out_.number("peer.latency"_id, devices_.link(i, j), *cell * nano, where);
        out_.detail(fmt::format("GPU {} reads from GPU {}", i, j));
      } else {
        out_.absent("peer.latency"_id, devices_.link(i, j), Absence::not_supported,
                    fmt::format("GPU {} and GPU {}: no peer access", i, j), where);
      }
    }
  }
}

void NvbandwidthResults::waived(std::string_view test, std::size_t line) {
  missing(test, Absence::not_supported, no_peers, line);
}

void NvbandwidthResults::missing(std::string_view test, Absence why, std::string_view words,
                                 std::size_t line) {
  ++results_;
  record_devices();
  out_.line(line);
  const std::string why_in_words = shortened(words);
  const Test* known = find_test(test);
  const std::string name = printable(test.substr(0, 80));
  out_.text("diag.result"_id, "node", why == Absence::not_supported ? "skip" : "fail",
            {{"test", "nvbandwidth " + name}});
  out_.detail(why_in_words);
  if (known == nullptr || known->measures != Measures::peer) return;
  if (!missing_.insert(known->name).second) return;  // once a run: there is a line for each pair
  for (std::size_t i = 0; i < devices_.size(); ++i)
    for (std::size_t j = i + 1; j < devices_.size(); ++j)
      out_.absent("peer.bandwidth"_id, devices_.link(i, j), why, why_in_words,
                  peer_where(known->direction, known->engine));
}

void NvbandwidthResults::corrupt(std::string_view test, std::string_view words, std::size_t line) {
  ++results_;
  out_.line(line);
  const Where where{{"test", "nvbandwidth " + printable(test.substr(0, 80))}};
  out_.text("diag.errors"_id, "node", "copied data differ: " + shortened(words), where);
}

void NvbandwidthResults::waived_unnamed(std::size_t line) {
  if (waived_line_ == 0) waived_line_ = line;
  ++results_;
}

void NvbandwidthResults::end_of_run() {
  // Text output does not name the tests that it waives; only those between GPUs can be.
  if (waived_line_ > 0 && !peers_seen_ && devices_.size() > 1)
    missing("device_to_device_memcpy_read_ce", Absence::not_supported, no_peers, waived_line_);
  waived_line_ = 0;
  peers_seen_ = false;
  devices_.clear();
  missing_.clear();
  devices_recorded_ = false;
}

/// The two halves may come from two runs.
void NvbandwidthResults::record_halves() {
  const Where where = pinned_copy();
  for (const auto& [gpu, halves] : halves_) {
    out_.line(halves.line);
    if (halves.h2d && halves.d2h) {
      out_.number("hostlink.bidirectional"_id, gpu, (*halves.h2d + *halves.d2h) * giga, where);
      out_.detail(fmt::format("{} GB/s to the GPU and {} GB/s from it, each under opposite load",
                              *halves.h2d, *halves.d2h));
    } else {
      const auto& known = halves.h2d ? halves.h2d : halves.d2h;
      const auto words = known ? fmt::format("only {} the GPU was measured: {} GB/s",
                                             halves.h2d ? "to" : "from", *known)
                               : std::string("N/A");
      out_.absent("hostlink.bidirectional"_id, gpu, Absence::not_asked, words, where);
    }
  }
}

Result<void> NvbandwidthResults::finish(std::string_view error, std::size_t line) {
  end_of_run();
  record_halves();
  if (results_ > 0) return {};
  if (!error.empty())
    return fail(Errc::vendor_failure, "nvbandwidth stopped with an error: " + shortened(error),
                line);
  return fail(Errc::malformed,
              "nvbandwidth measured nothing here: run it without -h and -l and send all it prints",
              line);
}

}  // namespace gpuvet::ingest
