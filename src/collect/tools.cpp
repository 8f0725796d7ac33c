// SPDX-License-Identifier: Apache-2.0
#include "collect/collector.hpp"
#include "core/text.hpp"
#include "platform/process.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::size_t most_printed = std::size_t{16} << 20;

}  // namespace

Provenance provenance_of(const Machine& machine, std::string tool, std::string source) {
  Provenance out;
  out.how = How::reported;
  out.custody = machine.custody;
  out.tool = std::move(tool);
  out.source = std::move(source);
  out.when = platform::utc_now();
  return out;
}

Result<void> keep_output(const Machine& machine, std::string_view name,
                         std::vector<std::string> arguments, std::string source_name,
                         std::string kind, Collected& out) {
  // Tools speak of the machine they run on; a captured or simulated one has none.
  const auto given = machine.tools.find(name);
  if (given == machine.tools.end() && !machine.root.is_this_machine()) {
    auto printed = machine.root.read(std::string(tool_outputs) + source_name, most_printed);
    if (!printed)
      return fail(Errc::not_found,
                  std::string(name) + ": the captured machine holds nothing that it printed");
    out.sources.push_back({std::move(source_name), std::move(kind), std::move(*printed)});
    return {};
  }
  platform::Program program;
  if (given != machine.tools.end()) {
    program.path = given->second;
  } else {
    GPUVET_TRY(program.path, platform::find_tool(name));
  }
  program.arguments = std::move(arguments);
  GPUVET_TRY(auto finished, platform::run(program));
  if (finished.status != 0 && trim(finished.output).empty()) {
    const auto why = trim(std::string_view(finished.errors).substr(0, finished.errors.find('\n')));
    const bool denied = contains_ignoring_case(finished.errors, "permission denied") ||
                        contains_ignoring_case(finished.errors, "must be root");
    return fail(denied ? Errc::permission : Errc::vendor_failure,
                program.path + " ended with status " + std::to_string(finished.status) +
                    (why.empty() ? "" : ": " + printable(why)));
  }
  // ipmitool says "SEL has no entries" among its errors and calls that a success.
  auto& said = trim(finished.output).empty() ? finished.errors : finished.output;
  out.sources.push_back({std::move(source_name), std::move(kind), std::move(said)});
  return {};
}

}  // namespace gpuvet::collect
