// SPDX-License-Identifier: Apache-2.0
// dmidecode: what the firmware says of board, processors, slots, memory and power supplies.
// Firmware is full of placeholders ("To Be Filled By O.E.M."), and an old dmidecode prints <OUT OF
// SPEC> for what is newer than itself; both are absences. In a virtual machine the processors may
// be the host's. A slot's type reads "x8 PCI Express 4 x16": electrical lanes first, mechanical
// width last.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>

#include "core/text.hpp"
#include "ingest/dmidecode_structures.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view out_of_spec = "<OUT OF SPEC>";

/// What board makers leave in a field that they don't fill.
bool is_placeholder(std::string_view text) {
  static constexpr std::array<std::string_view, 26> placeholders{
      "",
      "unknown",
      "none",
      "n/a",
      "na",
      "not specified",
      "not provided",
      "not available",
      "not applicable",
      "not present",
      "undefined",
      "empty",
      "no dimm",
      "other",
      "default string",
      "to be filled by o.e.m.",
      "o.e.m.",
      "system manufacturer",
      "system product name",
      "system serial number",
      "system version",
      "base board product name",
      "0123456789",
      "123456789",
      "<bad index>",
      "00000000",
  };
  return std::ranges::find(placeholders, lower(trim(text))) != placeholders.end();
}

/// PCIe lanes in "x16"; nothing for any other word.
std::optional<double> lanes_in(std::string_view word) {
  if (word.ends_with('x'))
    word = word.substr(0, word.size() - 1);
  else if (word.starts_with('x'))
    word.remove_prefix(1);
  else
    return {};
  const auto lanes = parse_integer(word);
  constexpr std::int64_t most_lanes = 32;
  if (!lanes || *lanes < 1 || *lanes > most_lanes) return {};
  return static_cast<double>(*lanes);
}

/// Structures of one kind often share a name; the second "PSU" becomes "PSU#2".
class UniqueNames {
 public:
  std::string operator()(std::string name) {
    const int count = ++seen_[name];
    return count == 1 ? name : fmt::format("{}#{}", name, count);
  }

 private:
  std::map<std::string, int> seen_;
};

class Writer {
 public:
  Writer(const DmiTable& table, Recorder& out) : table_{table}, out_{out} {}

  Result<void> write() {
    out_.tool("dmidecode", table_.version);
    write_node();
    GPUVET_CHECK(write_processors());
    write_slots();
    GPUVET_CHECK(write_arrays());
    GPUVET_CHECK(write_modules());
    GPUVET_CHECK(write_supplies());
    for (const auto* ipmi : table_.all("IPMI Device Information"))
      text("bmc.ipmi.version"_id, "bmc", *ipmi, "Specification Version");
    return {};
  }

 private:
  /// A text, or why there is none; nothing when the structure has no such field.
  void text(Id id, const std::string& subject, const DmiStructure& from, std::string_view name) {
    const DmiField* const field = from.find(name);
    if (field == nullptr) return;
    out_.line(field->line);
    if (is_placeholder(field->value))
      out_.absent(id, subject, Absence::not_supported, field->value);
    else if (contains(field->value, out_of_spec))
      out_.absent(id, subject, Absence::malformed, "newer than this dmidecode knows");
    else
      out_.text(id, subject, field->value);
  }

  /// The number before one of `units` ("2400 MT/s"); nothing when there is none.
  Result<std::optional<double>> figure(const DmiField& field,
                                       std::initializer_list<std::string_view> units) const {
    const auto parts = words(field.value);
    if (!parts.empty() && contains(parts[0], ",") && parts[0][0] >= '0' && parts[0][0] <= '9')
      return fail(Errc::malformed, "number with a decimal comma: rerun with LC_ALL=C", field.line);
    if (parts.size() != 2 || std::ranges::find(units, parts[1]) == units.end()) return std::nullopt;
    const auto value = parse_number(parts[0]);
    if (!value || *value < 0) return std::nullopt;
    return *value;
  }

  Result<void> number(Id id, const std::string& subject, const DmiStructure& from,
                      std::string_view name, std::initializer_list<std::string_view> units) {
    const DmiField* const field = from.find(name);
    if (field == nullptr) return {};
    GPUVET_TRY(const auto value, figure(*field, units));
    out_.line(field->line);
    if (value && *value > 0)
      out_.number(id, subject, *value);
    else
      out_.absent(id, subject, Absence::not_supported, field->value);
    return {};
  }

