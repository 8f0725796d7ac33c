// SPDX-License-Identifier: Apache-2.0
// Kernel logs: dmesg in all its dresses, /dev/kmsg, journal, syslog, pstore, bare messages. What
// counts is the message; the prefix only helps to tell a log from other text and to name the host.
#include <algorithm>
#include <map>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/kernel_log_faults.hpp"
#include "ingest/kernel_log_gpus.hpp"
#include "ingest/kernel_log_line.hpp"
#include "ingest/kernel_log_machine.hpp"

namespace gpuvet::ingest {
namespace {

/// `line` without terminal escapes: `dmesg --color` puts them between "NVRM: " and "Xid".
std::string_view plain(std::string_view line, std::string& storage) {
  if (line.find('\x1b') == std::string_view::npos) return line;
  return storage = strip_escapes(line);
}

/// A healthy machine's log may not name a GPU at all, so prefixes count too.
bool recognises(std::string_view head) {
  constexpr std::size_t lines_that_count = 40;
  constexpr int enough = 3;
  std::size_t seen = 0;
  int prefixed = 0;
  std::string storage;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string_view line = plain(head.substr(0, end), storage);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (trim(line).empty()) continue;
    if (names_driver(line)) return true;
    if (seen++ < lines_that_count && has_log_prefix(line) && ++prefixed == enough) return true;
  }
  return false;
}

class Reader {
 public:
  Result<void> line(std::string_view text, std::size_t number) {
    if (trim(text).empty()) return {};
    ++lines_;
    if (!is_log_) is_log_ = has_log_prefix(text) || names_driver(text);
    if (trim(text).starts_with("journalctl -b -"))
      earlier_boot_ = !trim(text).starts_with("journalctl -b -0");
    constexpr std::size_t most_hosts = 16;
    if (const auto host = host_of(text); host && hosts_.size() < most_hosts)
      hosts_.try_emplace(std::string(*host), number);
    const auto message = message_of(text);
    if (message.starts_with("Linux version ")) starts_ = true;
    if (message.starts_with("Command line: ") || message.starts_with("Kernel command line: "))
      commanded_ = true;
    machine_.message(message, number, earlier_boot_);
    GPUVET_CHECK(faults_.message(message, number, earlier_boot_));
    return gpus_.line(text, number);
  }

  Result<void> record(Recorder& out) const {
    // Without this check any text would pass as a log without a single Xid.
    if (!is_log_) return fail(Errc::malformed, "no line looks like a kernel log", 1);
    out.tool("kernel log");
    gpus_.record(out);
    machine_.record(out);
    faults_.record(out, whole());
    for (const auto& [host, number] : hosts_) {
      out.line(number);
      out.text("node.hostname"_id, "node", host);
    }
    out.line(0);
    out.number("kernel_log.lines"_id, "node", static_cast<double>(lines_));
    out.number("kernel_log.gpu_events"_id, "node", static_cast<double>(gpus_.count()));
    return {};
  }

 private:
  /// Whether the log shows a boot from its start and is no search result: the kernel's first two
  /// messages are there, and as much as any kernel prints. Only then is silence a zero.
  [[nodiscard]] bool whole() const {
    constexpr std::size_t fewest = 100;
    return starts_ && commanded_ && lines_ >= fewest;
  }

  GpuEvents gpus_;
  MachineFacts machine_;
  Faults faults_;
  std::map<std::string, std::size_t> hosts_;  ///< -> first line
  std::size_t lines_ = 0;
  bool is_log_ = false, earlier_boot_ = false, starts_ = false, commanded_ = false;
};

Result<void> read(ByteSource& source, Recorder& out) {
  LineReader lines{source};
  Reader reader;
  std::string storage;
  while (const auto line = lines.next())
    GPUVET_CHECK(reader.line(plain(*line, storage), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.record(out);
}

}  // namespace

Importer kernel_log() {
  return {.kind = "kernel_log",
          .title = "kernel log",
          .obtain = "dmesg, or journalctl -k",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
