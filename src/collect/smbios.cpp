// SPDX-License-Identifier: Apache-2.0
#include "collect/smbios.hpp"

#include <fmt/format.h>

#include <array>
#include <vector>

#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

/// One structure: its formatted area, and the strings behind it.
class Structure {
 public:
  Structure(std::string_view area, std::vector<std::string_view> strings)
      : area_{area}, strings_{std::move(strings)} {}

  [[nodiscard]] unsigned type() const { return byte(0); }
  [[nodiscard]] unsigned handle() const { return word(2); }
  [[nodiscard]] std::size_t size() const { return area_.size(); }
  [[nodiscard]] bool has(std::size_t at, std::size_t bytes = 1) const {
    return at + bytes <= area_.size();
  }
  [[nodiscard]] unsigned byte(std::size_t at) const {
    return has(at) ? static_cast<unsigned char>(area_[at]) : 0;
  }
  [[nodiscard]] unsigned word(std::size_t at) const { return byte(at) | byte(at + 1) << 8U; }
  [[nodiscard]] unsigned long long number(std::size_t at, std::size_t bytes) const {
    unsigned long long out = 0;
    for (std::size_t i = bytes; i-- > 0;) out = out << 8U | byte(at + i);
    return out;
  }
  /// The string whose number stands at `at`.
  [[nodiscard]] std::string text(std::size_t at) const {
    const unsigned index = byte(at);
    if (index == 0) return "Not Specified";
    return index <= strings_.size() ? printable(trim(strings_[index - 1])) : "<BAD INDEX>";
  }

 private:
  std::string_view area_;
  std::vector<std::string_view> strings_;
};

std::string kibibytes(unsigned long long kibi) {
  if (kibi > 0 && kibi % (1ULL << 30U) == 0) return fmt::format("{} TB", kibi >> 30U);
  if (kibi % (1ULL << 20U) == 0) return fmt::format("{} GB", kibi >> 20U);
  return kibi % 1024 == 0 ? fmt::format("{} MB", kibi / 1024) : fmt::format("{} kB", kibi);
}

void bios(const Structure& s, std::string& out) {
  out += fmt::format("BIOS Information\n\tVendor: {}\n\tVersion: {}\n\tRelease Date: {}\n",
                     s.text(4), s.text(5), s.text(8));
  // Of its characteristics only the one that changes what the rest is worth.
  constexpr unsigned virtual_machine = 1U << 4U;
  if ((s.byte(0x13) & virtual_machine) != 0)
    out += "\tCharacteristics:\n\t\tSystem is a virtual machine\n";
}

void system(const Structure& s, std::string& out) {
  out += fmt::format(
      "System Information\n\tManufacturer: {}\n\tProduct Name: {}\n\tVersion: {}\n"
      "\tSerial Number: {}\n",
      s.text(4), s.text(5), s.text(6), s.text(7));
}

void board(const Structure& s, std::string& out) {
  out += fmt::format(
      "Base Board Information\n\tManufacturer: {}\n\tProduct Name: {}\n\tSerial Number: {}\n",
      s.text(4), s.text(5), s.text(7));
}

/// Bytes 0xA5 to 0xC6 of "Slot Type": PCI Express by generation and width.
std::string slot_type(unsigned type, unsigned lanes_code) {
  constexpr std::array<std::string_view, 7> widths = {"", " x1", " x2", " x4", " x8", " x16", ""};
  std::string_view width;
  std::string kind = "<OUT OF SPEC>";
  const auto family = [&](unsigned first, std::string_view name) {
    if (type < first || type > first + 5) return;
    kind = name;
    // "PCI Express", "PCI Express x1", x2, x4, x8, x16
    width = type == first ? std::string_view{} : widths[type - first];
  };
  family(0xA5, "PCI Express");
  family(0xAB, "PCI Express 2");
  family(0xB1, "PCI Express 3");
  family(0xB8, "PCI Express 4");
  family(0xBE, "PCI Express 5");
  if (type == 0x06) kind = "PCI";
  if (type == 0x14) kind = "M.2 Socket 1-DP";
  if (type == 0x15) kind = "M.2 Socket 1-SD";
  if (type == 0x16) kind = "M.2 Socket 2";
  if (type == 0x17) kind = "M.2 Socket 3";
  if (type == 0x1F) kind = "PCI Express 2 SFF-8639 (U.2)";
  if (type == 0x20) kind = "PCI Express 3 SFF-8639 (U.2)";
  if (type == 0x24) kind = "PCI Express 4 SFF-8639 (U.2)";
  if (type == 0x25) kind = "PCI Express 5 SFF-8639 (U.2)";
  if (type == 0x26) kind = "OCP NIC 3.0 Small Form Factor (SFF)";
  if (type == 0x27) kind = "OCP NIC 3.0 Large Form Factor (LFF)";
  constexpr std::array<std::string_view, 15> lanes = {
      "", "", "", "", "", "", "", "", "x1 ", "x2 ", "x4 ", "x8 ", "x12 ", "x16 ", "x32 "};
  const auto electrical = lanes_code < lanes.size() ? lanes[lanes_code] : std::string_view{};
  return fmt::format("{}{}{}", electrical, kind, width);
}

