// SPDX-License-Identifier: Apache-2.0
// The PCI tree in /sys: where GPUs and adapters hang, how fast their links are, which bridges
// redirect traffic between peers, what the IOMMU does.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::string_view devices = "/sys/bus/pci/devices";

/// PCI addresses in "../../../devices/pci0000:80/0000:80:01.1/0000:81:00.0", root port first.
std::vector<std::string> path_in(std::string_view link) {
  std::vector<std::string> out;
  for (const auto part : split(link, '/'))
    if (part.size() == 12 && part[4] == ':' && part[7] == ':')
      if (auto address = pci_address(part)) out.push_back(std::move(*address));
  return out;
}

/// "pci0000:80" of the same link: the root complex.
std::string root_in(std::string_view link) {
  for (const auto part : split(link, '/'))
    if (part.size() == 10 && part.starts_with("pci")) return std::string(part.substr(3));
  return {};
}

/// "16.0 GT/s PCIe" -> 4.
std::optional<int> generation_of(std::string_view speed) {
  constexpr std::array<std::string_view, 6> rates = {"2.5", "5.0", "8.0", "16.0", "32.0", "64.0"};
  const auto rate = speed.substr(0, speed.find(' '));
  for (std::size_t i = 0; i < rates.size(); ++i)
    if (rate == rates[i] || rate == rates[i].substr(0, rates[i].find(".0")))
      return static_cast<int>(i) + 1;
  return {};
}

std::uint32_t word_at(std::string_view config, std::size_t at) {
  std::uint32_t out = 0;
  for (std::size_t i = 4; i-- > 0;) out = out << 8U | static_cast<unsigned char>(config[at + i]);
  return out;
}

/// Whether the ACS capability of a bridge redirects requests or completions of peers upstream;
/// nothing when the configuration space was not readable that far, or the bridge has no ACS.
std::optional<bool> acs_redirects(std::string_view config) {
  constexpr std::size_t extended = 0x100, most_capabilities = 96;
  constexpr std::uint32_t acs = 0x000d, request_redirect = 1U << 2U, completion_redirect = 1U << 3U;
  std::size_t at = extended;
  for (std::size_t i = 0; i < most_capabilities && at >= extended && at + 8 <= config.size(); ++i) {
    const auto header = word_at(config, at);
    if ((header & 0xffffU) == acs)
      return (word_at(config, at + 4) >> 16U & (request_redirect | completion_redirect)) != 0;
    at = header >> 20U;
  }
  return {};
}

struct Device {
  std::string address, link, class_code, vendor, device;
  [[nodiscard]] bool is(std::string_view prefix) const { return class_code.starts_with(prefix); }
  /// 3D controllers and NVIDIA's VGA-class boards.
  [[nodiscard]] bool is_gpu() const { return vendor == "0x10de" && (is("0x0302") || is("0x0300")); }
  [[nodiscard]] bool is_adapter() const { return is("0x0200") || is("0x0207") || is("0x0280"); }
  [[nodiscard]] bool is_bridge() const { return is("0x0604"); }
};

class Reader {
 public:
  Reader(const Machine& machine, Recorder& out) : root_{machine.root}, out_{out} {}

  void read(const Device& d) {
    const std::string at = fmt::format("{}/{}/", devices, d.address);
    if (d.is_gpu() || d.is_adapter()) record_place(d, at);
    if (d.is_bridge()) record_acs(d, at);
  }
  void finish() {
    if (!redirecting_.empty() || acs_readable_)
      out_.texts("node.acs.enabled"_id, "node", {redirecting_.begin(), redirecting_.end()});
    else if (bridges_ > 0)
      out_.absent("node.acs.enabled"_id, "node", Absence::permission,
                  "reading a bridge's extended configuration needs root");
  }

