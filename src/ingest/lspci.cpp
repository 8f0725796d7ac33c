// SPDX-License-Identifier: Apache-2.0
// lspci's listings: -nn, -v to -vvv with or without -xxx, excerpts of one device, and what
// `grep ACSCtl` leaves. The bus numbers of the bridges in a -vv listing give the tree. A GPU at
// rest runs its link at 2.5 GT/s, and only the slot tells whether more was possible: of a GPU and
// its port the slower one counts, as for nvidia-smi.
#include "ingest/lspci_block.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {
namespace {

/// Where the values of a link go: a GPU has ids of its own.
struct LinkIds {
  Id generation, generation_max, width, width_max;
};
constexpr LinkIds gpu_link{"gpu.pcie.generation"_id, "gpu.pcie.generation.max"_id,
                           "gpu.pcie.width"_id, "gpu.pcie.width.max"_id};
constexpr LinkIds pci_link{"pci.pcie.generation"_id, "pci.pcie.generation.max"_id,
                           "pci.pcie.width"_id, "pci.pcie.width.max"_id};

/// What a server is judged by besides its GPUs; lists of all that a chipset shows help nobody.
bool is_of_interest(const PciDevice& device) {
  struct Class {
    std::string_view code, words;
  };
  static constexpr std::array classes{
      Class{"0104", "RAID bus controller"},
      Class{"0107", "Serial Attached SCSI controller"},
      Class{"0108", "Non-Volatile memory controller"},
      Class{"0200", "Ethernet controller"},
      Class{"0207", "Infiniband controller"},
      Class{"0280", "Network controller"},
      Class{"0302", "3D controller"},
      Class{"0380", "Display controller"},
      Class{"0680", "Bridge"},  // NVSwitches among them
      Class{"1200", "Processing accelerators"},
  };
  return std::ranges::any_of(classes,
                             [&](const Class& c) { return device.is_class(c.code, c.words); });
}

/// A GPU or accelerator that isn't NVIDIA's, and not the display of a management controller.
bool is_other_accelerator(const PciDevice& device) {
  if (is_nvidia(device.name)) return false;
  if (device.is_class("1200", "Processing accelerators")) return true;
  const bool display = device.is_class("0300", "VGA compatible controller") ||
                       device.is_class("0302", "3D controller") ||
                       device.is_class("0380", "Display controller");
  return display && (contains(device.name.text, "AMD") || contains(device.name.text, "Intel"));
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : source_{source}, lines_{source_}, out_{out} {}

  Result<void> read() {
    out_.tool("lspci");
    while (const auto line = lines_.next()) GPUVET_CHECK(take(*line));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (source_.ends_inside_line()) drop_last_line();
    if (devices_.empty()) return record_excerpt();
    prepare();
    for (std::size_t i = 0; i < devices_.size(); ++i) record(devices_[i]);
    record_count();
    return {};
  }

 private:
  Result<void> take(std::string_view line) {
    last_line_ = line.substr(0, 256);
    if (lines_.line() == 1 && line.starts_with("\xef\xbb\xbf")) line.remove_prefix(3);
    if (auto device = read_pci_device(line)) return begin(*std::move(device));
    const auto text = trim(line);
    if (text.empty()) return {};
    if (devices_.empty()) return take_loose(text);
    // "..." is how people mark what they left out.
    if (text == "..." || text == "\xe2\x80\xa6") excerpt_ = true;
    if (line.front() == ' ' || line.front() == '\t')
      return read_pci_block_line(line, lines_.line(), devices_[open_]);
    return {};
  }

  /// Prompts, and the output of grep, which leaves out whose lines they are.
  Result<void> take_loose(std::string_view text) {
    if (contains(text, "lspci: ") || contains(text, "pcilib: "))
      return fail(
          Errc::not_supported,
          fmt::format("lspci printed an error and no devices: {}", printable(text.substr(0, 120))),
          lines_.line());
    if (contains(text, "lspci")) {
      const auto of_vendor = text.find("-d 10de:"), quoted = text.find("-d \"10de:");
      only_nvidia_ = of_vendor != text.npos || quoted != text.npos;
      excerpt_ =
          contains(text, " -s") || contains(text, "|") || (contains(text, " -d") && !only_nvidia_);
    } else if (text.starts_with("ACSCtl:")) {
      ++acs_lines_;
      if (acs_redirects(text) && redirecting_.size() < most_pci_devices)
        redirecting_.push_back(fmt::format("ACSCtl in line {}", lines_.line()));
    } else if (text.starts_with("Lnk")) {
      return fail(Errc::malformed,
                  "link states without the devices that they belong to: give lspci's whole output",
                  lines_.line());
    }
    return {};
  }

  Result<void> begin(PciDevice device) {
    device.line = lines_.line();
    const auto [found, fresh] = by_address_.try_emplace(device.address, devices_.size());
    open_ = found->second;
    if (!fresh) {  // several listings in one file: -nn, then -vvv
      const PciDevice& first = devices_[open_];
      if (first.name.text == device.name.text || first.name.device == device.name.device) return {};
      return fail(Errc::malformed,
                  fmt::format("{} was another device in line {}: give one machine's listing a file",
                              device.address, first.line),
                  lines_.line());
    }
    if (devices_.size() == most_pci_devices)
      return fail(Errc::too_large, fmt::format("more than {} devices", most_pci_devices),
                  lines_.line());
    devices_.push_back(std::move(device));
    return {};
  }

  /// "Width x1" may be what is left of x16, and half a name is another name.
  void drop_last_line() {
    if (devices_.empty()) return;
    PciDevice& device = devices_[open_];
    const auto drop = [&](auto& field) {
      if (field.line == lines_.line()) field = {};
    };
    drop(device.capable);
    drop(device.current);
    drop(device.bar1);
    for (auto* const field : {&device.numa, &device.iommu_group, &device.driver, &device.acs})
      drop(*field);
    if (device.line == lines_.line() && ends_inside_device()) devices_.pop_back();
  }

  /// All that `lspci -vvv | grep ACSCtl` says: how many functions redirect.
  Result<void> record_excerpt() {
    if (acs_lines_ == 0)
      return fail(Errc::malformed, "no device: no line starts with a PCI address", lines_.line());
    out_.line(1);
    out_.texts("node.acs.enabled"_id, "node", redirecting_);
    out_.detail(fmt::format("{} of {} ACSCtl lines redirect", redirecting_.size(), acs_lines_));
    return {};
  }

  void prepare() {
    for (std::size_t i = 0; i < devices_.size(); ++i)
      if (devices_[i].bus) by_bus_.try_emplace(bus_of(devices_[i], *devices_[i].bus), i);
    whole_ = is_whole();
    // Bus numbers are in the same blocks as links.
    shows_tree_ =
        whole_ && std::ranges::any_of(devices_, [](const auto& d) { return d.current.line != 0; });
  }

  /// The bridge whose secondary bus `device` is on.
  [[nodiscard]] const PciDevice* parent(const PciDevice& device) const {
    const auto found = by_bus_.find(bus_of(device));
    return found == by_bus_.end() ? nullptr : &devices_[found->second];
  }

  /// "0000:0f" of a device, or of what is below a bridge.
  static std::string bus_of(const PciDevice& device) {
    return device.address.substr(0, device.address.rfind(':'));
  }
  static std::string bus_of(const PciDevice& bridge, std::int64_t bus) {
    return fmt::format("{}:{:02x}", bridge.address.substr(0, bridge.address.find(':')), bus & 0xff);
  }

  /// The way up. Nothing when the listing can't show it: no bus numbers (-nn), or not all devices.
  std::optional<PciPath> path_of(const PciDevice& device) {
    if (!shows_tree_) return {};
    PciPath path;
    const PciDevice* at = &device;
    constexpr std::size_t deepest = 32;
    while (const PciDevice* const bridge = parent(*at)) {
      if (path.bridges.size() == deepest) return {};  // a loop
      path.bridges.push_back(bridge->address);
      at = bridge;
    }
    path.root = bus_of(*at);
    return path;
  }

  /// Whether nothing was filtered out, as far as one can see.
  [[nodiscard]] bool is_whole() const {
    if (excerpt_ || ends_inside_device()) return false;
    if (only_nvidia_) return true;
    bool others = false, gpus = false;
    std::set<std::string_view> classes;
    for (const auto& device : devices_) {
      gpus = gpus || device.is_gpu();
      others = others || !is_nvidia(device.name);
      classes.insert(device.class_name.empty() ? device.class_code : device.class_name);
    }
    // Without any GPU it may be `lspci | grep Ethernet`; a machine has devices of many classes.
    constexpr std::size_t many = 4;
    return others && (gpus || classes.size() >= many);
  }

  /// Only a line of a list can be whole without its end: "... (rev a1)".
  [[nodiscard]] bool ends_inside_device() const {
    // Blocks end with an empty line, or, where that was trimmed, with the driver.
    const bool block = devices_.empty() || devices_.back().line != lines_.line();
    if (!source_.ends_inside_line())
      return block && !trim(last_line_).empty() && !trim(last_line_).starts_with("Kernel ") &&
             last_line_.starts_with('\t');
    return block || !(last_line_.ends_with(')') || last_line_.ends_with(']'));
  }

  void record(const PciDevice& device) {
    const bool gpu = device.is_gpu();
    const std::string subject = (gpu ? "gpu:" : "pci:") + device.address;
    const PciDevice* const bridge = parent(device);
    if (gpu) record_gpu(device, subject);
    if (gpu || is_of_interest(device)) {
      record_names(device, subject);
      record_link(device, subject, gpu ? gpu_link : pci_link, bridge);
      record_printed(gpu ? "topology.affinity.numa"_id : "pci.numa"_id, subject, device.numa);
      record_printed("pci.iommu_group"_id, subject, device.iommu_group);
      record_printed("pci.driver"_id, subject, device.driver);
    }
    if (bridge != nullptr) {
      out_.line(device.line);
      out_.text("pci.parent"_id, "pci:" + device.address, bridge->address);
    }
    if (device.is_bridge()) record_bridge(device, subject);
  }

  void record_printed(Id id, const std::string& subject, const Printed<std::string>& printed) {
    if (printed.line == 0 || printed.value.empty()) return;
    out_.line(printed.line);
    out_.text(id, subject, printed.value);
  }

  void record_names(const PciDevice& device, const std::string& subject) {
    out_.line(device.line);
    out_.text("pci.name"_id, subject, device.name.text);
    if (!device.class_name.empty()) out_.text("pci.class"_id, subject, device.class_name);
  }

  void record_gpu(const PciDevice& device, const std::string& subject) {
    out_.line(device.line);
    out_.text("gpu.pci.address"_id, subject, device.address);
    if (!device.name.device.empty()) out_.text("gpu.pci.device_id"_id, subject, device.name.device);
    if (device.name.gone || device.gone_line != 0) {
      out_.line(device.gone_line != 0 ? device.gone_line : device.line);
      out_.flag("gpu.lost"_id, subject, true);
      out_.detail("lspci reads nothing but ones from it: it fell off the bus");
    }
    if (device.bar1.line != 0) {
      out_.line(device.bar1.line);
      if (device.bar1.value)
        out_.number("gpu.bar1.total"_id, subject, *device.bar1.value);
      else
        out_.absent("gpu.bar1.total"_id, subject, Absence::malformed,
                    "the firmware assigned no address to this region");
    }
    out_.line(device.line);
    if (const auto path = path_of(device)) record_gpu_path(out_, subject, *path);
  }

  /// A number with its remark, or that lspci read none.
  void record_link_value(Id id, const std::string& subject, const std::optional<double>& value,
                         const std::string& remark, std::string_view unreadable) {
    if (value)
      out_.number(id, subject, *value);
    else
      out_.absent(id, subject, Absence::not_supported, std::string(unreadable));
    if (value && !remark.empty()) out_.detail(remark);
  }

  void record_link(const PciDevice& device, const std::string& subject, const LinkIds& ids,
                   const PciDevice* bridge) {
    // Without the right to read it, the link is due and missing; a listing without -vv has none.
    if (device.capable.line == 0 && device.denied_line != 0) {
      out_.line(device.denied_line);
      for (const Id id : {ids.generation, ids.generation_max, ids.width, ids.width_max})
        out_.absent(id, subject, Absence::permission, "run lspci as root");
    }
    if (device.capable.line != 0) {
      out_.line(device.capable.line);
      const PciLink* const port =
          bridge != nullptr && bridge->capable.line != 0 ? &bridge->capable : nullptr;
      auto generation = device.capable.generation;
      std::string remark = port == nullptr ? "of the device alone: its port isn't listed" : "";
      if (port != nullptr && generation && port->generation && *port->generation < *generation) {
        remark = fmt::format("the device has generation {}, its port less", *generation);
        generation = port->generation;
      }
      record_link_value(ids.generation_max, subject, generation, remark, "speed unknown");
      remark.clear();
      if (port != nullptr && device.capable.width && port->width &&
          *port->width < *device.capable.width)
        remark = fmt::format("the port has {} lanes", *port->width);
      record_link_value(ids.width_max, subject, device.capable.width, remark, "width unknown");
    }
    if (device.current.line != 0) {
      out_.line(device.current.line);
      record_link_value(ids.generation, subject, device.current.generation,
                        device.current.generation_words, "speed unknown");
      record_link_value(ids.width, subject, device.current.width, device.current.width_words,
                        "no lanes, as of a link that is virtual or down");
    }
  }

  /// Bridges matter for what they do to peer traffic; the rest is above, in pci.parent.
  void record_bridge(const PciDevice& device, const std::string& subject) {
    if (device.acs.line != 0) {
      record_names(device, subject);
      out_.line(device.acs.line);
      out_.flag("pci.acs"_id, subject, acs_redirects(device.acs.value));
      out_.detail(device.acs.value);
    } else if (device.denied_line != 0) {
      out_.line(device.denied_line);
      out_.absent("pci.acs"_id, subject, Absence::permission, "run lspci as root");
    }
  }

  void record_count() {
    if (!whole_) return;
    const auto gpus = std::ranges::count_if(devices_, &PciDevice::is_gpu);
    const auto others = std::ranges::count_if(devices_, is_other_accelerator);
    out_.line(0);
    out_.number("node.gpu.attached"_id, "node", static_cast<double>(gpus));
    if (others != 0) {
      const auto first = std::ranges::find_if(devices_, is_other_accelerator);
      out_.detail(fmt::format("besides {} of other makers, which aren't judged: {}", others,
                              first->name.text));
    }
  }

  WatchedSource source_;
  LineReader lines_;
  Recorder& out_;
  std::vector<PciDevice> devices_;
  std::map<std::string, std::size_t> by_address_, by_bus_;
  std::vector<std::string> redirecting_;
  std::string last_line_;
  std::size_t open_ = 0, acs_lines_ = 0;
  bool excerpt_ = false, only_nvidia_ = false, whole_ = false, shows_tree_ = false;
};

/// A PCI address and a class that lspci names, near the top.
bool recognises(std::string_view head) {
  constexpr int lines_that_count = 12;
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  for (int seen = 0; seen < lines_that_count && !head.empty();) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = head.substr(0, std::min<std::size_t>(end, 1024));
    head.remove_prefix(std::min(end + 1, head.size()));
    const auto text = trim(line);
    if (text.empty()) continue;
    ++seen;
    if (text.starts_with("ACSCtl: SrcValid") || contains(text.substr(0, 64), "lspci: "))
      return true;
    if (text.starts_with("LnkSta:") || text.starts_with("LnkCap:")) return true;
    const auto device = read_pci_device(line);
    if (!device) continue;
    if (!device->class_code.empty() && !device->name.text.empty()) return true;
    for (const std::string_view word : {"controller", "bridge", "Bridge", "IOMMU", "device", "port",
                                        "accelerators", "peripheral", "memory", "Instrumentation"})
      if (device->class_name.ends_with(word)) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer lspci() {
  return {.kind = "lspci",
          .title = "lspci",
          .obtain = "sudo lspci -nnvvv > lspci.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
