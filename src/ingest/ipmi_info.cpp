// SPDX-License-Identifier: Apache-2.0
// IPMI's lists of "key : value": `ipmitool fru`, `mc info`, `lan print`, `dcmi power reading` and
// FreeIPMI's ipmi-dcmi; also what the tools print instead when they reach no controller.
#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t longest_text = 120;

struct Entry {
  std::string_view key, value;
};

/// "Product Name : X"; the value may hold colons.
std::optional<Entry> entry_in(std::string_view line) {
  const auto colon = line.find(':');
  if (colon == std::string_view::npos) return {};
  return Entry{trim(line.substr(0, colon)), trim(line.substr(colon + 1))};
}

/// What says of a board's data that nobody filled it in.
bool is_placeholder(std::string_view value) {
  const std::string low = lower(value.substr(0, longest_text));
  return low.empty() || low == "n/a" || low == "none" || low == "unknown" || low == "0123456789" ||
         contains(low, "o.e.m.") || contains(low, "default string") ||
         contains(low, "not specified");
}

struct Known {
  std::string_view key;
  Id id;
};

/// Of the FRU with the number 0, the server's own.
constexpr std::array fru_keys{
    Known{"Product Manufacturer", "node.vendor"_id},
    Known{"Product Name", "node.model"_id},
    Known{"Product Serial", "node.serial"_id},
    Known{"Board Product", "node.board.model"_id},
};

/// What the tools say when there is no controller to speak to, and what to do.
struct Failure {
  std::string_view words;
  Errc code;
  std::string_view advice;
};
constexpr std::array failures{
    Failure{"Could not open device at /dev/ipmi", Errc::not_found,
            "no IPMI device: load ipmi_si and ipmi_devintf, then run it as root"},
    Failure{"Unable to establish IPMI", Errc::not_found,
            "no session with the management controller: check address, user and password"},
    Failure{"ipmi_ctx_open_inband", Errc::permission, "no access to IPMI: run it as root"},
    Failure{"ipmi_ctx_find_inband", Errc::not_found, "no IPMI device found: run it as root"},
    Failure{"DCMI request failed", Errc::not_supported,
            "the management controller does not speak DCMI"},
};

const Failure* failure_in(std::string_view line) {
  const auto found =
      std::ranges::find_if(failures, [&](const Failure& f) { return contains(line, f.words); });
  return found == failures.end() ? nullptr : &*found;
}

/// Whether only these tools print this line.
bool is_mark(std::string_view line) {
  const auto entry = entry_in(line);
  if (!entry) return false;
  for (const std::string_view key :
       {"FRU Device Description", "Instantaneous power reading", "Auth Type Support",
        "Statistics reporting time period", "Device SDRs", "Provides Device SDRs", "IPMI Version"})
    if (entry->key == key) return true;
  return entry->key.ends_with("Power over sampling duration");
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("ipmitool");
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      out_.line(lines_.line());
      if (const Failure* f = failure_in(line); f != nullptr && failure_ == nullptr) {
        failure_ = f;
        failure_line_ = lines_.line();
      }
      known_ = known_ || is_mark(line);
      if (contains(line, "Device not present") && is_server_)
        out_.absent("node.model"_id, "node", Absence::not_supported, "FRU device not present");
      if (const auto entry = entry_in(line)) GPUVET_CHECK(take(*entry));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (known_) return finish();
    if (failure_ != nullptr)
      return fail(failure_->code, std::string(failure_->advice), failure_line_);
    return fail(Errc::malformed, "none of what ipmitool prints is in it", lines_.line());
  }

 private:
  Result<void> take(const Entry& entry) {
    if (entry.key == "FRU Device Description") {
      is_server_ = entry.value.ends_with("(ID 0)");
      fru_ = printable(entry.value.substr(0, std::min<std::size_t>(entry.value.find(" (ID"), 80)));
      return {};
    }
    if (!fru_.empty()) return take_fru(entry), Result<void>{};
    if (entry.key == "IPMI Version") out_.text("bmc.ipmi.version"_id, "bmc", text(entry.value));
    // Major and minor number only: as the controller's version it would contradict other sources.
    if (entry.key == "Firmware Revision")
      out_.text("firmware.version"_id, "firmware:BMC (IPMI)", text(entry.value));
    if (entry.key == "Instantaneous power reading" || entry.key == "Current Power")
      return take_power(entry.value);
    if (entry.key == "Power reading state is" || entry.key == "Power Measurement")
      power_off_ = entry.value != "activated" && entry.value != "Active";
    if (entry.key == "Time Stamp" || entry.key == "IPMI timestamp") out_.when(text(entry.value));
    return {};
  }

  void take_fru(const Entry& entry) {
    if (!is_server_) return;
    const auto found = std::ranges::find(fru_keys, entry.key, &Known::key);
    if (found == fru_keys.end()) return;
    if (is_placeholder(entry.value))
      out_.absent(found->id, "node", Absence::not_supported, text(entry.value));
    else
      out_.text(found->id, "node", text(entry.value));
  }

  Result<void> take_power(std::string_view value) {
    const auto blank = value.find(' ');
    const auto figure = value.substr(0, blank);
    if (figure.find(',') != std::string_view::npos)
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C",
                  lines_.line());
    const auto watts = parse_number(figure);
    power_line_ = lines_.line();
    if (watts && *watts >= 0 && blank != std::string_view::npos &&
        lower(trim(value.substr(blank))) == "watts")
      power_ = watts;
    power_words_ = text(value);
    return {};
  }

  /// The state of the measurement stands below the figure, which means nothing without it.
  Result<void> finish() {
    if (power_line_ == 0) return {};
    out_.line(power_line_);
    if (!power_off_)
      return fail(Errc::malformed, "the file ends early: the state of the power reading is missing",
                  lines_.line());
    if (*power_off_)
      out_.absent("node.power.consumed"_id, "node", Absence::not_supported,
                  "measurement not available, though it says " + power_words_);
    else if (power_)
      out_.number("node.power.consumed"_id, "node", *power_);
    else
      out_.absent("node.power.consumed"_id, "node", Absence::malformed, power_words_);
    return {};
  }

  static std::string text(std::string_view value) {
    return printable(value.substr(0, longest_text));
  }

  LineReader lines_;
  Recorder& out_;
  bool known_ = false, is_server_ = false;
  std::string fru_, power_words_;
  std::optional<double> power_;
  std::optional<bool> power_off_;
  std::size_t power_line_ = 0, failure_line_ = 0;
  const Failure* failure_ = nullptr;
};

bool recognises(std::string_view head) {
  for (std::size_t n = 0; n < 60 && !head.empty(); ++n) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string line = strip_escapes(head.substr(0, std::min<std::size_t>(end, 2000)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (failure_in(line) != nullptr || is_mark(line)) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer ipmi_info() {
  return {"ipmi_info", "ipmitool fru, mc info, dcmi power reading", "ipmitool fru > fru.txt",
          recognises, read};
}

}  // namespace gpuvet::ingest
