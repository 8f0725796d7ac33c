// SPDX-License-Identifier: Apache-2.0
// Kernel logs: dmesg in all its dresses, /dev/kmsg, journal, syslog, pstore, bare messages. What
// counts is the message; the prefix only helps to tell a log from other text and to name the host.
#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

// No machine has near as many; the bounds keep a hostile log from filling memory.
constexpr std::size_t most_devices = 4096, most_codes = 4096, most_hosts = 16;
constexpr std::size_t longest_detail = 200;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// How many digits `s` starts with.
std::size_t leading_digits(std::string_view s) {
  const auto end = std::ranges::find_if_not(s, is_digit);
  return static_cast<std::size_t>(end - s.begin());
}

/// What stands between `before` and the next `after`; nothing when either is missing.
std::optional<std::string_view> between(std::string_view s, std::string_view before,
                                        std::string_view after) {
  const auto begin = s.find(before);
  if (begin == std::string_view::npos) return {};
  s.remove_prefix(begin + before.size());
  const auto end = s.find(after);
  if (end == std::string_view::npos) return {};
  return s.substr(0, end);
}

/// `line` without terminal escapes: `dmesg --color` puts them between "NVRM: " and "Xid".
std::string_view plain(std::string_view line, std::string& storage) {
  if (line.find('\x1b') == std::string_view::npos) return line;
  return storage = strip_escapes(line);
}

/// The first `N` words, without looking at the rest of a line that may be long.
template <std::size_t N>
std::array<std::string_view, N> first_words(std::string_view s) {
  std::array<std::string_view, N> out;
  for (auto& word : out) {
    s.remove_prefix(std::min(s.find_first_not_of(" \t"), s.size()));
    word = s.substr(0, s.find_first_of(" \t"));
    s.remove_prefix(word.size());
  }
  return out;
}

bool is_time_of_day(std::string_view s) {  // "10:59:09", perhaps with a fraction
  return s.size() >= 8 && leading_digits(s) == 2 && s[2] == ':' &&
         leading_digits(s.substr(3)) == 2 && s[5] == ':' && leading_digits(s.substr(6)) == 2;
}

/// "[    2.906732] ": six decimals, which tells it from Xorg's log with three.
bool has_uptime(std::string_view line) {
  if (!line.starts_with('[')) return false;
  line.remove_prefix(std::min(line.find_first_not_of(' ', 1), line.size()));
  const std::size_t seconds = leading_digits(line);
  line.remove_prefix(seconds);
  return seconds > 0 && line.starts_with('.') && leading_digits(line.substr(1)) == 6 &&
         line.substr(7).starts_with(']');
}

/// "[Sun Feb 23 16:24:18 2025] ", as `dmesg -T` prints it. Other logs have no weekday.
bool has_date(std::string_view line) {
  const auto word = first_words<5>(line);
  return word[0].size() == 4 && word[0][0] == '[' && !is_digit(word[0][1]) && word[1].size() == 3 &&
         is_time_of_day(word[3]) && word[4].size() == 5 && word[4].back() == ']';
}

/// "6,3964,206764307,-;text", as /dev/kmsg gives it.
bool has_kmsg_header(std::string_view line) {
  for (int field = 0; field < 3; ++field) {
    const std::size_t digits = leading_digits(line);
    if (digits == 0 || !line.substr(digits).starts_with(',')) return false;
    line.remove_prefix(digits + 1);
  }
  return line.starts_with("-;") || line.starts_with("-,") || line.starts_with("c;");
}

/// Any prefix that only a kernel log has.
bool has_log_prefix(std::string_view line) {
  if (line.starts_with('<') && leading_digits(line.substr(1)) > 0) {  // pstore: "<4>[   12.345678]"
    line.remove_prefix(1 + leading_digits(line.substr(1)));
    return line.starts_with(">[");
  }
  return has_uptime(line) || has_date(line) || has_kmsg_header(line) ||
         contains(line, " kernel: ") || (line.starts_with("kern ") && contains(line, " : "));
}

/// "nvidia-nvswitch2: ...": with its number, since lspci names the driver without one.
bool names_switch(std::string_view line) {
  constexpr std::string_view driver = "nvidia-nvswitch";
  const auto begin = line.find(driver);
  if (begin == std::string_view::npos) return false;
  line.remove_prefix(begin + driver.size());
  const std::size_t digits = leading_digits(line);
  return digits > 0 && line.substr(digits).starts_with(':');
}

