// SPDX-License-Identifier: Apache-2.0
// The tables in which firmware describes system, processors, slots, memory and power supplies.
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

/// One structure: a formatted area of `size` bytes, then its strings.
class Structure {
 public:
  Structure(unsigned type, std::size_t size, unsigned handle) : area_(size, '\0') {
    byte(0, type);
    byte(1, static_cast<unsigned>(size));
    word(2, handle);
  }
  Structure& byte(std::size_t at, unsigned value) {
    area_[at] = static_cast<char>(value & 0xffU);
    return *this;
  }
  Structure& word(std::size_t at, unsigned value) { return number(at, value, 2); }
  Structure& number(std::size_t at, std::uint64_t value, std::size_t bytes) {
    for (std::size_t i = 0; i < bytes; ++i, value >>= 8U)
      byte(at + i, static_cast<unsigned>(value & 0xffU));
    return *this;
  }
  Structure& text(std::size_t at, std::string_view value) {
    if (value.empty()) return *this;  // string 0: not specified
    strings_ += std::string(value) + '\0';
    return byte(at, ++count_);
  }
  [[nodiscard]] std::string bytes() const {
    return area_ + (strings_.empty() ? std::string(1, '\0') : strings_) + '\0';
  }

 private:
  std::string area_, strings_;
  unsigned count_ = 0;
};

constexpr std::uint64_t kibi = 1024, mebi = kibi * 1024;

/// "Slot Type" of PCI Express by generation and width: each generation's block starts with the one
/// of unnamed width.
unsigned slot_type(int generation, int lanes) {
  constexpr std::array<unsigned, 6> first = {0xA5, 0xA5, 0xAB, 0xB1, 0xB8, 0xBE};
  unsigned width = 0;
  for (int n = lanes; n > 0; n /= 2) ++width;
  return first[static_cast<std::size_t>(std::clamp(generation, 1, 5))] + std::min(width, 5U);
}

unsigned lanes_code(int lanes) {
  switch (lanes) {
    case 1:
      return 0x08;
    case 2:
      return 0x09;
    case 4:
      return 0x0A;
    case 8:
      return 0x0B;
    default:
      return 0x0D;
  }
}

std::string system_structures(const World& world) {
  const auto& host = world.made.host;
  const std::string serial = "SIM" + world.made.id;
  Structure bios(0, 0x1A, 0x0000);
  bios.text(4, host.vendor).text(5, host.bios).text(8, "01/15/2024").byte(9, 0xFF);
  bios.number(0x0A, 0x08, 8).byte(0x13, 0x0D).byte(0x16, 0xFF).byte(0x17, 0xFF).word(0x18, 32);
  Structure system(1, 0x1B, 0x0001);
  system.text(4, host.vendor).text(5, host.product).text(7, serial).byte(0x18, 6);
  Structure board(2, 0x0F, 0x0002);
  board.text(4, host.vendor).text(5, host.board).text(7, serial + "B").byte(9, 9).byte(0x0D, 0x0A);
  return bios.bytes() + system.bytes() + board.bytes();
}

std::string processor(const World& world, int index) {
  const auto cores = static_cast<unsigned>(world.cpu.cores);
  const unsigned threads = cores * static_cast<unsigned>(world.cpu.threads);
  Structure out(4, 0x30, 0x0010 + static_cast<unsigned>(index));
  out.text(4, fmt::format("CPU{}", index)).byte(5, 3).byte(6, 0xFE);
  out.text(7, contains(world.cpu.model, "Intel") ? "Intel" : "AMD").text(0x10, world.cpu.model);
  out.byte(0x18, 0x41).byte(0x19, 2).word(0x1A, 0xFFFF).word(0x1C, 0xFFFF).word(0x1E, 0xFFFF);
  out.byte(0x23, std::min(cores, 255U)).byte(0x24, std::min(cores, 255U));
  out.byte(0x25, std::min(threads, 255U)).word(0x28, 0x6B);
  return out.word(0x2A, cores).word(0x2C, cores).word(0x2E, threads).bytes();
}

std::string slot(const Slot& slot, unsigned index) {
  Structure out(9, 0x11, 0x0100 + index);
  out.text(4, slot.name).byte(5, slot_type(slot.generation, slot.lanes));
  out.byte(6, lanes_code(slot.lanes)).byte(7, slot.in_use ? 4 : 3).byte(8, 4).word(9, index);
  out.byte(0x0B, 0x04).byte(0x0C, 0x01);
  if (slot.address.size() != 12) return out.word(0x0D, 0xFFFF).word(0x0F, 0xFFFF).bytes();
  const auto part = [&](std::size_t at, std::size_t n) {
    return static_cast<unsigned>(parse_integer(slot.address.substr(at, n), 16).value_or(0));
  };
  return out.word(0x0D, part(0, 4))
      .byte(0x0F, part(5, 2))
      .byte(0x10, part(8, 2) << 3U | part(11, 1))
      .bytes();
}

