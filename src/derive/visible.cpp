// SPDX-License-Identifier: Apache-2.0
// GPUs of the machine that programs here cannot use: given to another driver, not handed into the
// container, kept from CUDA by a variable. What was not seen was not judged.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

double count_of(const Evidence& evidence, Id id) {
  const auto* o = find(evidence, id, "node");
  return o == nullptr || o->number() == nullptr ? -1 : *o->number();
}

/// GPUs that the driver's own library counted, on the machine itself.
const Observation* counted_by_driver(const Evidence& evidence) {
  for (const auto* o : all_of(evidence, "node.gpu.attached"_id))
    if (o->number() != nullptr && o->provenance != nullptr && o->provenance->tool == "NVML")
      return o;
  return nullptr;
}

/// Those on the bus that the driver's library does not number.
void not_shown(const Evidence& evidence, double attached, std::vector<std::string>& out) {
  if (count_of(evidence, "node.gpu.on_bus"_id) <= attached) return;
  const auto* container = find(evidence, "node.container"_id, "node");
  const bool inside =
      container != nullptr && container->text() != nullptr && *container->text() != "none";
  for (const auto* o : all_of(evidence, "gpu.kernel_driver"_id)) {
    if (o->text() == nullptr || find(evidence, "gpu.index"_id, o->subject) != nullptr) continue;
    const auto place = o->subject.substr(o->subject.find(':') + 1);
    if (*o->text() == "none")
      out.push_back(place + ": no kernel driver has it");
    else if (*o->text() != "nvidia")
      out.push_back(fmt::format("{}: the driver {} has it", place, *o->text()));
    else if (inside)
      out.push_back(
          fmt::format("{}: not handed into this container ({})", place, *container->text()));
    else
      out.push_back(place +
                    ": NVIDIA's driver has it and does not show it; the kernel log says why");
  }
}

/// CUDA_VISIBLE_DEVICES=0,1 leaves two to every program of this environment.
void kept_by_variable(const Evidence& evidence, double attached, std::vector<std::string>& out) {
  constexpr std::string_view variable = "CUDA_VISIBLE_DEVICES=";
  for (const auto* o : all_of(evidence, "nccl.environment"_id)) {
    const auto* list = o->as<std::vector<std::string>>();
    if (list == nullptr) continue;
    for (const std::string_view set : *list) {
      if (!set.starts_with(variable) || contains(set, "MIG-")) continue;
      const auto value = set.substr(variable.size());
      const auto left = value.empty() ? 0 : std::count(value.begin(), value.end(), ',') + 1;
      if (static_cast<double>(left) < attached)
        out.push_back(fmt::format("{} leaves {} of {:.0f} to CUDA", set, left, attached));
    }
  }
}

}  // namespace

void find_hidden_gpus(Evidence& evidence) {
  const auto* driver = counted_by_driver(evidence);
  if (driver == nullptr) return;  // it could not be asked: nothing to compare with
  const double attached = *driver->number();
  std::vector<std::string> hidden;
  not_shown(evidence, attached, hidden);
  const double files = count_of(evidence, "node.gpu.device_nodes"_id);
  const double listed = std::min(attached, count_of(evidence, "node.gpu.driver"_id));
  if (files >= 0 && files < listed)
    hidden.push_back(fmt::format("/dev has files of {:.0f} of {:.0f} GPUs", files, listed));
  kept_by_variable(evidence, attached, hidden);
  Evidence found;
  Recorder(found, derived_from({driver, find(evidence, "node.gpu.on_bus"_id, "node")}))
      .texts("node.gpu.hidden"_id, "node", std::move(hidden));
  evidence.append(std::move(found));
}

}  // namespace gpuvet::derive
