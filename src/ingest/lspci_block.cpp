// SPDX-License-Identifier: Apache-2.0
#include "ingest/lspci_block.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t longest_value = 80;

/// What follows `key` up to `end`; nothing when `key` isn't there.
std::optional<std::string_view> after(std::string_view line, std::string_view key,
                                      std::string_view end) {
  const auto begin = line.find(key);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + key.size());
  return line.substr(0, line.find_first_of(end));
}

/// PCIe 1.0 to 7.0, by the rate of a lane.
std::optional<double> generation_of(std::string_view gigatransfers) {
  static constexpr std::array<std::string_view, 7> rates{"2.5", "5", "8", "16", "32", "64", "128"};
  const auto found = std::ranges::find(rates, gigatransfers);
  if (found == rates.end()) return {};
  return static_cast<double>(found - rates.begin()) + 1;
}

/// "(downgraded)" in " (downgraded), Width x16 (ok)"; "ok" says nothing worth keeping.
std::string remark(std::string_view rest) {
  rest = trim(rest);
  if (!rest.starts_with('(')) return {};
  const auto words = rest.substr(1, rest.find(')') - 1);
  return words == "ok" ? std::string() : printable(words.substr(0, longest_value));
}

/// "Port #0, Speed 16GT/s, Width x16, ASPM L1" and "Speed 2.5GT/s (downgraded), Width x16 (ok)".
Result<void> read_link(std::string_view text, std::size_t number, PciLink& link) {
  link.line = number;
  if (const auto speed = after(text, "Speed ", "G u("); speed) {
    if (contains(*speed, ",") && !speed->ends_with(','))
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", number);
    link.generation = generation_of(*speed);
    auto rest = text.substr(static_cast<std::size_t>(speed->data() - text.data()));
    rest.remove_prefix(std::min(rest.find_first_of(" ,"), rest.size()));
    link.generation_words = remark(rest);
  }
  if (const auto width = after(text, "Width x", ", ("); width) {
    const auto lanes = parse_integer(*width);
    constexpr std::int64_t most_lanes = 32;
    if (lanes && *lanes > 0 && *lanes <= most_lanes) link.width = static_cast<double>(*lanes);
    link.width_words =
        remark(text.substr(static_cast<std::size_t>(width->data() - text.data()) + width->size()));
  }
  return {};
}

/// Bytes in "... [size=128G]"; lspci's units are powers of two.
std::optional<double> size_in(std::string_view line) {
  const auto text = after(line, "[size=", "]");
  if (!text || text->empty() || !contains(line.substr(line.find("[size=")), "]")) return {};
  constexpr std::string_view units = "KMGTPE";
  const auto unit = units.find(text->back());
  double factor = 1;
  if (unit != std::string_view::npos)
    for (std::size_t i = 0; i <= unit; ++i) factor *= 1024;
  const auto figure =
      parse_number(unit == std::string_view::npos ? *text : text->substr(0, text->size() - 1));
  if (!figure || *figure <= 0) return {};
  return *figure * factor;
}

/// "Region 1: Memory at 2000000000 (64-bit, prefetchable) [size=128G]"; -v leaves the number out,
/// but there the first prefetchable 64-bit region is the same.
void read_region(std::string_view line, std::size_t number, PciDevice& device) {
  const bool numbered = line.starts_with("Region 1: Memory at ");
  if (!numbered && (device.bar1.line != 0 || !line.starts_with("Memory at ") ||
                    !contains(line, "(64-bit, prefetchable)")))
    return;
  device.bar1.line = number;
  // Firmware without room for it leaves a region unassigned; its size then says nothing.
  const bool mapped = !contains(line, "<unassigned>") && !contains(line, "<ignored>");
  device.bar1.value = mapped ? size_in(line) : std::nullopt;
}

