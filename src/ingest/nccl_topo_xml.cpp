// SPDX-License-Identifier: Apache-2.0
// NCCL's topology XML: what NCCL_TOPO_DUMP_FILE writes, and what cloud vendors write by hand for
// NCCL_TOPO_FILE. A <pci> that holds others is a switch's upstream port; bridges in between and
// root ports are left out. link_speed and link_width are the most that device and port can do (NCCL
// reads max_link_speed), not what runs now.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/xml_file.hpp"

namespace gpuvet::ingest {

Importer nccl_topo_xml();

namespace {

// A rack has 72 GPUs; the bound keeps a hostile file from filling memory.
constexpr std::size_t most_devices = 4096, longest_text = 80;

std::string shown(std::string_view text) { return printable(text.substr(0, longest_text)); }

/// 4 from "16.0 GT/s PCIe" or "16 GT/s".
std::optional<double> generation(std::string_view speed) {
  constexpr std::array rates{2.5, 5.0, 8.0, 16.0, 32.0, 64.0};
  const auto said = words(speed);
  const auto rate = said.size() >= 2 && said[1] == "GT/s" ? parse_number(said[0]) : std::nullopt;
  const auto* const found = rate ? std::ranges::find(rates, *rate) : rates.end();
  if (found == rates.end()) return {};
  return static_cast<double>(found - rates.begin()) + 1;
}

/// "0x030200" is a GPU that drives no screen, "0x0300.." one that may, "0x0207.." InfiniBand.
bool is_display(std::string_view pci_class) { return pci_class.starts_with("0x03"); }
bool is_adapter(std::string_view pci_class) { return pci_class.starts_with("0x02"); }
bool is_bridge(std::string_view pci_class) { return pci_class.starts_with("0x0604"); }

/// Ids of one kind of device, so that GPUs and adapters share the code.
struct DeviceIds {
  Id address, upstream, generation, width, numa;
};
constexpr DeviceIds gpu_ids{"gpu.pci.address"_id, "gpu.pci.upstream"_id,
                            "gpu.pcie.generation.max"_id, "gpu.pcie.width.max"_id,
                            "topology.affinity.numa"_id};
constexpr DeviceIds nic_ids{"nic.pci.address"_id, "nic.pci.upstream"_id,
                            "nic.pcie.generation.max"_id, "nic.pcie.width.max"_id, "nic.numa"_id};

/// Where a device stands in the tree.
struct Place {
  std::string numa;  ///< empty: the file does not say
  std::string top;   ///< address of the topmost switch above; empty: none
  std::size_t switches = 0;
};

class Reader {
 public:
  Reader(const XmlFile& file, Recorder& out) : file_{file}, out_{out} {}

  Result<void> read() {
    GPUVET_CHECK(look_at_hosts());
    for (const auto cpu : file_.root().children("cpu")) {
      record_cpu(cpu);
      const auto numa = xml_attribute(cpu, "numaid");
      const bool known = parse_integer(numa).value_or(-1) >= 0;  // -1: the system has no NUMA
      GPUVET_CHECK(walk(cpu, {.numa = known ? std::string(numa) : "", .top = {}}));
    }
    if (devices_ == 0)
      return fail(Errc::malformed, "no <pci> below a <cpu>: the topology holds no device",
                  file_.line_of(file_.root()));
    if (gpus_ == 0 && foreign_line_ != 0)
      return fail(Errc::not_supported, "the GPUs are not NVIDIA's: a topology of another library",
                  foreign_line_);
    out_.tool("NCCL topology", shown(xml_attribute(file_.root(), "version")));
    if (!dumped_) out_.how(How::claimed);
    return {};
  }

 private:
  /// A dump of an NVLink domain holds all its servers, whose addresses are the same.
  [[nodiscard]] Result<void> look_at_hosts() const {
    std::string_view host;
    for (const auto cpu : file_.root().children("cpu")) {
      const auto here = xml_attribute(cpu, "host_hash");
      if (!host.empty() && !here.empty() && here != host)
        return fail(Errc::not_supported,
                    "the topology of more than one server: dump it from a job on one",
                    file_.line_of(cpu));
      if (!here.empty()) host = here;
    }
    return {};
  }

  void record_cpu(pugi::xml_node cpu) {
    const auto architecture = xml_attribute(cpu, "arch");
    if (architecture.empty() || std::exchange(architecture_known_, true)) return;
    out_.line(file_.line_of(cpu));
    out_.text("node.cpu.architecture"_id, "node", shown(architecture));
  }