void slot(const Structure& s, std::string& out) {
  constexpr std::array<std::string_view, 6> usages = {"Unknown",   "Other",  "Unknown",
                                                      "Available", "In Use", "Unavailable"};
  const unsigned usage = s.byte(7);
  out += fmt::format(
      "System Slot Information\n\tDesignation: {}\n\tType: {}\n"
      "\tCurrent Usage: {}\n",
      s.text(4), slot_type(s.byte(5), s.byte(6)),
      usage < usages.size() ? usages[usage] : usages[0]);
  const bool known = s.word(0x0D) != 0xFFFF || s.byte(0x0F) != 0xFF || s.byte(0x10) != 0xFF;
  if (s.has(0x0D, 4) && known)
    out += fmt::format("\tBus Address: {:04x}:{:02x}:{:02x}.{:x}\n", s.word(0x0D), s.byte(0x0F),
                       s.byte(0x10) >> 3U, s.byte(0x10) & 7U);
}

void memory_array(const Structure& s, std::string& out) {
  constexpr std::array<std::string_view, 8> corrections = {
      "Unknown", "Other", "Unknown", "None", "Parity", "Single-bit ECC", "Multi-bit ECC", "CRC"};
  const unsigned correction = s.byte(6);
  const bool extended = s.number(7, 4) == 0x80000000U && s.has(0x0F, 8);
  const auto kibi = extended ? s.number(0x0F, 8) / 1024 : s.number(7, 4);
  out += fmt::format(
      "Physical Memory Array\n\tUse: {}\n\tError Correction Type: {}\n"
      "\tMaximum Capacity: {}\n\tNumber Of Devices: {}\n",
      s.byte(5) == 3 ? "System Memory" : "Other",
      correction < corrections.size() ? corrections[correction] : corrections[0], kibibytes(kibi),
      s.word(0x0D));
}

/// Byte 0x12 of a memory device, as far as servers have it.
std::string_view memory_type(unsigned type) {
  switch (type) {
    case 0x01:
      return "Other";
    case 0x02:
      return "Unknown";
    case 0x07:
      return "RAM";  // virtual machines
    case 0x18:
      return "DDR3";
    case 0x1A:
      return "DDR4";
    case 0x1E:
      return "LPDDR4";
    case 0x20:
      return "HBM";
    case 0x21:
      return "HBM2";
    case 0x22:
      return "DDR5";
    case 0x23:
      return "LPDDR5";
    case 0x24:
      return "HBM3";
    default:
      return "<OUT OF SPEC>";
  }
}

std::string speed(const Structure& s, std::size_t at, std::size_t extended) {
  const unsigned value = s.word(at);
  const auto rate = value == 0xFFFF && s.has(extended, 4) ? s.number(extended, 4) : value;
  return rate == 0 ? "Unknown" : fmt::format("{} MT/s", rate);
}

std::string module_size(const Structure& s) {
  const unsigned size = s.word(0x0C);
  if (size == 0) return "No Module Installed";
  if (size == 0xFFFF) return "Unknown";
  if (size == 0x7FFF && s.has(0x1C, 4)) return kibibytes((s.number(0x1C, 4) & 0x7FFFFFFFU) * 1024);
  const unsigned long long value = size & 0x7FFFU;
  return kibibytes((size & 0x8000U) != 0 ? value : value * 1024);
}

