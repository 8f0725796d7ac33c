// SPDX-License-Identifier: Apache-2.0
// hwloc's XML (lstopo file.xml), versions 1 to 3. Its traps: lstopo counts the processors that it
// may use, not those that are there; in version 3 the types of OS devices became bits; link rates
// are GB/s of all lanes together, which tell neither generation nor width.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/lspci_device.hpp"
#include "ingest/xml_file.hpp"

namespace gpuvet::ingest {

Importer hwloc_xml();

namespace {

constexpr std::size_t longest_text = 80, most_devices = 4096, most_bridges = 32;

std::string shown(std::string_view text) { return printable(text.substr(0, longest_text)); }

/// The value of <info name="key" value="..."/>; empty when there is none.
std::string_view info(pugi::xml_node object, std::string_view key) {
  for (const auto node : object.children("info"))
    if (xml_attribute(node, "name") == key) return xml_attribute(node, "value");
  return {};
}

std::string_view type_of(pugi::xml_node object) { return xml_attribute(object, "type"); }

/// The bits of "0x00000001,,0x00000101": words of 32 bits, highest first, empty ones zero.
std::optional<std::vector<std::size_t>> bits_of(std::string_view mask) {
  constexpr std::size_t most_words = 256, word_bits = 32;
  if (mask.empty()) return {};
  const auto fields = split(mask, ',');
  if (fields.size() > most_words) return {};
  std::vector<std::size_t> out;
  for (std::size_t word = 0; word < fields.size(); ++word) {
    auto digits = trim(fields[fields.size() - 1 - word]);
    if (digits.starts_with("0x")) digits.remove_prefix(2);
    if (digits.empty()) continue;
    const auto value = digits.size() <= 8 ? parse_integer(digits, 16) : std::nullopt;
    if (!value || *value < 0) return {};
    for (std::size_t bit = 0; bit < word_bits; ++bit)
      if (((*value >> bit) & 1) != 0) out.push_back(word * word_bits + bit);
  }
  return out;
}

/// "0302 [10de:1db1] [10de:1212] a1".
struct PciType {
  std::string_view pci_class, vendor, device;
};
PciType pci_type(pugi::xml_node object) {
  const auto fields = words(xml_attribute(object, "pci_type"));
  if (fields.size() < 2 || fields[1].size() != 11) return {};
  return {fields[0], fields[1].substr(1, 4), fields[1].substr(6, 4)};
}

enum class OsDevice { block, network, rdma, nvml, other };

OsDevice os_device(pugi::xml_node object, bool bits) {
  const auto name = xml_attribute(object, "name");
  if (name.starts_with("nvml")) return OsDevice::nvml;
  const auto type = parse_integer(xml_attribute(object, "osdev_type")).value_or(-1);
  constexpr std::int64_t storage = 1 << 0, network = 1 << 4, rdma = 1 << 5;
  if (type < 0) return OsDevice::other;
  if (bits)
    return (type & rdma) != 0      ? OsDevice::rdma
           : (type & network) != 0 ? OsDevice::network
           : (type & storage) != 0 ? OsDevice::block
                                   : OsDevice::other;
  constexpr std::array kinds{OsDevice::block, OsDevice::other, OsDevice::network, OsDevice::rdma};
  return type < std::ssize(kinds) ? kinds[static_cast<std::size_t>(type)] : OsDevice::other;
}

/// Where an object stands: nearest NUMA nodes and the bridges above it.
struct Place {
  std::string_view nodeset;
  PciPath path;
};

class Reader {
 public:
  Reader(const XmlFile& file, Recorder& out)
      : file_{file},
        out_{out},
        version_{xml_attribute(file.root(), "version")},
        bits_{!version_.empty() && version_[0] >= '3'} {}

  Result<void> read() {
    const auto machine = file_.root().child("object");
    if (type_of(machine) != "Machine" && type_of(machine) != "System")
      return fail(Errc::malformed, "the topology holds no machine", file_.line_of(file_.root()));
    out_.tool("lstopo", shown(info(machine, "hwlocVersion")));
    record_machine(machine);
    GPUVET_CHECK(walk(machine, {xml_attribute(machine, "nodeset"), {}}));
    record_counts(machine);
    return {};
  }

 private:
  void record_machine(pugi::xml_node machine) {
    struct Fact {
      Id id;
      std::string_view key;
    };
    constexpr std::array facts{
        Fact{"node.model"_id, "DMIProductName"},
        Fact{"node.vendor"_id, "DMISysVendor"},
        Fact{"node.board.model"_id, "DMIBoardName"},
        Fact{"node.bios.version"_id, "DMIBIOSVersion"},
        Fact{"node.bios.date"_id, "DMIBIOSDate"},
        Fact{"node.hostname"_id, "HostName"},
        Fact{"node.cpu.architecture"_id, "Architecture"},
    };
    out_.line(file_.line_of(machine));
    for (const Fact& fact : facts)
      if (const auto value = info(machine, fact.key); !value.empty())
        out_.text(fact.id, "node", shown(value));
  }