  /// Depth is bounded by XmlFile.
  Result<void> walk(pugi::xml_node parent, const Place& place) {
    for (const auto pci : parent.children("pci")) {
      // A hostile file may hang any number of nets and links on one device.
      const auto parts = [](pugi::xml_node n) { return std::distance(n.begin(), n.end()); };
      devices_ += static_cast<std::size_t>(1 + parts(pci.child("nic")) + parts(pci.child("gpu")));
      if (devices_ > most_devices)
        return fail(Errc::too_large, "more than 4096 PCI devices, nets and links",
                    file_.line_of(pci));
      const auto address = pci_address(xml_attribute(pci, "busid"));
      if (!address)
        return fail(
            Errc::malformed,
            fmt::format("busid \"{}\" is no PCI address", shown(xml_attribute(pci, "busid"))),
            file_.line_of(pci));
      record(pci, *address, place);
      Place below = place;
      if (below.top.empty()) below.top = *address;
      ++below.switches;
      GPUVET_CHECK(walk(pci, below));
    }
    return {};
  }

  void record(pugi::xml_node pci, const std::string& address, const Place& place) {
    const auto pci_class = xml_attribute(pci, "class");
    const auto vendor = xml_attribute(pci, "vendor");
    const bool ours = vendor.empty() || vendor == "0x10de";
    if (pci.child("gpu") && ours)
      record_gpu(pci, address, place);
    else if (is_display(pci_class) && ours)
      record_gpu(pci, address, place);
    else if (is_display(pci_class))
      foreign_line_ = file_.line_of(pci);
    else if (const auto nic = pci.child("nic"); nic.child("net"))
      record_nets(pci, nic, address, place);
    else if (is_adapter(pci_class))
      record_device(pci, nic_ids, "nic:" + address, address, place);
    else if (pci_class.empty() && !pci.child("pci"))
      record_unknown(pci, address);
    else if (!is_bridge(pci_class) && !pci.child("pci"))
      record_class(pci, address, pci_class);
  }

  /// A tree may name addresses alone, to tell NCCL which belong together.
  void record_unknown(pugi::xml_node pci, const std::string& address) {
    out_.line(file_.line_of(pci));
    out_.absent("pci.class"_id, "pci:" + address, Absence::not_asked,
                "the file gives the address alone");
  }

  void record_class(pugi::xml_node pci, const std::string& address, std::string_view pci_class) {
    out_.line(file_.line_of(pci));
    out_.text("pci.class"_id, "pci:" + address, shown(pci_class));
  }

  /// An empty `address`: only the device above is known.
  void record_device(pugi::xml_node pci, const DeviceIds& ids, const std::string& subject,
                     const std::string& address, const Place& place) {
    out_.line(file_.line_of(pci));
    if (!address.empty()) out_.text(ids.address, subject, address);
    if (place.top.empty())
      out_.absent(ids.upstream, subject, Absence::not_asked,
                  "no switch is above it, and NCCL leaves the root port out");
    else
      out_.text(ids.upstream, subject, place.top);
    if (place.numa.empty())
      out_.absent(ids.numa, subject, Absence::not_supported, "NCCL saw no NUMA node");
    else
      out_.text(ids.numa, subject, place.numa);
    // A cloud's file tells NCCL what to assume, which is not what the slots can do.
    if (!dumped_) return;
    const auto speed = generation(xml_attribute(pci, "link_speed"));
    const auto width = xml_count(pci, "link_width").value_or(0);
    // In virtual machines NCCL finds no rate and writes "" and 0.
    if (speed)
      out_.number(ids.generation, subject, *speed);
    else
      absent(ids.generation, subject, xml_attribute(pci, "link_speed"));
    if (width > 0)
      out_.number(ids.width, subject, width);
    else
      absent(ids.width, subject, xml_attribute(pci, "link_width"));
  }

  void absent(Id id, const std::string& subject, std::string_view said) {
    const bool hidden = said.empty() || said == "0" || said.starts_with("Unknown");
    out_.absent(id, subject, hidden ? Absence::not_supported : Absence::malformed,
                hidden ? "" : shown(said));
  }

