// SPDX-License-Identifier: Apache-2.0
#include "accuracy/layered_rows.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

/// Letters and digits only: "GPT-2 large" and "gpt2_large" are one name.
std::string plain(std::string_view text) {
  std::string out;
  for (const char c : lower(text))
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) out += c;
  return out;
}

const catalogue::Gpu* similar_gpu(const Row& row, const World& world) {
  // "V100-PCIe-32" is the only V100 of the catalogue with "pcie" and "32gb" in its id.
  const auto parts = split(row.gpu_norm, '-');
  if (parts.size() < 2) return nullptr;
  const std::string memory =
      parts.size() > 2 && parts[2] != "?" ? std::string(parts[2]) + "gb" : "";
  for (const auto& gpu : world.catalogue.gpus) {
    if (gpu.id.rfind(lower(parts[0]) + "-", 0) != 0 && gpu.id.rfind(lower(parts[0]), 0) != 0)
      continue;
    const bool whole = gpu.id.size() == parts[0].size() || gpu.id[parts[0].size()] == '-';
    const bool form =
        contains(gpu.id, lower(parts[1])) || (parts[1] == "PCIe" && !contains(gpu.id, "sxm"));
    if (whole && form && contains(gpu.id, memory)) return &gpu;
  }
  return nullptr;
}

}  // namespace

std::optional<double> number_before(std::string_view text, std::string_view unit) {
  const std::string low = lower(text);
  for (std::size_t at = low.find(unit); at != std::string::npos; at = low.find(unit, at + 1)) {
    std::size_t end = at;
    while (end > 0 && low[end - 1] == ' ') --end;
    std::size_t begin = end;
    while (begin > 0 && low[begin - 1] >= '0' && low[begin - 1] <= '9') --begin;
    if (begin < end) return parse_number(std::string_view(low).substr(begin, end - begin));
  }
  return {};
}

double network_in(std::string_view net) {
  double best = 0;
  std::string text(net);
  for (const std::string_view separator : {"+", ";", " and ", "; "})
    for (std::size_t at = text.find(separator); at != std::string::npos; at = text.find(separator))
      text.replace(at, separator.size(), ",");
  for (auto part : split(text, ',')) {
    part = trim(part);
    if (contains_ignoring_case(part, "storage") || contains_ignoring_case(part, "management"))
      continue;
    const auto speed = number_before(part, "gb");
    if (!speed) continue;
    best = std::max(best, number_before(part, "x").value_or(1) * *speed * 1e9 / 8);
  }
  return best;
}

model::Answer<model::Gpu> powered_gpu_of(const Row& row, const World& world) {
  auto gpu = gpu_of(row, world);
  if (!gpu) {
    const auto* similar = similar_gpu(row, world);
    if (similar == nullptr) return gpu;
    gpu = model::gpu_from(*similar);
    if (!gpu) return gpu;
  }
  for (const auto text : {std::string_view(row.gpu), row.param("hw_notes")})
    if (const auto watts = number_before(text, "w"); watts && *watts >= 50 && *watts <= 1500)
      gpu->power = Watts::base(*watts);
  return gpu;
}

model::Answer<model::Fabric> described_fabric_of(const Row& row, const model::Gpu& gpu) {
  GPUVET_ANSWER(auto fabric, fabric_of(row, gpu));
  // Bridges that only the system's name tells: "8xA100-PCIE-80GB-NVBridge".
  if (fabric.kind == model::Fabric::Kind::pcie && contains_ignoring_case(row.group, "nvbridge")) {
    auto slot = gpu;
    slot.pcie = fabric.pcie;
    fabric = model::bridged_fabric(slot, fabric.gpus, fabric.servers);
    if (fabric.servers > 1) fabric.network = model::usual_network(gpu, fabric.gpus);
  }
  if (fabric.servers > 1)
    if (const double told = network_in(row.param("net")); told > 0)
      fabric.network = BytesPerSecond::base(told);
  return fabric;
}

model::Answer<catalogue::Architecture> architecture_of(const Row& row, const World& world) {
  const std::string workload = plain(row.workload);
  // With its encoders in the loop it is another net.
  if (contains(row.workload, "VAE"))
    if (const auto* whole = world.catalogue.architecture("sd-v2")) return *whole;
  const catalogue::Architecture* best = nullptr;
  std::size_t longest = 0;
  const auto look = [&](const catalogue::Architecture& a, std::string_view name) {
    const std::string wanted = plain(name);
    if (wanted.size() <= longest || !contains(workload, wanted)) return;
    best = &a;
    longest = wanted.size();
  };
  for (const auto& a : world.catalogue.architectures) {
    look(a, a.id);
    for (const auto& name : a.names) look(a, name);
  }
  if (best != nullptr) return *best;
  const auto layers = row.number("L"), hidden = row.number("h");
  const auto width = hidden ? hidden : row.number("d_model");
  if (!layers || !width) return model::refuse("the net of " + row.workload + " is not known");
  catalogue::Architecture described;
  described.id = plain(row.workload);
  described.title = row.workload;
  described.family = "decoder";
  described.numbers = {{"layers", *layers},
                       {"hidden", *width},
                       {"heads", row.number("heads").value_or(*width / 64)},
                       {"ffn", row.number("d_ff").value_or(4 * *width)},
                       {"vocabulary", row.number("vocab").value_or(0)},
                       {"positions", row.number("seq").value_or(0)},
                       {"tied_embeddings", 1}};
  // PyTorch's experts take turns, each over places for all tokens.
  if (const auto experts = row.number("experts"))
    described.numbers["experts"] = described.numbers["active_experts"] = *experts;
  return described;
}

}  // namespace gpuvet::accuracy