  /// Depth is bounded by XmlFile.
  Result<void> walk(pugi::xml_node parent, const Place& place) {
    for (const auto object : parent.children("object")) {
      const auto type = type_of(object);
      Place here = place;
      // Memory and devices have no place of their own: what holds them has.
      if (const auto nodes = xml_attribute(object, "nodeset"); !nodes.empty()) here.nodeset = nodes;
      if (type == "Package" || type == "Socket") {
        record_package(object);
      } else if (type == "Core") {
        ++cores_;
      } else if (type == "PU") {
        threads_.insert(xml_count(object, "os_index").value_or(-1));
      } else if (type == "NUMANode" || type == "NUMA") {
        if (numa_nodes_ == most_devices)
          return fail(Errc::too_large, "more than 4096 NUMA nodes", file_.line_of(object));
        record_numa(object);
      } else if (type == "Bridge") {
        enter(object, here.path);
      } else if (type == "PCIDev") {
        devices_ += 1 + static_cast<std::size_t>(std::distance(object.begin(), object.end()));
        if (devices_ > most_devices)
          return fail(Errc::too_large, "more than 4096 PCI and OS devices", file_.line_of(object));
        GPUVET_CHECK(record_pci(object, here));
      }
      GPUVET_CHECK(walk(object, here));
    }
    return {};
  }

  /// A host bridge names its buses, "0000:[2b-3b]", any other bridge its own address.
  static void enter(pugi::xml_node bridge, PciPath& path) {
    if (xml_attribute(bridge, "bridge_type").starts_with("0-")) {
      const auto buses = xml_attribute(bridge, "bridge_pci");
      const auto open = buses.find('['), dash = buses.find('-');
      if (open == buses.npos || dash == buses.npos || dash < open) return;
      path.root = shown(
          fmt::format("{}{}", buses.substr(0, open), buses.substr(open + 1, dash - open - 1)));
    } else if (const auto address = pci_address(xml_attribute(bridge, "pci_busid"));
               address && path.bridges.size() < most_bridges) {
      path.bridges.insert(path.bridges.begin(), *address);
    }
  }

  void record_package(pugi::xml_node package) {
    ++packages_;
    const auto model = info(package, "CPUModel");
    if (model.empty() || !models_.insert(std::string(model)).second) return;
    out_.line(file_.line_of(package));
    out_.text("node.cpu.model"_id, "node", shown(model));
  }

  void record_numa(pugi::xml_node node) {
    const auto index = xml_count(node, "os_index");
    if (!index) return;
    ++numa_nodes_;
    const std::string subject = "numa:" + format_number(*index);
    out_.line(file_.line_of(node));
    if (const auto memory = xml_count(node, "local_memory"))
      out_.number("numa.memory"_id, subject, *memory);
    else
      out_.absent("numa.memory"_id, subject, Absence::not_supported);
  }

  Result<void> record_pci(pugi::xml_node device, const Place& place) {
    const auto type = pci_type(device);
    const bool display = type.pci_class == "0302" || type.pci_class == "0300";
    const auto address = pci_address(xml_attribute(device, "pci_busid"));
    if (!address)
      return fail(Errc::malformed,
                  fmt::format("pci_busid \"{}\" is no PCI address",
                              shown(xml_attribute(device, "pci_busid"))),
                  file_.line_of(device));
    if (display && type.vendor == "10de")
      record_gpu(device, type, *address, place);
    else if (type.pci_class.starts_with("02"))
      record_nic(device, *address, place);
    else
      record_drives(device);
    return {};
  }

  /// One NUMA node, or the reason why none: a device may hang off all of the machine.
  void record_numa_of(Id id, const std::string& subject, const Place& place) {
    const auto nodes = bits_of(place.nodeset);
    if (nodes && nodes->size() == 1)
      out_.text(id, subject, std::to_string(nodes->front()));
    else
      out_.absent(id, subject, Absence::not_supported, "lstopo puts it below no single NUMA node");
  }

  void record_gpu(pugi::xml_node device, const PciType& type, const std::string& address,
                  const Place& place) {
    ++gpus_;
    const std::string subject = "gpu:" + address;
    out_.line(file_.line_of(device));
    out_.text("gpu.pci.address"_id, subject, address);
    out_.text("gpu.pci.device_id"_id, subject, lower(shown(type.device)));
    record_gpu_path(out_, subject, place.path);
    record_numa_of("topology.affinity.numa"_id, subject, place);
    bool named = false;
    for (const auto os : device.children("object")) {
      out_.line(file_.line_of(os));
      if (const auto model = info(os, "GPUModel"); !model.empty() && !std::exchange(named, true))
        out_.text("gpu.name"_id, subject, shown(model));
      if (os_device(os, bits_) != OsDevice::nvml) continue;
      const auto index = parse_integer(xml_attribute(os, "name").substr(4));
      if (index && *index >= 0) out_.number("gpu.index"_id, subject, static_cast<double>(*index));
      if (const auto uuid = info(os, "NVIDIAUUID"); !uuid.empty())
        out_.text("gpu.uuid"_id, subject, shown(uuid));
      if (const auto serial = info(os, "NVIDIASerial"); !serial.empty())
        out_.text("gpu.serial"_id, subject, shown(serial));
    }
  }

