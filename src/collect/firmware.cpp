// SPDX-License-Identifier: Apache-2.0
// What the firmware says of system, slots and memory: its SMBIOS tables, which only root may read;
// without it, the few names that everybody may.
#include "collect/collector.hpp"
#include "collect/smbios.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::string_view tables = "/sys/firmware/dmi/tables/DMI", names = "/sys/class/dmi/id/";

void record_names(const platform::Root& root, Recorder& out) {
  const auto text = [&](Id id, const char* file) {
    const auto value = root.line(std::string(names) + file);
    if (value && !value->empty()) out.text(id, "node", printable(*value));
  };
  text("node.vendor"_id, "sys_vendor");
  text("node.model"_id, "product_name");
  text("node.board.model"_id, "board_name");
  text("node.bios.version"_id, "bios_version");
}

}  // namespace

Result<void> collect_firmware(const Machine& machine, Collected& out) {
  constexpr std::size_t most = std::size_t{1} << 20;
  const auto table = machine.root.read(tables, most);
  if (table) {
    GPUVET_TRY(auto text, smbios_text(*table));
    out.sources.push_back({"dmidecode.txt", "dmidecode", std::move(text)});
    return {};
  }
  Recorder recorder(out.evidence, provenance_of(machine, "/sys/class/dmi", std::string(names)));
  record_names(machine.root, recorder);
  const bool denied = table.error().code == Errc::permission;
  for (const Id id :
       {"node.slot.count"_id, "node.slot.free_x16"_id, "node.dimm.slots"_id, "node.memory.ecc"_id})
    recorder.absent(id, "node", denied ? Absence::permission : Absence::not_supported,
                    denied ? "the firmware's tables are root's to read"
                           : "this machine shows no SMBIOS tables");
  return {};
}

}  // namespace gpuvet::collect
