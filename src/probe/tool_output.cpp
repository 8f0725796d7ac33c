// SPDX-License-Identifier: Apache-2.0
#include "probe/tool_output.hpp"

#include "core/text.hpp"

namespace gpuvet::probe {

Result<void> take_output(Context& context, const std::string& name, std::string bytes,
                         const std::function<void(Observation&)>& change) {
  context.keep(name, bytes);
  const auto* importer = ingest::recognise(std::string_view(bytes).substr(0, 65536));
  if (importer == nullptr)
    return fail(Errc::malformed, name + ": printed something that nobody knows");
  Evidence evidence;
  Provenance provenance = context.out->provenance();
  provenance.source = name;
  Recorder recorder(evidence, std::move(provenance));
  MemorySource source{bytes};
  GPUVET_CHECK(in_context(importer->read(source, recorder), name));
  for (auto& observation : evidence.observations) change(observation);
  context.out->append(std::move(evidence));
  return {};
}

std::string last_words(std::string_view output) {
  std::string_view last;
  for (const auto line : split(output, '\n'))
    if (const auto words = trim(line); !words.empty() && !words.starts_with("----")) last = words;
  return printable(last.substr(0, 200));
}

bool simulated(const Context& context) {
  return !context.devices.empty() &&
         context.devices.front()->properties().backend == device::Backend::sim;
}

}  // namespace gpuvet::probe