  void record_gpu(pugi::xml_node pci, const std::string& address, const Place& place) {
    ++gpus_;
    const std::string subject = "gpu:" + address;
    record_device(pci, gpu_ids, subject, address, place);
    out_.number("gpu.pci.switches"_id, subject, static_cast<double>(place.switches));
    const auto device = xml_attribute(pci, "device");
    if (device.size() == 6 && device.starts_with("0x"))
      out_.text("gpu.pci.device_id"_id, subject, lower(shown(device.substr(2))));
    const auto gpu = pci.child("gpu");
    if (!gpu) return;
    out_.line(file_.line_of(gpu));
    if (const auto index = xml_count(gpu, "dev")) out_.number("gpu.index"_id, subject, *index);
    if (const auto links = xml_count(gpu.child("c2c"), "count"))
      out_.number("gpu.c2c.links"_id, subject, *links);
    record_nvlinks(gpu, subject, address);
  }

  /// NCCL counts links that are up, one element for each target. Without any element there may be
  /// no NVLink or no NVML to ask.
  void record_nvlinks(pugi::xml_node gpu, const std::string& subject, const std::string& address) {
    double active = 0;
    bool seen = false, sound = true;
    for (const auto link : gpu.children("nvlink")) {
      const auto count = xml_count(link, "count");
      const auto target = pci_address(xml_attribute(link, "target"));
      seen = true;
      sound = sound && count && target != address;
      if (!count || target == address) continue;
      active += *count;
      if (!target || !is_display(xml_attribute(link, "tclass"))) continue;
      out_.line(file_.line_of(link));
      const auto& [low, high] = std::minmax(address, *target);
      out_.number("link.nvlink_count"_id, fmt::format("link:{}~{}", low, high), *count);
      out_.detail(fmt::format("as {} sees it", address));
    }
    if (!seen) return;
    out_.line(file_.line_of(gpu));
    if (sound)
      out_.number("gpu.nvlink.active"_id, subject, active);
    else
      out_.absent("gpu.nvlink.active"_id, subject, Absence::malformed,
                  "the file joins the GPU to itself, or gives no count of links");
  }

  /// Interfaces without a device of their own (tunnels, bridges, a virtual machine's) are no
  /// adapters, and NCCL repeats them below every CPU: only nets below a <pci> come here.
  void record_nets(pugi::xml_node pci, pugi::xml_node nic, const std::string& address,
                   const Place& place) {
    // NCCL gives all functions of a card the address of function 0: true for the first alone.
    std::string own = address;
    for (const auto net : nic.children("net")) {
      const std::string name = shown(xml_attribute(net, "name"));
      if (name.empty()) continue;
      // The two ports of one device share its name.
      const std::string port = shown(xml_attribute(net, "port"));
      std::string subject = "nic:" + name;
      if (!nets_.insert(subject).second && !nets_.insert(subject += "/" + port).second) continue;
      record_device(pci, nic_ids, subject, std::exchange(own, {}), place);
      out_.line(file_.line_of(net));
      out_.text("nic.name"_id, subject, name);
      record_rate(net, subject);
    }
  }

  void record_rate(pugi::xml_node net, const std::string& subject) {
    constexpr double megabit = 1e6 / 8, guessed = 10000;
    const auto speed = xml_count(net, "speed");
    // Sockets count their interfaces where RDMA devices have a GUID.
    const auto guid = xml_attribute(net, "guid");
    const bool socket = guid.size() <= 4;
    if (!speed || *speed == 0)
      out_.absent("nic.rate"_id, subject, Absence::malformed, shown(xml_attribute(net, "speed")));
    else if (socket && *speed == guessed)
      out_.absent("nic.rate"_id, subject, Absence::not_supported,
                  "10 Gb/s, which NCCL also writes for an interface that gives no rate");
    else
      out_.number("nic.rate"_id, subject, *speed * megabit);
  }

  const XmlFile& file_;
  Recorder& out_;
  std::set<std::string> nets_;
  std::size_t devices_ = 0, gpus_ = 0, foreign_line_ = 0;
  // Only NCCL itself knows ranks and compute capabilities: without them somebody wrote the file.
  const bool dumped_ = static_cast<bool>(file_.root().find_node([](pugi::xml_node node) {
    return std::string_view(node.name()) == "gpu" && node.attribute("sm") && node.attribute("rank");
  }));
  bool architecture_known_ = false;
};

bool recognises(std::string_view head) {
  return xml_root_is(head, "system") && contains(head, "<cpu") &&
         (contains(head, "busid=") || contains(head, "numaid="));
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const XmlFile file, XmlFile::read(source, "system"));
  return Reader(file, out).read();
}

}  // namespace

Importer nccl_topo_xml() {
  return {.kind = "nccl_topo_xml",
          .title = "NCCL topology XML",
          .obtain = "NCCL_TOPO_DUMP_FILE=topo.xml all_reduce_perf -b 8 -e 8 -g <GPUs>",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
