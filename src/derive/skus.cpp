// SPDX-License-Identifier: Apache-2.0
// Which catalogue entry each GPU is, and what the server holds in all.
#include <algorithm>
#include <set>

#include "derive/steps.hpp"

namespace gpuvet::derive {

void recognise_skus(Evidence& evidence, const catalogue::Catalogue& catalogue) {
  Evidence found;
  std::set<std::string> skus;
  std::vector<const Observation*> sources;
  double memory = 0;
  std::size_t with_memory = 0, named = 0;
  bool built_in = false, capable = false;
  const auto gpus = gpus_of(evidence);
  for (const auto& gpu : gpus) {
    const auto* product = find(evidence, "gpu.name"_id, gpu);
    const auto* device = find(evidence, "gpu.pci.device_id"_id, gpu);
    const auto* total = find(evidence, "gpu.memory.total"_id, gpu);
    if (total != nullptr && total->number() != nullptr) {
      memory += *total->number();
      ++with_memory;
    }
    const auto said = [](const Observation* o) {
      return o != nullptr && o->text() != nullptr ? *o->text() : std::string();
    };
    const std::string product_name = said(product), device_id = said(device);
    if (product_name.empty() && device_id.empty()) continue;
    ++named;
    sources.push_back(product_name.empty() ? device : product);
    Recorder out(found, derived_from({product, device}));
    const auto* sku = catalogue.gpu_matching(product_name, device_id);
    out.flag("gpu.datacenter"_id, gpu, sku != nullptr && sku->datacenter);
    if (sku == nullptr) {
      out.absent(
          "gpu.sku"_id, gpu, Absence::not_asked,
          "the catalogue has no '" + (product_name.empty() ? device_id : product_name) + "'");
      continue;
    }
    out.text("gpu.sku"_id, gpu, sku->id);
    skus.insert(sku->id);
    built_in = built_in || sku->nvlink_attach == "module";
    capable = capable || sku->nvlink_attach != "none";
  }
  Recorder out(found, derived_from(sources));
  if (skus.size() == 1 && named == gpus.size()) {
    out.text("node.gpu.sku"_id, "node", *skus.begin());
    out.flag("topology.nvlink.capable"_id, "node", capable);
    out.flag("topology.nvlink.built_in"_id, "node", built_in);
  }
  if (with_memory > 0 && with_memory == gpus.size())
    out.number("node.gpu.memory"_id, "node", memory);
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
