// SPDX-License-Identifier: Apache-2.0
#include "sim/tree.hpp"

#include <fmt/format.h>

#include <cmath>

#include "core/text.hpp"
#include "sim/render.hpp"
#include "sim/tree_parts.hpp"

namespace gpuvet::sim {
namespace {

/// A record of /dev/kmsg: "6,12,345678,-;text"; the kernel's own facility is 0.
std::string kernel_record(const LogLine& line, std::size_t number) {
  return fmt::format("{},{},{:.0f},-;{}\n", line.level, number, std::round(line.at * 1e6),
                     line.text);
}

void write_log(const World& world, TreeWriter& out) {
  std::string text;
  for (std::size_t i = 0; i < world.log.size(); ++i) text += kernel_record(world.log[i], i);
  out.file("/dev/kmsg", std::move(text));
}

/// The job's variables, as a process of it would find them.
void write_environment(const World& world, TreeWriter& out) {
  std::string text;
  for (const auto& [name, value] : world.environment) text += name + "=" + value + '\0';
  out.file("/proc/self/environ", std::move(text));
}

/// Programs cannot run inside a tree, so what they would print lies in it.
void write_tool_outputs(const World& world, TreeWriter& out) {
  const auto at = [](const char* name) { return std::string(tool_outputs) + name; };
  out.file(at("chronyc.txt"), render_chronyc(world));
  if (world.sensors.empty()) return;
  out.file("/dev/ipmi0", "");
  out.file(at("ipmi-mc.txt"), render_ipmi_controller(world));
  out.file(at("ipmi-fru.txt"), render_ipmi_fru(world));
  out.file(at("ipmi-sdr.txt"), render_ipmi_sensors(world));
  out.file(at("ipmi-sel.txt"), render_ipmi_log(world));
}

}  // namespace

void TreeWriter::link(const std::string& path, std::string_view to) {
  const auto from = split(std::string_view(path).substr(1), '/');
  const auto target = split(to.substr(1), '/');
  std::size_t shared = 0;
  // A link upwards still names what it leads to, as the kernel writes them.
  while (shared + 1 < from.size() && shared + 1 < target.size() && from[shared] == target[shared])
    ++shared;
  std::string out;
  for (std::size_t i = shared; i + 1 < from.size(); ++i) out += "../";
  for (std::size_t i = shared; i < target.size(); ++i)
    out += std::string(target[i]) + (i + 1 < target.size() ? "/" : "");
  put({path, {}, out, false});
}

std::vector<TreeFile> TreeWriter::take() {
  std::vector<TreeFile> out;
  for (auto& [path, file] : files_) out.push_back(std::move(file));
  files_.clear();
  return out;
}

std::vector<int> numbers_in(std::string_view list) {
  std::vector<int> out;
  for (const auto part : split(list, ',')) {
    const auto dash = part.find('-');
    const auto first = parse_integer(part.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : parse_integer(part.substr(dash + 1));
    if (!first || !last) continue;
    for (auto n = *first; n <= *last; ++n) out.push_back(static_cast<int>(n));
  }
  return out;
}

Result<std::vector<TreeFile>> tree_of(const World& world) {
  for (const auto& gpu : world.gpus)
    if (gpu.place.path.empty())
      return fail(Errc::malformed, fmt::format("GPU {} hangs nowhere", gpu.index));
  TreeWriter out;
  write_pci(world, out);
  write_processors(world, out);
  write_adapters(world, out);
  write_drives(world, out);
  write_driver(world, out);
  write_firmware(world, out);
  write_log(world, out);
  write_environment(world, out);
  write_tool_outputs(world, out);
  return out.take();
}

}  // namespace gpuvet::sim
