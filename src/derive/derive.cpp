// SPDX-License-Identifier: Apache-2.0
#include "derive/derive.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {

Evidence derive(Evidence evidence, const catalogue::Catalogue& catalogue, const Options& options) {
  // Contradictions are looked for while every source still speaks for itself.
  join_identities(evidence);
  name_adapters(evidence);
  find_contradictions(evidence);
  recognise_skus(evidence, catalogue);
  understand_topology(evidence, catalogue);
  join_adapters(evidence);  // the matrix is read by its own numbers
  classify_xids(evidence, catalogue);
  analyse_thermal_logs(evidence, options);
  compare_siblings(evidence);
  compare_rates(evidence);
  count_parts(evidence);
  compare_parts(evidence);
  find_hidden_gpus(evidence);
  relate_host(evidence);
  return evidence;
}

Provenance derived_from(const std::vector<const Observation*>& sources) {
  Provenance out;
  out.how = How::derived;
  out.custody = Custody::own;
  out.tool = "gpuvet";
  for (const auto* source : sources) {
    if (source == nullptr || source->provenance == nullptr) continue;
    out.custody = std::max(out.custody, source->provenance->custody);
    if (out.source.empty()) out.source = source->provenance->source;
    if (out.when.empty()) out.when = source->provenance->when;
  }
  return out;
}

std::vector<const Observation*> all_of(const Evidence& evidence, Id id) {
  std::vector<const Observation*> out;
  for (const auto& o : evidence.observations)
    if (o.id == id) out.push_back(&o);
  return out;
}

const Observation* find(const Evidence& evidence, Id id, std::string_view subject) {
  const Observation* out = nullptr;
  for (const auto& o : evidence.observations)
    if (o.id == id && o.subject == subject && o.get() != nullptr) out = &o;
  return out;
}

bool is_gpu(std::string_view subject) { return subject.substr(0, 4) == "gpu:"; }

std::vector<std::string> gpus_of(const Evidence& evidence) {
  auto out = gpus_listed(evidence);
  // By the tool's own order where it gives one: GPU 10 after GPU 9.
  const auto index = [&](const std::string& subject) {
    const auto* o = find(evidence, "gpu.index"_id, subject);
    if (o != nullptr && o->number() != nullptr) return *o->number();
    const auto hash = subject.find('#');
    return hash == std::string::npos ? 1e9 : parse_number(subject.substr(hash + 1)).value_or(1e9);
  };
  std::stable_sort(out.begin(), out.end(),
                   [&](const auto& a, const auto& b) { return index(a) < index(b); });
  return out;
}

std::string pair_name(std::string_view a, std::string_view b) {
  return std::string(a.substr(a.find(':') + 1)) + "~" + std::string(b.substr(b.find(':') + 1));
}

}  // namespace gpuvet::derive
