// SPDX-License-Identifier: Apache-2.0
// NVMe drives, from /sys/class/nvme and /sys/block.
#include <fmt/format.h>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::string_view controllers = "/sys/class/nvme", blocks = "/sys/block";
constexpr double sector = 512;

/// Bytes of all namespaces of one controller: /sys/block/nvme0n1, nvme0n2, ...
double capacity(const platform::Root& root, const std::string& controller) {
  double out = 0;
  for (const auto& name : root.list(blocks).value_or(std::vector<std::string>{})) {
    if (!name.starts_with(controller + "n")) continue;
    if (const auto sectors = root.line(fmt::format("{}/{}/size", blocks, name)))
      out += parse_number(*sectors).value_or(0) * sector;
  }
  return out;
}

}  // namespace

Result<void> collect_drives(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  Recorder recorder(out.evidence,
                    provenance_of(machine, std::string(controllers), std::string(controllers)));
  const auto names = root.list(controllers);
  std::size_t drives = 0;
  double total = 0;
  for (const auto& name : names.value_or(std::vector<std::string>{})) {
    const std::string at = fmt::format("{}/{}/", controllers, name);
    const std::string subject = "drive:" + printable(name);
    const auto transport = root.line(at + "transport");
    if (transport && *transport != "pcie") continue;  // a fabric's drive is no part of the server
    ++drives;
    recorder.text("drive.bus"_id, subject, "nvme");
    const auto text = [&](Id id, const char* file) {
      const auto value = root.line(at + file);
      if (value && !value->empty()) recorder.text(id, subject, printable(*value));
    };
    text("drive.model"_id, "model");
    text("drive.serial"_id, "serial");
    text("drive.firmware"_id, "firmware_rev");
    if (const double bytes = capacity(root, name); bytes > 0) {
      recorder.number("drive.capacity"_id, subject, bytes);
      total += bytes;
    }
  }
  // Without the class there is no NVMe driver, and so no such drive that could be used.
  recorder.number("node.drive.nvme.count"_id, "node", static_cast<double>(drives));
  if (drives > 0) recorder.number("node.drive.nvme.capacity"_id, "node", total);
  return {};
}

}  // namespace gpuvet::collect