 private:
  void record_place(const Device& d, const std::string& at) {
    const bool gpu = d.is_gpu();
    const std::string subject = (gpu ? "gpu:" : "nic:") + d.address;
    const auto path = path_in(d.link);
    if (gpu) {
      out_.text("gpu.pci.address"_id, subject, d.address);
      out_.text("gpu.pci.device_id"_id, subject,
                d.device.substr(std::min<std::size_t>(2, d.device.size())));
    } else {
      out_.text("nic.pci.address"_id, subject, d.address);
    }
    out_.texts(gpu ? "gpu.pci.path"_id : "nic.pci.path"_id, subject, path);
    if (const auto root = root_in(d.link); !root.empty())
      out_.text(gpu ? "gpu.pci.root"_id : "nic.pci.root"_id, subject, root);
    // Root port, switches' ports in pairs, the device: what it shares is the topmost switch port.
    if (path.size() > 1) {
      const std::size_t shared = path.size() > 2 ? 1 : 0;
      out_.text(gpu ? "gpu.pci.upstream"_id : "nic.pci.upstream"_id, subject, path[shared]);
      if (gpu)
        out_.number("gpu.pci.switches"_id, subject, static_cast<double>((path.size() - 2) / 2));
    }
    if (const auto node = root_.line(at + "numa_node"); node && *node != "-1")
      out_.text(gpu ? "topology.affinity.numa"_id : "nic.numa"_id, subject, printable(*node));
    if (gpu) {
      const auto driver = root_.link_name(at + "driver");
      out_.text("gpu.kernel_driver"_id, subject, driver ? printable(*driver) : "none");
      if (const auto cpus = root_.line(at + "local_cpulist"); cpus && !cpus->empty())
        out_.text("topology.affinity.cpu"_id, subject, printable(*cpus));
    }
    record_link(gpu, subject, at);
  }

  void record_link(bool gpu, const std::string& subject, const std::string& at) {
    const auto number = [&](Id id, const char* file, bool speed) {
      const auto text = root_.line(at + file);
      if (!text) return;
      const auto value = speed ? generation_of(*text)
                               : std::optional(static_cast<int>(parse_integer(*text).value_or(0)));
      if (value && *value > 0) out_.number(id, subject, *value);
    };
    if (gpu) return;  // NVML says it of GPUs, and knows which of both ends is the slower
    number("nic.pcie.generation.max"_id, "max_link_speed", true);
    number("nic.pcie.width.max"_id, "max_link_width", false);
  }

  void record_acs(const Device& d, const std::string& at) {
    ++bridges_;
    const auto config = root_.read(at + "config", 4096);
    if (!config) return;
    const auto redirects = acs_redirects(*config);
    if (config->size() > 256) acs_readable_ = true;
    if (redirects && *redirects) redirecting_.insert(d.address);
  }

  const platform::Root& root_;
  Recorder& out_;
  std::set<std::string> redirecting_;
  std::size_t bridges_ = 0;
  bool acs_readable_ = false;
};

/// How the IOMMU treats the first GPU, or any device: as its group's type says.
void record_iommu(const platform::Root& root, const std::vector<Device>& all, Recorder& out) {
  const auto groups = root.list("/sys/kernel/iommu_groups");
  if (!groups || groups->empty()) return out.text("node.iommu"_id, "node", "disabled");
  std::string type;
  for (const auto& d : all) {
    if (!d.is_gpu() && !type.empty()) continue;
    if (const auto of = root.line(fmt::format("{}/{}/iommu_group/type", devices, d.address)))
      type = *of;
    if (d.is_gpu() && !type.empty()) break;
  }
  out.text("node.iommu"_id, "node", type == "identity" ? "passthrough" : "enabled");
}

/// What the driver has and what is plugged in may differ; a bus of which nothing could be read says
/// nothing.
void record_gpus(const std::vector<Device>& all, Recorder& out) {
  if (all.empty() ||
      std::any_of(all.begin(), all.end(), [](const Device& d) { return d.vendor.empty(); }))
    return;
  const auto gpus =
      std::count_if(all.begin(), all.end(), [](const Device& d) { return d.is_gpu(); });
  out.number("node.gpu.on_bus"_id, "node", static_cast<double>(gpus));
  if (gpus == 0)
    out.detail(fmt::format("none of the {} devices on the PCI bus is an NVIDIA GPU", all.size()));
}

}  // namespace

Result<void> collect_pci(const Machine& machine, Collected& out) {
  GPUVET_TRY(const auto addresses, machine.root.list(devices));
  Recorder recorder(out.evidence, provenance_of(machine, "/sys/bus/pci", std::string(devices)));
  Reader reader(machine, recorder);
  std::vector<Device> all;
  for (const auto& address : addresses) {
    const std::string at = fmt::format("{}/{}/", devices, address);
    Device d;
    d.address = pci_address(address).value_or(address);
    const auto link = machine.root.link(fmt::format("{}/{}", devices, address));
    d.link = link ? *link : address;
    const auto read = [&](const char* file) {
      const auto text = machine.root.line(at + file);
      return text ? *text : std::string();
    };
    d.class_code = read("class");
    d.vendor = read("vendor");
    d.device = read("device");
    reader.read(d);
    all.push_back(std::move(d));
  }
  reader.finish();
  record_gpus(all, recorder);
  record_iommu(machine.root, all, recorder);
  return {};
}

}  // namespace gpuvet::collect