  /// Bytes; dmidecode's units are powers of two, whatever they are called.
  Result<std::optional<double>> bytes(const DmiField& field) const {
    static constexpr std::array<std::string_view, 6> units{"bytes", "kB", "MB", "GB", "TB", "PB"};
    GPUVET_TRY(auto value, figure(field, {"bytes", "kB", "MB", "GB", "TB", "PB"}));
    if (!value || *value <= 0) return std::nullopt;
    const auto unit = std::ranges::find(units, words(field.value)[1]);
    for (auto step = units.begin(); step != unit; ++step) *value *= 1024;
    return value;
  }

  void write_node() {
    for (const auto* bios : table_.all("BIOS Information")) {
      text("node.bios.version"_id, "node", *bios, "Version");
      if (const auto* date = bios->find("Release Date"); date && !is_placeholder(date->value)) {
        out_.line(date->line);
        out_.text("node.bios.date"_id, "node", iso_date(date->value));
      }
      break;
    }
    for (const auto* system : table_.all("System Information")) {
      text("node.vendor"_id, "node", *system, "Manufacturer");
      text("node.model"_id, "node", *system, "Product Name");
      text("node.serial"_id, "node", *system, "Serial Number");
      break;
    }
    // Risers and drawers are base boards too; the mainboard comes first.
    if (const auto boards = table_.all("Base Board Information"); !boards.empty())
      text("node.board.model"_id, "node", *boards.front(), "Product Name");
  }

  /// Hyper-V shows the host's cores, QEMU its own machine type as the model.
  [[nodiscard]] bool is_virtual() const {
    if (table_.virtual_machine) return true;
    for (const auto* system : table_.all("System Information")) {
      const auto maker = system->value("Manufacturer"), model = system->value("Product Name");
      for (const std::string_view name : {"QEMU", "VMware", "Xen", "innotek", "Red Hat"})
        if (maker.starts_with(name)) return true;
      for (const std::string_view name :
           {"Virtual Machine", "VMware", "KVM", "OpenStack", "Google Compute Engine", "HVM domU"})
        if (contains(model, name)) return true;
    }
    return false;
  }

  Result<void> write_processors() {
    const auto all = table_.all("Processor Information");
    if (all.empty()) return {};
    out_.line(all.front()->line);
    constexpr std::array ids{"node.cpu.sockets"_id, "node.cpu.cores"_id, "node.cpu.threads"_id,
                             "node.cpu.model"_id};
    if (is_virtual()) {
      for (const Id id : ids)
        out_.absent(id, "node", Absence::not_supported,
                    "the firmware of a virtual machine tells its host's or none: see lscpu");
      return {};
    }
    double sockets = 0;
    std::optional<double> cores = 0., threads = 0.;
    std::vector<std::string> models;
    const auto add = [](std::optional<double>& sum, std::string_view value) {
      const auto count = parse_integer(value);
      if (sum && count && *count > 0)
        *sum += static_cast<double>(*count);
      else
        sum.reset();  // one processor unknown leaves the total unknown
    };
    for (const auto* cpu : all) {
      if (!cpu->value("Status").starts_with("Populated") ||
          cpu->value("Type") != "Central Processor")
        continue;
      ++sockets;
      // Cores that the firmware switched off don't count.
      const auto enabled = cpu->value("Core Enabled");
      add(cores, enabled.empty() ? cpu->value("Core Count") : enabled);
      add(threads, cpu->value("Thread Count"));
      const std::string model(trim(cpu->value("Version")));
      if (!is_placeholder(model) && std::ranges::find(models, model) == models.end())
        models.push_back(model);
    }
    if (cores && threads && *threads < *cores) threads.reset();
    out_.number(ids[0], "node", sockets);
    record_sum(ids[1], cores);
    record_sum(ids[2], threads);
    if (models.empty())
      out_.absent(ids[3], "node", Absence::not_supported);
    else
      out_.text(ids[3], "node", join(models, ", "));
    return {};
  }

  void record_sum(Id id, const std::optional<double>& sum) {
    if (sum && *sum > 0)
      out_.number(id, "node", *sum);
    else
      out_.absent(id, "node", Absence::not_supported, "the firmware doesn't say");
  }

  void write_slots() {
    UniqueNames unique;
    for (const auto* slot : table_.all("System Slot Information")) {
      const DmiField* const designation = slot->find("Designation");
      if (designation == nullptr) continue;
      const std::string subject = "slot:" + unique(designation->value);
      write_slot_type(*slot, subject);
      const auto usage = slot->value("Current Usage");
      const std::string use = usage == "Available" ? "free"
                              : usage == "In Use"  ? "used"
                                                   : "unknown";
      if (const auto* field = slot->find("Current Usage")) {
        out_.line(field->line);
        out_.text("slot.usage"_id, subject, use);
        if (use == "unknown") out_.detail(std::string(usage));
      }
      // Free slots show the address that a card would get, or one that can't be.
      const auto* address = slot->find("Bus Address");
      if (use != "used" || address == nullptr) continue;
      const auto pci = pci_address(address->value);
      out_.line(address->line);
      if (pci && *pci != "0000:00:00.0" && !pci->ends_with("ff:1f.7"))
        out_.text("slot.pci.address"_id, subject, *pci);
      else
        out_.absent("slot.pci.address"_id, subject, Absence::not_supported, address->value);
    }
  }

