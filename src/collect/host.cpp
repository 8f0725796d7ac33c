// SPDX-License-Identifier: Apache-2.0
// Processors, NUMA nodes, memory and the machine's name, from /proc and /sys.
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::string_view cpus = "/sys/devices/system/cpu", nodes = "/sys/devices/system/node";

/// "cpu12" -> 12; nothing for "cpufreq".
std::optional<std::int64_t> numbered(std::string_view name, std::string_view before) {
  if (!name.starts_with(before)) return {};
  return parse_integer(name.substr(before.size()));
}

struct Processors {
  std::set<std::string> sockets;
  std::set<std::pair<std::string, std::string>> cores;  ///< socket, core
  std::size_t threads = 0;
};

Result<Processors> processors(const platform::Root& root) {
  GPUVET_TRY(const auto entries, root.list(cpus));
  Processors out;
  for (const auto& entry : entries) {
    if (!numbered(entry, "cpu")) continue;
    const std::string at = fmt::format("{}/{}/topology/", cpus, entry);
    const auto socket = root.line(at + "physical_package_id");
    const auto core = root.line(at + "core_id");
    if (!socket || !core) continue;  // offline
    out.sockets.insert(*socket);
    out.cores.emplace(*socket, *core);
    ++out.threads;
  }
  return out;
}

void record_model(const platform::Root& root, Recorder& out) {
  constexpr std::size_t most = std::size_t{4} << 20;
  const auto text = root.read("/proc/cpuinfo", most);
  if (!text) return out.absent("node.cpu.model"_id, "node", Absence::permission);
  // On x86 every guest's processor says that it is one; others have no such flag.
  for (const auto line : split(*text, '\n'))
    if (line.starts_with("flags")) {
      const bool guest = contains(std::string(line) + " ", " hypervisor ");
      out.text("node.virtualization"_id, "node", guest ? "unnamed hypervisor" : "none");
      break;
    }
  for (const auto line : split(*text, '\n'))
    if (line.starts_with("model name"))
      return out.text("node.cpu.model"_id, "node",
                      printable(trim(line.substr(std::min(line.size(), line.find(':') + 1)))));
  out.absent("node.cpu.model"_id, "node", Absence::not_supported);
}

/// Governors that are not "performance" let the processors doze between two launches.
void record_governors(const platform::Root& root, Recorder& out) {
  std::map<std::string, std::size_t> governors;
  if (const auto entries = root.list(cpus))
    for (const auto& entry : *entries)
      if (numbered(entry, "cpu"))
        if (const auto governor =
                root.line(fmt::format("{}/{}/cpufreq/scaling_governor", cpus, entry)))
          ++governors[*governor];
  if (governors.empty()) return out.absent("node.cpu.governor"_id, "node", Absence::not_supported);
  std::vector<std::string> names;
  for (const auto& [name, count] : governors) names.push_back(printable(name));
  out.texts("node.cpu.governor"_id, "node", std::move(names));
}

void record_nodes(const platform::Root& root, Recorder& out) {
  const auto entries = root.list(nodes);
  if (!entries) return out.absent("node.cpu.numa_nodes"_id, "node", Absence::not_supported);
  std::size_t with_cpus = 0;
  for (const auto& entry : *entries) {
    const auto number = numbered(entry, "node");
    if (!number) continue;
    const std::string at = fmt::format("{}/{}/", nodes, entry);
    const std::string subject = fmt::format("numa:{}", *number);
    const auto list = root.line(at + "cpulist");
    if (list && !list->empty()) {
      ++with_cpus;
      out.text("numa.cpus"_id, subject, printable(*list));
    }
    const auto memory = root.read(at + "meminfo");
    if (!memory) continue;
    for (const auto line : split(*memory, '\n')) {
      const auto parts = words(line);  // Node 0 MemTotal: 527988256 kB
      if (parts.size() < 4) continue;
      const auto kibi = parse_number(parts[3]);
      if (kibi && parts[2] == "MemTotal:") out.number("numa.memory"_id, subject, *kibi * 1024);
      if (kibi && parts[2] == "MemFree:") out.number("numa.memory.free"_id, subject, *kibi * 1024);
    }
  }
  if (with_cpus > 0) out.number("node.cpu.numa_nodes"_id, "node", static_cast<double>(with_cpus));
}

}  // namespace

Result<void> collect_host(const Machine& machine, Collected& out) {
  const auto& root = machine.root;
  Recorder recorder(out.evidence, provenance_of(machine, "gpuvet collect host", "/sys, /proc"));
  // "(none)" is the kernel's own, before anybody names the machine.
  if (const auto name = root.line("/proc/sys/kernel/hostname");
      name && !name->empty() && *name != "(none)")
    recorder.text("node.hostname"_id, "node", printable(*name));
  if (const auto version = root.line("/proc/sys/kernel/osrelease"))
    recorder.text("node.kernel.version"_id, "node", printable(*version));
  record_model(root, recorder);
  if (const auto found = processors(root); found && found->threads > 0) {
    recorder.number("node.cpu.sockets"_id, "node", static_cast<double>(found->sockets.size()));
    recorder.number("node.cpu.cores"_id, "node", static_cast<double>(found->cores.size()));
    recorder.number("node.cpu.threads"_id, "node", static_cast<double>(found->threads));
  } else {
    recorder.absent("node.cpu.cores"_id, "node", Absence::not_supported);
  }
  record_governors(root, recorder);
  record_nodes(root, recorder);
  return {};
}

Result<void> collect_memory(const Machine& machine, Collected& out) {
  GPUVET_TRY(auto text, machine.root.read("/proc/meminfo"));
  for (const auto line : split(text, '\n')) {
    if (!line.starts_with("HugePages_Total:")) continue;
    if (const auto pages = parse_number(trim(line.substr(line.find(':') + 1)))) {
      Recorder recorder(out.evidence, provenance_of(machine, "/proc/meminfo", "/proc/meminfo"));
      recorder.number("node.hugepages"_id, "node", *pages);
    }
  }
  out.sources.push_back({"meminfo.txt", "memory_usage", std::move(text)});
  return {};
}

}  // namespace gpuvet::collect
