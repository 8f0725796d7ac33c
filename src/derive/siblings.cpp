// SPDX-License-Identifier: Apache-2.0
// Whether the GPUs of the server are alike: the distinct values among them.
#include <algorithm>
#include <set>

#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

/// Last value per GPU of `id`; nothing unless at least two GPUs have one.
std::vector<const Observation*> per_gpu(const Evidence& evidence,
                                        const std::vector<std::string>& gpus, Id id) {
  std::vector<const Observation*> out;
  for (const auto& gpu : gpus)
    if (const auto* o = find(evidence, id, gpu)) out.push_back(o);
  if (out.size() < 2) out.clear();
  return out;
}

void distinct_texts(const Evidence& evidence, const std::vector<std::string>& gpus, Id from, Id to,
                    Evidence& found) {
  const auto sources = per_gpu(evidence, gpus, from);
  if (sources.empty()) return;
  std::set<std::string> values;
  for (const auto* o : sources)
    if (o->text() != nullptr) values.insert(*o->text());
  Recorder(found, derived_from(sources)).texts(to, "node", {values.begin(), values.end()});
}

void distinct_numbers(const Evidence& evidence, const std::vector<std::string>& gpus, Id from,
                      Id to, Evidence& found) {
  const auto sources = per_gpu(evidence, gpus, from);
  if (sources.empty()) return;
  std::set<double> values;
  for (const auto* o : sources)
    if (o->number() != nullptr) values.insert(*o->number());
  Recorder(found, derived_from(sources)).numbers(to, "node", {values.begin(), values.end()});
}

}  // namespace

void compare_siblings(Evidence& evidence) {
  const auto gpus = gpus_of(evidence);
  Evidence found;
  distinct_texts(evidence, gpus, "gpu.name"_id, "uniformity.gpu.sku"_id, found);
  distinct_numbers(evidence, gpus, "gpu.memory.total"_id, "uniformity.gpu.memory"_id, found);
  distinct_texts(evidence, gpus, "gpu.vbios.version"_id, "uniformity.gpu.vbios"_id, found);
  distinct_numbers(evidence, gpus, "gpu.power.limit"_id, "uniformity.gpu.power_limit"_id, found);
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