  void write_slot_type(const DmiStructure& slot, const std::string& subject) {
    const DmiField* const type = slot.find("Type");
    if (type == nullptr) return;
    const auto parts = words(type->value);
    out_.line(type->line);
    std::string_view kind = type->value;
    std::optional<double> lanes = parts.empty() ? std::nullopt : lanes_in(parts[0]);
    if (lanes) kind = trim(kind.substr(parts[0].size()));
    if (const auto width = slot.value("Data Bus Width"); !lanes && !width.empty())
      lanes = lanes_in(words(width)[0]);
    const bool known = !contains(kind, out_of_spec) && !is_placeholder(kind);
    if (known)
      out_.text("slot.type"_id, subject, std::string(kind));
    else
      out_.absent("slot.type"_id, subject, Absence::malformed, "newer than this dmidecode knows");
    if (lanes) out_.number("slot.lanes"_id, subject, *lanes);
    constexpr std::string_view express = "PCI Express ";
    std::optional<double> generation;
    if (kind.starts_with(express)) {
      const auto digit = parse_integer(words(kind.substr(express.size()))[0]);
      if (digit && *digit >= 1 && *digit <= 9) generation = static_cast<double>(*digit);
    }
    if (generation)
      out_.number("slot.generation"_id, subject, *generation);
    else if (!known || kind.starts_with("PCI Express"))
      out_.absent("slot.generation"_id, subject, Absence::not_supported, type->value);
    if (parts.size() > 1 && lanes_in(parts.back()))
      out_.number("slot.width"_id, subject, *lanes_in(parts.back()));
    else if (const auto width = words(slot.value("Slot Physical Width"));
             !width.empty() && lanes_in(width[0]))
      out_.number("slot.width"_id, subject, *lanes_in(width[0]));
  }

  /// One array for each processor; together they are the server's memory.
  Result<void> write_arrays() {
    std::optional<double> most = 0.;
    std::vector<std::string> corrections;
    std::size_t line = 0;
    for (const auto* array : table_.all("Physical Memory Array")) {
      if (array->value("Use") != "System Memory") continue;  // flash, cache, video memory
      line = line == 0 ? array->line : line;
      std::optional<double> capacity;
      if (const auto* field = array->find("Maximum Capacity")) {
        GPUVET_TRY(capacity, bytes(*field));
      }
      most = most && capacity ? std::optional(*most + *capacity) : std::nullopt;
      const std::string correction(array->value("Error Correction Type"));
      if (std::ranges::find(corrections, correction) == corrections.end() && corrections.size() < 8)
        corrections.push_back(correction);
    }
    if (line == 0) return {};
    out_.line(line);
    record_sum("node.memory.max"_id, most);
    const auto ecc = join(corrections, ", ");
    if (is_virtual())
      out_.absent("node.memory.ecc"_id, "node", Absence::not_supported,
                  "the firmware of a virtual machine doesn't know its host's memory");
    else if (ecc.empty() || ecc == "Unknown" || ecc == "Other" || contains(ecc, out_of_spec))
      out_.absent("node.memory.ecc"_id, "node", Absence::not_supported, ecc);
    else
      out_.text("node.memory.ecc"_id, "node", ecc);
    return {};
  }

  Result<void> write_modules() {
    const auto modules = table_.all("Memory Device");
    std::map<std::string_view, int> locators;
    for (const auto* module : modules) ++locators[module->value("Locator")];
    UniqueNames unique;
    for (const auto* module : modules) {
      // "DIMM 0" may stand in every bank.
      const auto locator = module->value("Locator"), bank = module->value("Bank Locator");
      const bool ambiguous = locators[locator] > 1 && !is_placeholder(bank);
      const std::string name =
          ambiguous ? fmt::format("{} {}", bank, locator) : std::string(locator);
      GPUVET_CHECK(write_module(*module, "dimm:" + unique(name.empty() ? "unnamed" : name)));
    }
    return {};
  }

