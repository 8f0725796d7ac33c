// SPDX-License-Identifier: Apache-2.0
#include "ingest/rdma_port.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

enum class Kind : std::uint8_t { text, guid, lid, mtu, counter, rate, layer, state, physical };

struct Key {
  std::string_view name;
  Kind kind;
  Id id;
  bool of_device;
};

constexpr Key keys[] = {
    // ibstat
    {"CA type", Kind::text, "nic.model"_id, true},
    {"Firmware version", Kind::text, "nic.firmware"_id, true},
    {"Node GUID", Kind::guid, "nic.guid"_id, true},
    {"State", Kind::state, "nic.state"_id, false},
    {"Physical state", Kind::physical, "nic.physical_state"_id, false},
    {"Rate", Kind::rate, "nic.rate"_id, false},
    {"Base lid", Kind::lid, "nic.lid"_id, false},
    {"Link layer", Kind::layer, "nic.link_layer"_id, false},
    // ibstatus
    {"phys state", Kind::physical, "nic.physical_state"_id, false},
    {"base lid", Kind::lid, "nic.lid"_id, false},
    // ibv_devinfo, sysfs and rdma
    {"fw_ver", Kind::text, "nic.firmware"_id, true},
    {"hca_type", Kind::text, "nic.model"_id, true},
    {"node_guid", Kind::guid, "nic.guid"_id, true},
    {"device/numa_node", Kind::lid, "nic.numa"_id, true},
    {"state", Kind::state, "nic.state"_id, false},
    {"phys_state", Kind::physical, "nic.physical_state"_id, false},
    {"physical_state", Kind::physical, "nic.physical_state"_id, false},
    {"rate", Kind::rate, "nic.rate"_id, false},
    {"port_lid", Kind::lid, "nic.lid"_id, false},
    {"lid", Kind::lid, "nic.lid"_id, false},
    {"active_mtu", Kind::mtu, "nic.mtu"_id, false},
    {"link_layer", Kind::layer, "nic.link_layer"_id, false},
    {"netdev", Kind::text, "nic.netdev"_id, false},
    {"counters/link_downed", Kind::counter, "nic.port.link_downed"_id, false},
    {"counters/link_error_recovery", Kind::counter, "nic.port.link_recovery"_id, false},
    {"counters/port_rcv_errors", Kind::counter, "nic.port.receive_errors"_id, false},
    {"counters/symbol_error", Kind::counter, "nic.port.symbol_errors"_id, false},
    {"counters/port_xmit_discards", Kind::counter, "nic.port.transmit_discards"_id, false},
    {"counters/port_xmit_wait", Kind::counter, "nic.port.transmit_wait"_id, false},
    // perfquery
    {"LinkDownedCounter", Kind::counter, "nic.port.link_downed"_id, false},
    {"LinkErrorRecoveryCounter", Kind::counter, "nic.port.link_recovery"_id, false},
    {"PortRcvErrors", Kind::counter, "nic.port.receive_errors"_id, false},
    {"SymbolErrorCounter", Kind::counter, "nic.port.symbol_errors"_id, false},
    {"PortXmitDiscards", Kind::counter, "nic.port.transmit_discards"_id, false},
    {"PortXmitWait", Kind::counter, "nic.port.transmit_wait"_id, false},
};

struct Spelling {
  std::string_view written, meant;
};

constexpr Spelling states[] = {
    {"active", "Active"}, {"init", "Init"}, {"initializing", "Init"},        {"armed", "Armed"},
    {"down", "Down"},     {"nop", "Down"},  {"active_defer", "ActiveDefer"},
};
constexpr Spelling layers[] = {
    {"infiniband", "InfiniBand"}, {"ib", "InfiniBand"},       {"ethernet", "Ethernet"},
    {"unknown", "unknown"},       {"unspecified", "unknown"},
};
constexpr Spelling physicals[] = {
    {"linkup", "LinkUp"},
    {"polling", "Polling"},
    {"disabled", "Disabled"},
    {"sleep", "Sleep"},
    {"portconfigurationtraining", "Training"},
    {"linkerrorrecovery", "LinkErrorRecovery"},
    {"phytest", "PhyTest"},
    {"nop", "no state"},
    {"nostatechange", "no state"},
};

