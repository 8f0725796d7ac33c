// SPDX-License-Identifier: Apache-2.0
// Kernel modules that the driver and GPUDirect need, and the services beside them.
#include <fmt/format.h>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {

Result<void> collect_driver_modules(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  Recorder recorder(out.evidence, provenance_of(machine, "/sys/module", "/sys/module"));
  const auto loaded = [&](std::string_view name) {
    return root.exists(fmt::format("/sys/module/{}", name));
  };
  if (!root.exists("/sys/module")) return fail(Errc::not_found, "/sys/module is not there");
  if (!loaded("nvidia")) return {};  // without the driver none of these says anything
  recorder.flag("node.uvm"_id, "node", loaded("nvidia_uvm"));
  const bool peer = loaded("nvidia_peermem") || loaded("nv_peer_mem");
  if (peer) {
    recorder.flag("node.gpudirect.rdma"_id, "node", true);
  } else {
    // The open kernel modules offer dma-buf, which serves adapters without a module of its own.
    const auto licence = root.line("/sys/module/nvidia/version");
    const auto proc = root.read("/proc/driver/nvidia/version");
    const bool open = proc && contains(*proc, "Open Kernel Module");
    if (open)
      recorder.flag("node.gpudirect.rdma"_id, "node", true);
    else
      recorder.flag("node.gpudirect.rdma"_id, "node", false);
    recorder.detail(open ? "dma-buf of the open kernel modules" : "nvidia_peermem is not loaded");
  }
  if (const auto version = root.line("/sys/module/nvidia_fs/version")) {
    recorder.text("node.nvidia_fs.version"_id, "node", printable(*version));
    recorder.flag("node.gpudirect.storage"_id, "node", true);
  } else {
    recorder.flag("node.gpudirect.storage"_id, "node", false);
    recorder.detail("nvidia-fs is not loaded");
  }
  return {};
}

namespace {

/// Whether any process is called `name`: /proc/N/comm, which cuts names at 15 bytes.
bool runs(const platform::Root& root, const std::vector<std::string>& processes,
          std::string_view name) {
  for (const auto& process : processes)
    if (const auto comm = root.line(fmt::format("/proc/{}/comm", process)))
      if (*comm == name.substr(0, 15)) return true;
  return false;
}

}  // namespace

Result<void> collect_services(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  GPUVET_TRY(const auto entries, root.list("/proc"));
  std::vector<std::string> processes;
  for (const auto& entry : entries)
    if (parse_integer(entry)) processes.push_back(entry);
  Recorder recorder(out.evidence, provenance_of(machine, "/proc", "/proc"));
  // Only servers with NVSwitches need a fabric manager; its state means nothing elsewhere.
  const bool switches = root.exists("/dev/nvidia-nvswitchctl") ||
                        root.exists("/dev/nvidia-nvswitch0") ||
                        root.exists("/proc/driver/nvidia-nvswitch");
  if (switches)
    recorder.text("node.fabric_manager.state"_id, "node",
                  runs(root, processes, "nv-fabricmanager") ? "running" : "stopped");
  return {};
}

Result<void> collect_environment(const Machine& machine, Collected& out) {
  Recorder recorder(out.evidence,
                    provenance_of(machine, "gpuvet collect environment", "environment"));
  std::vector<std::string> set;
  for (const auto& [name, value] : machine.environment)
    if (name.starts_with("NCCL_") || name.starts_with("CUDA_") || name.starts_with("UCX_"))
      set.push_back(printable(name + "=" + value));
  recorder.texts("nccl.environment"_id, "node", std::move(set));
  return {};
}

namespace {

/// Adapters' clocks, and the programs that carry time from the network into them and on into the
/// system's clock. How far off they are only those programs' logs say.
void record_ptp(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  constexpr std::string_view classes = "/sys/class/ptp";
  Recorder recorder(out.evidence,
                    provenance_of(machine, std::string(classes), std::string(classes)));
  std::vector<std::string> clocks, services;
  for (const auto& name : root.list(classes).value_or(std::vector<std::string>{})) {
    const auto driven = root.line(fmt::format("{}/{}/clock_name", classes, name));
    clocks.push_back(printable(driven && !driven->empty() ? name + ": " + *driven : name));
  }
  recorder.texts("node.ptp.clocks"_id, "node", std::move(clocks));
  const auto entries = root.list("/proc");
  if (!entries) return;
  std::vector<std::string> processes;
  for (const auto& entry : *entries)
    if (parse_integer(entry)) processes.push_back(entry);
  for (const std::string_view name : {"phc2sys", "ptp4l", "timemaster"})
    if (runs(root, processes, name)) services.emplace_back(name);
  recorder.texts("node.ptp.services"_id, "node", std::move(services));
}

}  // namespace

Result<void> collect_clock(const Machine& machine, Collected& out) {
  record_ptp(machine, out);
  auto chrony =
      keep_output(machine, "chronyc", {"-n", "tracking"}, "chronyc.txt", "chronyc_tracking", out);
  if (chrony) return {};
  auto systemd =
      keep_output(machine, "timedatectl", {"status"}, "timedatectl.txt", "timedatectl", out);
  if (systemd) return {};
  Recorder recorder(out.evidence, provenance_of(machine, "gpuvet collect clock", ""));
  recorder.absent("node.clock.synchronised"_id, "node", Absence::not_supported,
                  "neither chronyc nor timedatectl answers");
  return {};
}

Result<void> collect_ipmi(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  if (!machine.tools.contains("ipmitool") && !root.exists("/dev/ipmi0") &&
      !root.exists("/dev/ipmi/0") && !root.exists("/dev/ipmidev/0"))
    return fail(Errc::not_found, "no management controller at /dev/ipmi0");
  struct Asked {
    std::vector<std::string> arguments;
    const char *file, *kind;
  };
  const std::vector<Asked> all = {{{"mc", "info"}, "ipmi-mc.txt", "ipmi_info"},
                                  {{"fru", "print"}, "ipmi-fru.txt", "ipmi_info"},
                                  {{"sdr", "elist"}, "ipmi-sdr.txt", "ipmi_sensors"},
                                  {{"sel", "elist"}, "ipmi-sel.txt", "ipmi_sel"}};
  Result<void> first = {};
  std::size_t kept = 0;
  for (const auto& one : all) {
    auto done = keep_output(machine, "ipmitool", one.arguments, one.file, one.kind, out);
    if (done)
      ++kept;
    else if (first)
      first = std::move(done);
  }
  return kept > 0 ? Result<void>{} : first;
}

}  // namespace gpuvet::collect
