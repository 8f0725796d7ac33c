// SPDX-License-Identifier: Apache-2.0
// /var/log/fabricmanager.log: what the service that configures NVSwitches did. Old starts stay in
// the file, so the last word on state and version counts. Errors of NVSwitches are SXid codes.
#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer fabricmanager();

namespace {

constexpr std::size_t most_errors = 64, longest_error = 200, most_switches = 256, most_codes = 256;

struct Line {
  std::string_view when, level, message;
};

/// "[Feb 25 2025 13:59:45] [INFO] [tid 1803] message"; payloads stand on lines of their own.
std::optional<Line> line_of(std::string_view text) {
  std::array<std::string_view, 3> brackets;
  for (auto& inside : brackets) {
    text = trim(text);
    const auto close = text.find(']');
    if (!text.starts_with('[') || close == text.npos || close > 64) return {};
    inside = text.substr(1, close - 1);
    text.remove_prefix(close + 1);
  }
  if (!brackets[2].starts_with("tid ")) return {};
  return Line{brackets[0], brackets[1], trim(text)};
}

struct State {
  std::string_view sign, state;
};

constexpr std::array states{
    State{"Successfully configured all the available GPUs and NVSwitches", "running"},
    State{"Successfully configured all the available NVSwitches", "running"},
    State{"nothing to do", "stopped"},
    State{"exiting", "stopped"},
    State{"shutting down", "stopped"},
};

struct Switch {
  std::set<std::int64_t> fatal, nonfatal;
  std::size_t line = 0;
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("fabric manager log");
    while (const auto raw = lines_.next())
      if (const auto line = line_of(*raw)) GPUVET_CHECK(entry(*line));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (entries_ == 0)
      return fail(Errc::malformed, "no line looks like a fabric manager's", lines_.line());
    record();
    return {};
  }

 private:
  Result<void> entry(const Line& line) {
    ++entries_;
    when_ = std::string(line.when);
    version(line.message);
    for (const auto& [sign, state] : states)
      if (contains(line.message, sign)) set_state(state);
    const bool bad = line.level == "ERROR" || line.level == "FATAL" || line.level == "CRITICAL";
    if (!bad) return {};
    if (line.level == "FATAL") set_state("failed");
    if (contains(line.message, "failed to initialize") || contains(line.message, "aborting"))
      set_state("failed");
    if (errors_.empty()) error_line_ = lines_.line();
    ++error_count_;
    const std::string text = printable(line.message.substr(0, longest_error));
    if (errors_.size() < most_errors && std::ranges::find(errors_, text) == errors_.end())
      errors_.push_back(text);
    return sxid(line.message);
  }

  void set_state(std::string_view state) {
    state_ = state;
    state_line_ = lines_.line();
  }

  /// "Fabric Manager version 550.90.07 is running with the following configuration options".
  void version(std::string_view message) {
    const auto at = lower(message.substr(0, 200)).find("fabric manager version");
    if (at == std::string::npos) return;
    for (const auto word : words(message.substr(at, 120)))
      if (version_parts(word).size() >= 2) {
        version_ = printable(word.substr(0, 40));
        version_line_ = lines_.line();
        return;
      }
  }

  /// "detected NVSwitch non-fatal error 12028 on fid 0 on NVSwitch pci bus id 00000000:86:00.0
  /// ...".
  Result<void> sxid(std::string_view message) {
    const bool nonfatal = contains(message, "NVSwitch non-fatal error ");
    if (!nonfatal && !contains(message, "NVSwitch fatal error ")) return {};
    const auto tokens = words(message.substr(0, 400));
    std::optional<std::int64_t> code;
    std::optional<std::string> address;
    for (std::size_t i = 1; i < tokens.size(); ++i) {
      if (tokens[i - 1] == "error" && !code) code = parse_integer(tokens[i]);
      if (tokens[i - 1] == "id" && !address) address = pci_address(tokens[i]);
    }
    if (!code || *code < 0 || !address) return {};
    const auto [found, fresh] = switches_.try_emplace(*address);
    Switch& s = found->second;
    if (fresh) s.line = lines_.line();
    (nonfatal ? s.nonfatal : s.fatal).insert(*code);
    if (switches_.size() > most_switches || s.fatal.size() + s.nonfatal.size() > most_codes)
      return fail(Errc::too_large, "more NVSwitches or codes than any machine has", lines_.line());
    return {};
  }

  static std::vector<double> list(const std::set<std::int64_t>& codes) {
    return {codes.begin(), codes.end()};
  }

  void record() {
    out_.when(printable(when_));
    if (!version_.empty()) {
      out_.line(version_line_);
      out_.text("node.fabric_manager.version"_id, "node", version_);
    }
    if (!state_.empty()) {
      out_.line(state_line_);
      out_.text("node.fabric_manager.state"_id, "node", std::string(state_));
    }
    out_.line(error_line_);  // an empty list says that it logged, and no error
    const std::size_t shown = errors_.size();
    out_.texts("node.fabric_manager.errors"_id, "node", std::move(errors_));
    if (error_count_ > shown) out_.detail(std::to_string(error_count_) + " errors in all");
    for (const auto& [address, s] : switches_) {
      const std::string subject = "nvswitch:" + address;
      std::set<std::int64_t> all = s.fatal;
      all.insert(s.nonfatal.begin(), s.nonfatal.end());
      out_.line(s.line);
      out_.numbers("nvswitch.sxid"_id, subject, list(all));
      out_.numbers("nvswitch.sxid.fatal"_id, subject, list(s.fatal));
      out_.numbers("nvswitch.sxid.nonfatal"_id, subject, list(s.nonfatal));
    }
  }

  LineReader lines_;
  Recorder& out_;
  std::vector<std::string> errors_;
  std::map<std::string, Switch> switches_;
  std::string version_, when_;
  std::string_view state_;
  std::size_t entries_ = 0, error_count_ = 0;
  std::size_t error_line_ = 0, version_line_ = 0, state_line_ = 0;
};

bool recognises(std::string_view head) {
  for (int seen = 0; seen < 8 && !head.empty(); ++seen) {
    const auto end = std::min(head.find('\n'), head.size());
    if (line_of(head.substr(0, end))) return true;
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer fabricmanager() {
  return {"fabricmanager", "fabric manager log", "/var/log/fabricmanager.log", recognises, read};
}

}  // namespace gpuvet::ingest