void read_bus(std::string_view line, PciDevice& device) {
  const auto bus = after(line, "secondary=", ","), last = after(line, "subordinate=", ",");
  if (!bus || !last || last->size() != 2) return;
  device.bus = parse_integer(*bus, 16);
  device.last_bus = parse_integer(*last, 16);
}

/// -v puts into one line what -vv spreads over several: "Flags: ..., NUMA node 0, IOMMU group 7".
void read_flags(std::string_view line, std::size_t number, PciDevice& device) {
  if (const auto node = after(line, "NUMA node ", ", "))
    device.numa = {printable(node->substr(0, longest_value)), number};
  if (const auto group = after(line, "IOMMU group ", ", "))
    device.iommu_group = {printable(group->substr(0, longest_value)), number};
}

/// "0000:01:00.0 3D controller [0302]: ..." -> name and code of the class, the rest.
bool read_class(std::string_view& rest, PciDevice& device) {
  const auto colon = rest.find(": ");
  if (colon == std::string_view::npos || colon == 0 || colon > longest_value) return false;
  auto text = trim(rest.substr(0, colon));
  rest.remove_prefix(colon + 2);
  constexpr std::string_view hex = "0123456789abcdef";
  if (text.size() == 4 && text.find_first_not_of(hex) == std::string_view::npos) {
    device.class_code = text;  // lspci -n
    return true;
  }
  if (text.size() > 7 && text.back() == ']' && text[text.size() - 6] == '[') {
    device.class_code = lower(text.substr(text.size() - 5, 4));
    text = trim(text.substr(0, text.size() - 6));
  }
  device.class_name = printable(text);
  return true;
}

}  // namespace

bool PciDevice::is_class(std::string_view code, std::string_view words) const {
  return class_code.empty() ? class_name == words : class_code == code;
}

bool PciDevice::is_gpu() const {
  return is_nvidia(name) &&
         (is_class("0300", "VGA compatible controller") || is_class("0302", "3D controller"));
}

std::optional<PciDevice> read_pci_device(std::string_view line) {
  const auto end = line.find(' ');
  constexpr std::size_t shortest_address = 7, longest_address = 16;
  if (end == std::string_view::npos || end < shortest_address || end > longest_address) return {};
  PciDevice device;
  device.address = read_pci_address(line.substr(0, end));
  if (device.address.empty()) return {};
  auto rest = line.substr(end + 1);
  if (!read_class(rest, device)) return {};
  // A remark that someone put behind the device.
  device.name = read_pci_name(rest.substr(0, rest.find("  #")));
  return device;
}

Result<void> read_pci_block_line(std::string_view line, std::size_t number, PciDevice& device) {
  line = trim(line);
  const auto value = [&](std::string_view key, Printed<std::string>& to) {
    if (!line.starts_with(key)) return;
    to = {printable(trim(line.substr(key.size())).substr(0, longest_value)), number};
  };
  if (line.starts_with("LnkCap:")) return read_link(line.substr(7), number, device.capable);
  if (line.starts_with("LnkSta:")) return read_link(line.substr(7), number, device.current);
  if (line.starts_with("Region 1:") || line.starts_with("Memory at "))
    read_region(line, number, device);
  if (line.starts_with("Bus: ")) read_bus(line, device);
  if (line.starts_with("Flags: ")) read_flags(line, number, device);
  if (line.starts_with("Capabilities: <access denied>")) device.denied_line = number;
  if (line.starts_with("!!! Unknown header type")) device.gone_line = number;
  value("NUMA node:", device.numa);
  value("IOMMU group:", device.iommu_group);
  value("Kernel driver in use:", device.driver);
  if (line.starts_with("ACSCtl:"))
    device.acs = {printable(trim(line.substr(7)).substr(0, 2 * longest_value)), number};
  return {};
}

bool acs_redirects(std::string_view flags) {
  return contains(flags, "ReqRedir+") || contains(flags, "CmpltRedir+");
}

}  // namespace gpuvet::ingest
