// SPDX-License-Identifier: Apache-2.0
#include "collect/smbios.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::collect {
namespace {

using testing::HasSubstr;
using testing::Not;
using namespace std::string_literals;

/// A structure: type, handle, the bytes after its header, its strings.
std::string structure(int type, std::string body, const std::vector<std::string>& strings) {
  std::string out;
  out += static_cast<char>(type);
  out += static_cast<char>(4 + body.size());
  static int handle = 0;  // every structure has one of its own
  out += static_cast<char>(++handle);
  out += "\0"s + std::move(body);
  for (const auto& s : strings) out += s + '\0';
  out += strings.empty() ? "\0\0"s : "\0"s;
  return out;
}

const std::string end = structure(127, "", {});

/// Electrical x16, PCI Express 4 x16, usage as given.
std::string slot(char usage) {
  std::string body = "\x01\xbd\x0d"s + usage + "\x04\x01\x00\x00\x00"s;
  body += "\x00\x00\x41\x00"s;  // segment 0, bus 0x41, device 0
  return structure(9, body, {"SLOT1"});
}

std::string module(unsigned rated, unsigned configured) {
  std::string body(0x22 - 4, '\0');
  const auto word = [&](std::size_t at, unsigned value) {
    body[at - 4] = static_cast<char>(value & 0xffU);
    body[at - 3] = static_cast<char>(value >> 8U);
  };
  word(0x08, 72);
  word(0x0a, 64);
  word(0x0c, 32768 - 1);  // 32767 MB is 0x7FFF: "see the extended size"
  body[0x10 - 4] = 1;
  body[0x12 - 4] = 0x1a;
  word(0x15, rated);
  body[0x1b - 4] = 2;
  body[0x1d - 4] = 0;
  body[0x1e - 4] = 1;  // extended size: 0x00010000 MB = 64 GB
  word(0x20, configured);
  return structure(17, body, {"DIMM_A1"});
}

TEST(Smbios, ReadsAsDmidecodePrintsIt) {
  const auto text = smbios_text(slot(3) + slot(4) + module(3200, 2933) + end);
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_THAT(*text, HasSubstr("Type: x16 PCI Express 4 x16"));
  EXPECT_THAT(*text, HasSubstr("Current Usage: Available"));
  EXPECT_THAT(*text, HasSubstr("Bus Address: 0000:41:00.0"));
  EXPECT_THAT(*text, HasSubstr("Size: 64 GB"));
  EXPECT_THAT(*text, HasSubstr("Speed: 3200 MT/s"));
  EXPECT_THAT(*text, HasSubstr("Configured Memory Speed: 2933 MT/s"));
}

TEST(Smbios, MeetsItsImporter) {
  const auto text = smbios_text(slot(3) + module(3200, 3200) + end);
  ASSERT_TRUE(text);
  const auto* importer = ingest::recognise(*text);
  ASSERT_NE(importer, nullptr);
  EXPECT_EQ(importer->kind, "dmidecode");
  Evidence evidence;
  Recorder out(evidence, {});
  MemorySource source(*text);
  const auto read = importer->read(source, out);
  ASSERT_TRUE(read) << read.error().message();
  bool free = false, ecc = false;
  for (const auto& o : evidence.observations) {
    free = free || (o.id == "slot.usage"_id && *o.text() == "free");
    ecc = ecc || (o.id == "dimm.ecc"_id && *o.flag());
  }
  EXPECT_TRUE(free);
  EXPECT_TRUE(ecc);
}

TEST(Smbios, TellsAVirtualMachineItsMemoryAndItsController) {
  std::string bios(0x14 - 4, '\0');
  const std::string real = structure(0, bios, {});
  bios[0x13 - 4] = 0x10;
  std::string ram = module(4800, 4800);
  ram[0x12] = 0x07;
  const auto text =
      smbios_text(structure(0, bios, {}) + ram + structure(38, "\x01\x20\x20"s, {}) + end);
  ASSERT_TRUE(text) << text.error().message();
  EXPECT_THAT(*text, HasSubstr("\n\t\tSystem is a virtual machine\n"));
  EXPECT_THAT(*text, HasSubstr("Type: RAM\n"));
  EXPECT_THAT(*text, HasSubstr("IPMI Device Information\n\tSpecification Version: 2.0\n"));
  EXPECT_THAT(*smbios_text(real + end), Not(HasSubstr("virtual")));
}

TEST(Smbios, RefusesATableThatIsCut) {
  const std::string whole = slot(3) + module(3200, 3200) + end;
  for (std::size_t n = 0; n + 2 < whole.size(); ++n)
    EXPECT_FALSE(smbios_text(whole.substr(0, n))) << n << " bytes";
  EXPECT_FALSE(smbios_text("\x09\x02\x00\x00"s)) << "a structure shorter than its header";
}

}  // namespace
}  // namespace gpuvet::collect