template <std::size_t N>
std::string_view meant(const Spelling (&spellings)[N], std::string_view written) {
  for (const auto& s : spellings)
    if (s.written == written) return s.meant;
  return {};
}

std::string_view shown(std::string_view s) { return s.substr(0, 40); }

tl::unexpected<Error> refuse(std::string_view key, std::string_view value, std::size_t line) {
  return fail(Errc::malformed,
              fmt::format("{} cannot be \"{}\"", printable(shown(key)), printable(shown(value))),
              line);
}

/// "4: ACTIVE", "PORT_ACTIVE (4)", "Active", "LINK_UP" -> "active", "linkup".
std::string bare(std::string_view value) {
  if (leading_digits(value) > 0 && value.substr(leading_digits(value)).starts_with(": "))
    value = trim(value.substr(leading_digits(value) + 2));
  if (const auto bracket = value.find(" ("); bracket != std::string_view::npos)
    value = trim(value.substr(0, bracket));
  constexpr std::string_view prefix = "PORT_";
  const bool port = value.starts_with(prefix);
  if (port) value.remove_prefix(prefix.size());
  return lower(value);
}

std::string without(std::string s, std::string_view marks) {
  std::erase_if(s, [&](char c) { return marks.find(c) != std::string_view::npos; });
  return s;
}

/// 0x506b4b0300f371dc and 506b:4b03:00f3:71dc alike.
std::string guid_in(std::string_view value) {
  std::string hex = without(lower(value), ":");
  if (hex.starts_with("0x")) hex.erase(0, 2);
  const bool sound = hex.size() == 16 && std::ranges::all_of(hex, [](char c) {
                       return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
                     });
  return sound ? "0x" + hex : "";
}

std::optional<std::int64_t> integer_in(std::string_view value) {
  constexpr std::size_t longest = 20;
  value = value.substr(0, value.find(' '));  // "4096 (5)"
  if (value.size() > longest) return {};
  const bool hex = value.starts_with("0x");
  const auto number = hex ? parse_integer(value.substr(2), 16) : parse_integer(value);
  return number;
}

/// "100", "100 Gb/sec (4X EDR)", "2.5 Gb/sec (1X SDR)": always gigabits.
std::optional<double> rate_in(std::string_view value) {
  const auto word = first_words<2>(value);
  const bool unit = word[1].empty() || word[1] == "Gb/sec" || word[1].starts_with('(');
  const auto gigabits = parse_number(word[0].substr(0, 16));
  constexpr double most = 1e6, bytes_per_gigabit = 1e9 / 8;
  if (!unit || !gigabits || *gigabits < 0 || *gigabits > most) return {};
  return *gigabits * bytes_per_gigabit;
}

Result<void> record_number(Recorder& out, const Key& key, const std::string& subject,
                           std::string_view value, std::size_t line) {
  const auto number = integer_in(value);
  // -1 is sysfs's way to say that there is no NUMA node.
  if (number == -1 && key.id == "nic.numa"_id) {
    out.absent(key.id, subject, Absence::not_supported);
    return {};
  }
  if (!number || *number < 0) return refuse(key.name, value, line);
  // 65535 is the LID of a port that no subnet manager has seen.
  constexpr std::int64_t unassigned = 65535, short_counter = 255;
  if (key.id == "nic.lid"_id && *number == unassigned) {
    out.absent(key.id, subject, Absence::not_supported, "no subnet manager assigned one");
    return {};
  }
  if (key.id == "nic.numa"_id)
    out.text(key.id, subject, fmt::format("{}", *number));
  else
    out.number(key.id, subject, static_cast<double>(*number));
  const bool is_short =
      key.id == "nic.port.link_downed"_id || key.id == "nic.port.link_recovery"_id;
  if (is_short && *number == short_counter)
    out.detail("at least: a counter of eight bits stops at 255");
  return {};
}