void memory_device(const Structure& s, std::string& out) {
  const auto bits = [&](std::size_t at) {
    const unsigned width = s.word(at);
    return width == 0xFFFF || width == 0 ? std::string("Unknown") : fmt::format("{} bits", width);
  };
  const unsigned rank = s.byte(0x1B) & 0x0FU;
  out += fmt::format(
      "Memory Device\n\tTotal Width: {}\n\tData Width: {}\n\tSize: {}\n\tLocator: {}\n"
      "\tBank Locator: {}\n\tType: {}\n\tSpeed: {}\n\tManufacturer: {}\n\tSerial Number: {}\n"
      "\tPart Number: {}\n\tRank: {}\n\tConfigured Memory Speed: {}\n",
      bits(8), bits(10), module_size(s), s.text(0x10), s.text(0x11), memory_type(s.byte(0x12)),
      speed(s, 0x15, 0x54), s.text(0x17), s.text(0x18), s.text(0x1A),
      rank == 0 ? "Unknown" : std::to_string(rank), speed(s, 0x20, 0x58));
}

void supply(const Structure& s, std::string& out) {
  const unsigned bits = s.word(0x0E), state = bits >> 7U & 7U;
  const bool present = (bits & 2U) != 0, unplugged = (bits & 4U) != 0;
  constexpr std::array<std::string_view, 6> states = {"Unknown", "Other",        "Unknown",
                                                      "OK",      "Non-critical", "Critical"};
  const unsigned watts = s.word(0x0C);
  out += fmt::format(
      "System Power Supply\n\tLocation: {}\n\tName: {}\n\tModel Part Number: {}\n"
      "\tMax Power Capacity: {}\n\tStatus: {}\n\tPlugged: {}\n",
      s.text(5), s.text(6), s.text(0x0A),
      watts == 0x8000 ? std::string("Unknown") : fmt::format("{} W", watts),
      present ? fmt::format("Present, {}", states[state < states.size() ? state : 0])
              : "Not Present",
      unplugged ? "No" : "Yes");
}

/// Told even where no driver for the controller is loaded.
void controller(const Structure& s, std::string& out) {
  const unsigned version = s.byte(5);  // a digit in each half
  out += fmt::format("IPMI Device Information\n\tSpecification Version: {}.{}\n", version >> 4U,
                     version & 0x0FU);
}

using Writer = void (*)(const Structure&, std::string&);

Writer writer_of(unsigned type) {
  switch (type) {
    case 0:
      return bios;
    case 1:
      return system;
    case 2:
      return board;
    case 9:
      return slot;
    case 16:
      return memory_array;
    case 17:
      return memory_device;
    case 38:
      return controller;
    case 39:
      return supply;
    default:
      return nullptr;
  }
}

}  // namespace

Result<std::string> smbios_text(std::string_view table) {
  constexpr unsigned end_of_table = 127;
  std::string out = "# dmidecode of gpuvet\nSMBIOS tables from sysfs.\n";
  std::size_t at = 0;
  while (at + 4 <= table.size()) {
    const std::size_t length = static_cast<unsigned char>(table[at + 1]);
    if (length < 4 || at + length > table.size())
      return fail(Errc::malformed, fmt::format("SMBIOS: a structure at byte {} is cut off", at));
    const auto area = table.substr(at, length);
    at += length;
    // Strings end with a NUL each, and their list with one more.
    std::vector<std::string_view> strings;
    while (at < table.size() && table[at] != '\0') {
      const auto end = table.find('\0', at);
      if (end == std::string_view::npos)
        return fail(Errc::malformed, "SMBIOS: a string has no end");
      strings.push_back(table.substr(at, end - at));
      at = end + 1;
    }
    at += strings.empty() ? 2 : 1;
    const Structure s(area, std::move(strings));
    if (s.type() == end_of_table) {
      out += fmt::format("\nHandle 0x{:04X}, DMI type 127, {} bytes\nEnd Of Table\n\n", s.handle(),
                         length);
      return out;
    }
    if (const auto write = writer_of(s.type())) {
      out +=
          fmt::format("\nHandle 0x{:04X}, DMI type {}, {} bytes\n", s.handle(), s.type(), length);
      write(s, out);
    }
  }
  return fail(Errc::malformed, "SMBIOS: the table has no end mark");
}

}  // namespace gpuvet::collect