  /// The RDMA device names the adapter and its network device belongs to it; else that one does.
  void record_nic(pugi::xml_node device, const std::string& address, const Place& place) {
    pugi::xml_node rdma, network;
    for (const auto os : device.children("object")) {
      const auto kind = os_device(os, bits_);
      if (kind == OsDevice::rdma && !rdma) rdma = os;
      if (kind == OsDevice::network && !network) network = os;
    }
    const auto os = rdma ? rdma : network;
    const std::string name = shown(xml_attribute(os, "name"));
    if (name.empty()) return;  // no driver: the kernel sees no adapter
    const std::string subject = "nic:" + name;
    out_.line(file_.line_of(os));
    out_.text("nic.name"_id, subject, name);
    out_.text("nic.pci.address"_id, subject, address);
    record_nic_path(subject, place.path);
    record_numa_of("nic.numa"_id, subject, place);
    if (!rdma) return;
    out_.flag("nic.rdma"_id, subject, true);
    if (network) out_.text("nic.netdev"_id, subject, shown(xml_attribute(network, "name")));
    record_port(rdma, subject);
  }

  void record_nic_path(const std::string& subject, const PciPath& path) {
    if (path.bridges.empty()) return;  // a virtual machine hides the tree
    out_.text("nic.pci.root"_id, subject, path.root);
    const std::size_t ports = path.bridges.size();
    out_.text("nic.pci.upstream"_id, subject, path.bridges[ports > 1 ? ports - 2 : 0]);
  }

  void record_port(pugi::xml_node rdma, const std::string& subject) {
    // IBTA's numbers for the logical state of a port.
    constexpr std::array<std::string_view, 5> states{"", "Down", "Init", "Armed", "Active"};
    const auto state = parse_integer(info(rdma, "Port1State"));
    if (state && *state > 0 && *state < std::ssize(states))
      out_.text("nic.state"_id, subject, std::string(states[static_cast<std::size_t>(*state)]));
  }

  void record_drives(pugi::xml_node device) {
    for (const auto os : device.children("object")) {
      const std::string name = shown(xml_attribute(os, "name"));
      if (os_device(os, bits_) != OsDevice::block || !name.starts_with("nvme")) continue;
      const std::string subject = "drive:" + name;
      out_.line(file_.line_of(os));
      out_.text("drive.bus"_id, subject, "nvme");
      // udev may give the name of the volume on it: "LVM PV ... on /dev/nvme0n1".
      const auto model = info(os, "Model");
      if (!model.empty() && !contains(model, "/dev/"))
        out_.text("drive.model"_id, subject, shown(model));
      if (const auto serial = info(os, "SerialNumber"); !serial.empty())
        out_.text("drive.serial"_id, subject, shown(serial));
      constexpr double kibi = 1024, most = 1e12;
      const auto size = parse_integer(info(os, "Size"));
      // Version 3 changed the unit.
      if (size && *size > 0 && static_cast<double>(*size) < most && !bits_)
        out_.number("drive.capacity"_id, subject, static_cast<double>(*size) * kibi);
    }
  }

  void record_counts(pugi::xml_node machine) {
    out_.line(file_.line_of(machine));
    if (packages_ > 0) out_.number("node.cpu.sockets"_id, "node", static_cast<double>(packages_));
    if (numa_nodes_ > 0)
      out_.number("node.cpu.numa_nodes"_id, "node", static_cast<double>(numa_nodes_));
    if (gpus_ > 0) out_.number("node.gpu.attached"_id, "node", static_cast<double>(gpus_));
    if (threads_.empty()) return;
    // Holes in the numbering, or processors that are there and not shown: a cgroup, `--restrict`,
    // or threads that are switched off.
    const bool all = *threads_.begin() == 0 &&
                     *threads_.rbegin() + 1 == static_cast<double>(threads_.size()) &&
                     bits_of(xml_attribute(machine, "complete_cpuset")) ==
                         bits_of(xml_attribute(machine, "cpuset"));
    const auto record = [&](Id id, std::size_t count) {
      if (count == 0) return;
      if (all)
        out_.number(id, "node", static_cast<double>(count));
      else
        out_.absent(id, "node", Absence::permission,
                    "lstopo shows only the processors that it may use");
    };
    record("node.cpu.cores"_id, cores_);
    record("node.cpu.threads"_id, threads_.size());
  }

  const XmlFile& file_;
  Recorder& out_;
  std::string_view version_;
  bool bits_;  ///< whether types of OS devices are bits
  std::size_t packages_ = 0, cores_ = 0, numa_nodes_ = 0, devices_ = 0, gpus_ = 0;
  std::set<double> threads_;
  std::set<std::string> models_;
};

bool recognises(std::string_view head) {
  return xml_root_is(head, "topology") && contains(head, "<object type=");
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const XmlFile file, XmlFile::read(source, "topology"));
  return Reader(file, out).read();
}

}  // namespace

Importer hwloc_xml() {
  return {.kind = "hwloc_xml",
          .title = "lstopo XML",
          .obtain = "lstopo --whole-io topology.xml",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