Result<void> record_value(Recorder& out, const Key& key, const std::string& subject,
                          std::string_view value, std::size_t line) {
  constexpr std::size_t longest_text = 80;
  const auto worded = [&](std::string_view word) -> Result<void> {
    if (word.empty()) return refuse(key.name, value, line);
    out.text(key.id, subject, std::string(word));
    return {};
  };
  switch (key.kind) {
    case Kind::text:
      if (!value.empty()) out.text(key.id, subject, printable(value.substr(0, longest_text)));
      return {};
    case Kind::guid:
      return worded(guid_in(value.substr(0, 32)));
    case Kind::state:
      return worded(meant(states, bare(value.substr(0, 64))));
    case Kind::physical:
      return worded(meant(physicals, without(bare(value.substr(0, 64)), " _")));
    case Kind::layer:
      return worded(meant(layers, bare(value.substr(0, 64))));
    case Kind::rate:
      if (const auto rate = rate_in(value)) {
        out.number(key.id, subject, *rate);
        return {};
      }
      return refuse(key.name, value, line);
    case Kind::lid:
    case Kind::mtu:
    case Kind::counter:
      return record_number(out, key, subject, value, line);
  }
  return {};
}

}  // namespace

bool is_rdma_device(std::string_view s) {
  constexpr std::size_t longest = 63;  // IB_DEVICE_NAME_MAX - 1
  return !s.empty() && s.size() <= longest && std::ranges::all_of(s, [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
}

std::string rdma_subject(std::string_view device, std::int64_t port) {
  return port == 1 ? fmt::format("nic:{}", device) : fmt::format("nic:{}/{}", device, port);
}

Result<void> record_rdma(Recorder& out, const std::string& device, const std::string& port,
                         std::string_view key, std::string_view value, std::size_t line) {
  const auto* const found = std::ranges::find(keys, key, &Key::name);
  if (found == std::end(keys)) return {};
  out.line(line);
  return record_value(out, *found, found->of_device ? device : port, value, line);
}

Result<void> RdmaBlocks::device(std::string_view name, std::size_t line) {
  GPUVET_CHECK(close(line));
  if (!is_rdma_device(name))
    return fail(Errc::malformed, fmt::format("\"{}\" is no device name", printable(shown(name))),
                line);
  name_ = name;
  device_ = rdma_subject(name, 1);
  port_.clear();
  out_.line(line);
  out_.flag("nic.rdma"_id, device_, true);
  return {};
}

Result<void> RdmaBlocks::port(std::string_view number, std::size_t line) {
  GPUVET_CHECK(close(line));
  constexpr std::int64_t most = 255;
  const std::int64_t port = number.size() > 3 ? 0 : parse_integer(number).value_or(0);
  if (name_.empty() || port < 1 || port > most)
    return fail(Errc::malformed,
                fmt::format("\"{}\" is no port of a device", printable(shown(number))), line);
  if (++ports_ > most_rdma_ports)
    return fail(Errc::too_large, fmt::format("more than {} ports", most_rdma_ports), line);
  port_ = rdma_subject(name_, port);
  layer_ = state_ = false;
  return {};
}

Result<void> RdmaBlocks::fact(std::string_view key, std::string_view value, std::size_t line) {
  if (name_.empty()) return {};
  const auto* const found = std::ranges::find(keys, key, &Key::name);
  if (found == std::end(keys) || (port_.empty() && !found->of_device)) return {};
  state_ = state_ || found->kind == Kind::state;
  layer_ = layer_ || found->kind == Kind::layer;
  return record_rdma(out_, device_, port_, key, value, line);
}

Result<void> RdmaBlocks::close(std::size_t line) {
  if (port_.empty() || (state_ && layer_)) return {};
  return fail(Errc::malformed,
              fmt::format("{} lacks its state or link layer: the file is cut off", port_.substr(4)),
              line);
}

Result<void> RdmaBlocks::finish(std::string_view tool, std::size_t line) {
  GPUVET_CHECK(close(line));
  if (ports_ == 0)
    return fail(Errc::malformed, fmt::format("no port of a device: not {}'s output", tool), line);
  return {};
}

}  // namespace gpuvet::ingest
