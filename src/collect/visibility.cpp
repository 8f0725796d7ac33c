// SPDX-License-Identifier: Apache-2.0
// Which GPUs this process may see: in a container the bus shows all of the machine's, the driver
// and /dev those that were handed in.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

/// "kubernetes", "docker", "podman", "lxc", …; "none" outside any.
std::string container_kind(const Machine& machine) {
  const auto& root = machine.root;
  if (machine.environment.contains("KUBERNETES_SERVICE_HOST")) return "kubernetes";
  const auto groups = root.read("/proc/1/cgroup");
  if (groups && contains(*groups, "kubepods")) return "kubernetes";
  if (root.exists("/run/.containerenv")) return "podman";
  if (root.exists("/.dockerenv") || (groups && contains(*groups, "/docker"))) return "docker";
  // systemd writes here what it was started in: lxc, systemd-nspawn, wsl, …
  if (const auto said = root.line("/run/systemd/container"); said && !said->empty())
    return printable(*said);
  if (groups && contains(*groups, "/lxc")) return "lxc";
  // An ordinary machine's first process has a cgroup too: without one nothing was told.
  return groups ? "none" : "";
}

/// /dev/nvidia0, /dev/nvidia1, … and not nvidiactl.
std::size_t device_files(const platform::Root& root) {
  constexpr std::string_view prefix = "nvidia";
  const auto files = root.list("/dev").value_or(std::vector<std::string>{});
  return static_cast<std::size_t>(
      std::count_if(files.begin(), files.end(), [&](std::string_view name) {
        return name.starts_with(prefix) && name.size() > prefix.size() &&
               std::all_of(name.begin() + prefix.size(), name.end(),
                           [](char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; });
      }));
}

}  // namespace

Result<void> collect_visibility(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  Recorder recorder(out.evidence, provenance_of(machine, "gpuvet collect visibility", "/proc"));
  if (const auto kind = container_kind(machine); !kind.empty())
    recorder.text("node.container"_id, "node", kind);
  // Without the driver there is nothing to be hidden by it.
  const auto listed = root.list("/proc/driver/nvidia/gpus");
  if (!listed) return {};
  recorder.number("node.gpu.driver"_id, "node", static_cast<double>(listed->size()));
  recorder.number("node.gpu.device_nodes"_id, "node", static_cast<double>(device_files(root)));
  return {};
}

}  // namespace gpuvet::collect