  Result<void> write_module(const DmiStructure& module, const std::string& subject) {
    const DmiField* const size = module.find("Size");
    if (size == nullptr) return {};
    GPUVET_TRY(const auto installed, bytes(*size));
    out_.line(size->line);
    if (!installed) {
      out_.absent("dimm.size"_id, subject, Absence::not_supported, size->value);
      return {};
    }
    out_.number("dimm.size"_id, subject, *installed);
    text("dimm.type"_id, subject, module, "Type");
    text("dimm.manufacturer"_id, subject, module, "Manufacturer");
    text("dimm.part_number"_id, subject, module, "Part Number");
    text("dimm.serial"_id, subject, module, "Serial Number");
    if (const auto* rank = module.find("Rank")) {
      const auto ranks = parse_integer(rank->value);
      out_.line(rank->line);
      if (ranks && *ranks > 0)
        out_.number("dimm.rank"_id, subject, static_cast<double>(*ranks));
      else
        out_.absent("dimm.rank"_id, subject, Absence::not_supported, rank->value);
    }
    // Until 3.1 dmidecode called transfers clocks: "2400 MHz" is 2400 MT/s.
    GPUVET_CHECK(number("dimm.speed.rated"_id, subject, module, "Speed", {"MT/s", "MHz"}));
    const bool old = module.find("Configured Memory Speed") == nullptr;
    GPUVET_CHECK(number("dimm.speed.configured"_id, subject, module,
                        old ? "Configured Clock Speed" : "Configured Memory Speed",
                        {"MT/s", "MHz"}));
    return write_ecc(module, subject);
  }

  /// 72 bits for 64 of data.
  Result<void> write_ecc(const DmiStructure& module, const std::string& subject) {
    const auto* total = module.find("Total Width");
    const auto* data = module.find("Data Width");
    if (total == nullptr || data == nullptr) return {};
    GPUVET_TRY(const auto all, figure(*total, {"bits"}));
    GPUVET_TRY(const auto payload, figure(*data, {"bits"}));
    out_.line(total->line);
    if (all && payload && *payload > 0 && *all >= *payload)
      out_.flag("dimm.ecc"_id, subject, *all > *payload);
    else
      out_.absent("dimm.ecc"_id, subject, Absence::not_supported,
                  fmt::format("{} for {}", total->value, data->value));
    return {};
  }

  Result<void> write_supplies() {
    UniqueNames unique;
    for (const auto* supply : table_.all("System Power Supply")) {
      const auto location = supply->value("Location"), called = supply->value("Name");
      const std::string name(!is_placeholder(location) ? location
                             : !is_placeholder(called) ? called
                                                       : "unnamed");
      const std::string subject = "psu:" + unique(name);
      const bool present = write_health(*supply, subject);
      if (!present) continue;
      GPUVET_CHECK(number("psu.capacity"_id, subject, *supply, "Max Power Capacity", {"W"}));
      const bool numbered = !is_placeholder(supply->value("Model Part Number"));
      text("psu.model"_id, subject, *supply, numbered ? "Model Part Number" : "Name");
    }
    return {};
  }

  /// "Present, OK" and whether the cord is in; false for an empty bay.
  bool write_health(const DmiStructure& supply, const std::string& subject) {
    struct State {
      std::string_view words, health;
    };
    static constexpr std::array states{
        State{"Present, OK", "ok"}, State{"Present, Non-critical", "warning"},
        State{"Present, Critical", "critical"}, State{"Not Present", "absent"}};
    const DmiField* const status = supply.find("Status");
    if (status == nullptr) return true;
    const auto found = std::ranges::find(states, std::string_view(status->value), &State::words);
    out_.line(status->line);
    if (found != states.end() && found->health == "absent")
      return out_.text("psu.health"_id, subject, "absent"), false;
    if (supply.value("Plugged") == "No")
      out_.text("psu.health"_id, subject, "no_input");
    else if (found != states.end())
      out_.text("psu.health"_id, subject, std::string(found->health));
    else
      out_.absent("psu.health"_id, subject, Absence::not_supported, status->value);
    return true;
  }

  const DmiTable& table_;
  Recorder& out_;
};

/// The tool's banner, its first handle, or what it prints when it may not read.
bool recognises(std::string_view head) {
  head = head.substr(0, 8192);
  if (contains(head, "# dmidecode ") && contains(head, "SMBIOS")) return true;
  const auto handle = head.find("Handle 0x");
  if (handle != std::string_view::npos && contains(head.substr(handle, 64), ", DMI type "))
    return true;
  const auto first = trim(head).substr(0, 256);
  return first.starts_with("# dmidecode ") || contains(first, "dmidecode: command not found") ||
         (first.starts_with("/dev/mem: ") && contains(first, "Permission denied")) ||
         first.starts_with("BIOS Information\n\tVendor:");
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const DmiTable table, read_dmi_table(source));
  return Writer(table, out).write();
}

}  // namespace

Importer dmidecode() {
  return {.kind = "dmidecode",
          .title = "dmidecode",
          .obtain = "sudo dmidecode > dmidecode.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