unsigned memory_type(std::string_view type) {
  return type == "DDR5" ? 0x22 : type == "DDR3" ? 0x18 : type == "LPDDR5" ? 0x23 : 0x1A;
}

std::string module(const Dimm& dimm, unsigned index) {
  constexpr std::uint64_t largest_word = 0x7FFF;
  Structure out(17, 0x5C, 0x1100 + index);
  out.word(4, 0x1000).word(6, 0xFFFE).byte(0x0E, 9).text(0x10, dimm.locator);
  out.text(0x11, "P" + dimm.locator.substr(dimm.locator.starts_with('P') ? 1 : 0, 1));
  if (dimm.size == 0) return out.word(8, 0xFFFF).word(0x0A, 0xFFFF).byte(0x12, 2).bytes();
  const auto size = dimm.size / mebi;
  out.word(8, 72).word(0x0A, 64);
  out.word(0x0C, static_cast<unsigned>(std::min(size, largest_word)));
  if (size >= largest_word) out.number(0x1C, size, 4);
  out.byte(0x12, memory_type(dimm.type)).word(0x13, 0x2080);
  out.word(0x15, static_cast<unsigned>(dimm.rate));
  out.text(0x17, dimm.manufacturer)
      .text(0x18, dimm.serial)
      .text(0x1A, dimm.part)
      .byte(0x1B, 2)
      .byte(0x28, 3);
  return out.word(0x20, static_cast<unsigned>(dimm.configured_rate)).bytes();
}

std::string memory(const World& world) {
  Structure array(16, 0x17, 0x1000);
  std::uint64_t most = 0;
  for (const auto& dimm : world.dimms) most = std::max(most, dimm.size);
  array.byte(4, 3).byte(5, 3).byte(6, 6).number(7, 0x80000000U, 4).word(0x0B, 0xFFFE);
  array.word(0x0D, static_cast<unsigned>(world.dimms.size()));
  array.number(0x0F, most * world.dimms.size(), 8);
  std::string out = array.bytes();
  for (std::size_t i = 0; i < world.dimms.size(); ++i)
    out += module(world.dimms[i], static_cast<unsigned>(i));
  return out;
}

std::string supply(const World& world, unsigned index) {
  Structure out(39, 0x16, 0x2700 + index);
  out.byte(4, 1).text(5, fmt::format("Bay {}", index)).text(6, fmt::format("PSU{}", index));
  out.word(0x0C, static_cast<unsigned>(world.made.host.supply_power));
  // Hot-pluggable, present, switches voltage by itself, its state OK, a switching supply.
  return out.word(0x0E, 1U | 2U | 4U << 3U | 3U << 7U | 4U << 10U)
      .word(0x10, 0xFFFF)
      .word(0x12, 0xFFFF)
      .word(0x14, 0xFFFF)
      .bytes();
}

}  // namespace

std::string smbios_table(const World& world) {
  std::string out = system_structures(world);
  for (int i = 0; i < world.cpu.sockets; ++i) out += processor(world, i);
  for (std::size_t i = 0; i < world.slots.size(); ++i)
    out += slot(world.slots[i], static_cast<unsigned>(i));
  if (!world.dimms.empty()) out += memory(world);
  if (!world.sensors.empty())
    for (int i = 1; i <= world.made.host.supplies; ++i)
      out += supply(world, static_cast<unsigned>(i));
  return out + Structure(127, 4, 0xFEFF).bytes();
}

std::string smbios_entry_point(const World& world) {
  constexpr std::size_t length = 0x18, table_at = 32;  // as in a dump of dmidecode
  std::string out = "_SM3_";
  out.resize(length, '\0');
  out[6] = static_cast<char>(length);
  out[7] = 3;  // SMBIOS 3.3
  out[8] = 3;
  out[10] = 1;
  const auto size = smbios_table(world).size();
  for (std::size_t i = 0; i < 4; ++i) out[12 + i] = static_cast<char>(size >> (8 * i) & 0xffU);
  out[16] = static_cast<char>(table_at);
  unsigned sum = 0;
  for (const char c : out) sum += static_cast<unsigned char>(c);
  out[5] = static_cast<char>((256U - sum % 256U) & 0xffU);
  return out;
}

void write_firmware(const World& world, TreeWriter& out) {
  const std::string id = "/sys/devices/virtual/dmi/id/";
  const auto& host = world.made.host;
  out.line(id + "sys_vendor", host.vendor);
  out.line(id + "product_name", host.product);
  out.line(id + "board_vendor", host.vendor);
  out.line(id + "board_name", host.board);
  out.line(id + "bios_version", host.bios);
  out.link("/sys/class/dmi/id", "/sys/devices/virtual/dmi/id");
  out.file("/sys/firmware/dmi/tables/DMI", smbios_table(world));
  out.file("/sys/firmware/dmi/tables/smbios_entry_point", smbios_entry_point(world));
}

}  // namespace gpuvet::sim