/// What NVIDIA's drivers print, enough by itself: people send single lines without prefix.
bool names_driver(std::string_view line) {
  return contains(line, "NVRM:") || contains(line, "SXid (") || names_switch(line);
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

/// The host in "Nov 15 10:59:09 host kernel: ..." or "2024-11-15T10:59:09+00:00 host kernel: ...".
std::optional<std::string_view> host_of(std::string_view line) {
  const auto word = first_words<5>(line);
  std::string_view host;
  if (word[4] == "kernel:" && is_time_of_day(word[2]))
    host = word[3];
  else if (word[2] == "kernel:" && leading_digits(word[0]) == 4 && contains(word[0], "T"))
    host = word[1];
  constexpr std::size_t longest_name = 253;  // RFC 1035
  // Anything else in a host's place is not a name, and would go into reports.
  const bool sound = std::ranges::all_of(host, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
  if (host.empty() || host.size() > longest_name || !sound) return {};
  return host;
}

/// "550.144.03" in "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  ...".
std::optional<std::string_view> driver_version(std::string_view line) {
  constexpr std::string_view loading = "NVRM: loading NVIDIA UNIX", module = "Kernel Module";
  const auto begin = line.find(loading);
  if (begin == std::string_view::npos) return {};
  const auto name = line.find(module, begin + loading.size());
  if (name == std::string_view::npos) return {};
  // The open driver puts "for x86_64" in between; a date and a builder follow the version.
  for (const auto word : first_words<4>(line.substr(name + module.size())))
    if (contains(word, ".") &&
        std::ranges::all_of(word, [](char c) { return is_digit(c) || c == '.'; }))
      return word;
  return {};
}

/// One "Xid (PCI:0000:0f:00): 94, ..." or "SXid (PCI:0000:06:00.0): 20034, Fatal, ...".
struct Event {
  std::optional<std::string> address;  ///< nothing when the driver printed none that we know
  std::optional<std::int64_t> code;
  std::string_view rest;  ///< what follows the code and its comma
};

std::optional<Event> event_after(std::string_view line, std::string_view marker) {
  const auto begin = line.find(marker);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + marker.size());
  Event event;
  const auto close = line.find(')');
  if (close == std::string_view::npos) return event;
  // The function is missing for GPUs and there for switches; pci_address() evens that out.
  event.address = pci_address(line.substr(0, close));
  line.remove_prefix(close + 1);
  if (!line.starts_with(": ")) return event;
  line = trim(line.substr(2));
  const std::size_t digits = leading_digits(line);
  constexpr std::size_t most_digits = 9;
  const bool ends = digits == line.size() || line[digits] == ',' || line[digits] == ' ';
  if (digits == 0 || digits > most_digits || !ends) return event;
  event.code = parse_integer(line.substr(0, digits));
  line.remove_prefix(digits);
  line.remove_prefix(std::min(line.find_first_not_of(", "), line.size()));
  event.rest = line;
  return event;
}

/// Where one code was seen first, and where first as fatal (0: never).
struct Seen {
  std::size_t line = 0, fatal_line = 0;
};

/// What one GPU or NVSwitch logged.
struct Device {
  std::map<std::int64_t, Seen> codes;
  std::size_t first_line = 0;
  std::string first_message;
  std::map<std::string, std::size_t> uuids;  ///< -> line; two when a board was replaced
};

/// A driver message can be long and hold anything; people read this one in a report.
std::string shortened(std::string_view message) {
  std::string text = strip_escapes(message.substr(0, longest_detail * 2));
  if (text.size() <= longest_detail) return text;
  std::size_t end = longest_detail;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80) --end;  // inside UTF-8
  text.resize(end);
  return text;
}

/// Keeps codes, not lines: a log may be gigabytes long.
class Reader {
 public:
  Result<void> line(std::string_view text, std::size_t number) {
    if (trim(text).empty()) return {};
    ++lines_;
    number_ = number;
    if (!is_log_) is_log_ = has_log_prefix(text) || names_driver(text);
    if (trim(text).starts_with("journalctl -b -"))
      earlier_boot_ = !trim(text).starts_with("journalctl -b -0");
    if (const auto host = host_of(text); host && hosts_.size() < most_hosts)
      hosts_.try_emplace(std::string(*host), number);
    // nvidia-bug-report appends the journals of earlier boots, newest first: not what runs now.
    if (const auto version = driver_version(text); version && (!earlier_boot_ || driver_.empty())) {
      driver_ = *version;
      driver_line_ = number;
    }
    GPUVET_CHECK(uuid(text));
    GPUVET_CHECK(event(text, "NVRM: Xid (", gpus_));
    return event(text, "SXid (", switches_);
  }

  Result<void> record(Recorder& out) const {
    // Without this check any text would pass as a log without a single Xid.
    if (!is_log_) return fail(Errc::malformed, "no line looks like a kernel log", 1);
    out.tool("kernel log");
    for (const auto& [address, gpu] : gpus_) record_gpu(out, "gpu:" + address, address, gpu);
    for (const auto& [address, nvswitch] : switches_)
      record_switch(out, "nvswitch:" + address, nvswitch);
    if (!driver_.empty()) {
      out.line(driver_line_);
      out.text("node.driver.version"_id, "node", driver_);
    }
    for (const auto& [host, number] : hosts_) {
      out.line(number);
      out.text("node.hostname"_id, "node", host);
    }
    out.line(0);
    out.number("kernel_log.lines"_id, "node", static_cast<double>(lines_));
    out.number("kernel_log.gpu_events"_id, "node", static_cast<double>(events_));
    return {};
  }

 private:
  using Devices = std::map<std::string, Device>;

  static void record_gpu(Recorder& out, const std::string& subject, const std::string& address,
                         const Device& gpu) {
    for (const auto& [uuid, number] : gpu.uuids) {
      out.line(number);
      out.text("gpu.uuid"_id, subject, uuid);
    }
    if (!gpu.uuids.empty()) {
      out.line(gpu.uuids.begin()->second);
      out.text("gpu.pci.address"_id, subject, address);
    }
    // A GPU that the log names but that logged nothing: kernel_log.gpu_events tells.
    if (gpu.codes.empty()) return;
    std::vector<double> codes;
    for (const auto& [code, seen] : gpu.codes) codes.push_back(static_cast<double>(code));
    out.line(gpu.first_line);
    out.numbers("gpu.xid"_id, subject, std::move(codes));
    out.detail(gpu.first_message);
  }

  static void record_switch(Recorder& out, const std::string& subject, const Device& nvswitch) {
    std::vector<double> all, fatal, nonfatal;
    std::size_t fatal_line = 0, nonfatal_line = 0;
    const auto add = [](std::vector<double>& list, std::size_t& first, std::int64_t code,
                        std::size_t line) {
      list.push_back(static_cast<double>(code));
      first = first == 0 ? line : std::min(first, line);
    };
    for (const auto& [code, seen] : nvswitch.codes) {
      all.push_back(static_cast<double>(code));
      if (seen.fatal_line != 0)
        add(fatal, fatal_line, code, seen.fatal_line);
      else
        add(nonfatal, nonfatal_line, code, seen.line);
    }
    if (all.empty()) return;
    out.line(nvswitch.first_line);
    out.numbers("nvswitch.sxid"_id, subject, std::move(all));
    out.detail(nvswitch.first_message);
    out.line(fatal_line);  // an empty list says that it logged, and none of this kind
    out.numbers("nvswitch.sxid.fatal"_id, subject, std::move(fatal));
    out.line(nonfatal_line);
    out.numbers("nvswitch.sxid.nonfatal"_id, subject, std::move(nonfatal));
  }

  Result<Device*> device(Devices& devices, const std::string& address) {
    const auto [found, fresh] = devices.try_emplace(address);
    if (fresh && gpus_.size() + switches_.size() > most_devices)
      return fail(Errc::too_large, "more than 4096 GPUs and switches", number_);
    return &found->second;
  }

  /// "NVRM: GPU at PCI:0000:9b:00: GPU-509665ad-...".
  Result<void> uuid(std::string_view text) {
    constexpr std::string_view prefix = "NVRM: GPU at ", separator = ": GPU-";
    const auto address = between(text, prefix, separator);
    if (!address) return {};
    const auto pci = pci_address(*address);
    text.remove_prefix(static_cast<std::size_t>(address->end() - text.begin()) + 2);
    const auto uuid = first_words<1>(text)[0];
    constexpr std::size_t uuid_length = 4 + 36;
    if (!pci || uuid.size() != uuid_length) return {};
    GPUVET_TRY(Device* const gpu, device(gpus_, *pci));
    gpu->uuids.try_emplace(std::string(uuid), number_);
    if (gpu->uuids.size() > most_codes)
      return fail(Errc::too_large, "more than 4096 GPUs at " + *pci, number_);
    return {};
  }

  Result<void> event(std::string_view text, std::string_view marker, Devices& devices) {
    const auto event = event_after(text, marker);
    if (!event) return {};
    ++events_;  // also when we can't read it: a log with one is not a log without
    if (!event->address || !event->code) return {};
    GPUVET_TRY(Device* const device_, device(devices, *event->address));
    if (device_->first_line == 0) {
      device_->first_line = number_;
      device_->first_message = shortened(text.substr(text.find(marker)));
    }
    // "Severity 1 ..." and "Data {...}" are details of another line and leave a code as it was.
    Seen& seen = device_->codes.try_emplace(*event->code, Seen{number_, 0}).first->second;
    if (seen.fatal_line == 0 && event->rest.starts_with("Fatal")) seen.fatal_line = number_;
    if (device_->codes.size() > most_codes)
      return fail(Errc::too_large, "more than 4096 codes at " + *event->address, number_);
    return {};
  }

  Devices gpus_, switches_;
  std::map<std::string, std::size_t> hosts_;  ///< -> first line
  std::string driver_;
  std::size_t driver_line_ = 0, lines_ = 0, events_ = 0, number_ = 0;
  bool is_log_ = false, earlier_boot_ = false;
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
