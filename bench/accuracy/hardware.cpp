// SPDX-License-Identifier: Apache-2.0
// Which GPU a row speaks of.
#include <array>
#include <optional>
#include <utility>

#include "accuracy/kind.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

/// Names that say less than the catalogue's ids, or other than these.
constexpr std::array<std::pair<std::string_view, std::string_view>, 12> exceptions = {{
    {"A100-SXM-?", "a100-sxm4-80gb"},
    {"A100-PCIe-?", "a100-pcie-80gb"},
    {"H100-SXM-?", "h100-sxm5-80gb"},
    {"H100-PCIe-?", "h100-pcie-80gb"},
    {"H100-SXM-96", "h100-sxm-96gb-hbm2e"},
    {"GH200-SXM-?", "gh200-96gb-480gb-lpddr"},
    {"GH200-?", "gh200-96gb-480gb-lpddr"},
    {"V100-PCIe-?", "v100-pcie-32gb"},
    {"V100-SXM-?", "v100-sxm2-32gb"},
    {"V100-SXM-32", "v100-sxm2-32gb"},
    {"H20-SXM-141", "h20-3e-141gb"},
    {"A800-SXM-?", "a800-sxm4-80gb"},
}};

/// "A100-SXM-80" names "a100-sxm4-80gb": the chip, how it is built in, and the memory, if both
/// tell.
bool names(std::string_view norm, std::string_view id) {
  const std::string small = lower(norm);
  const auto asked = split(small, '-'), has = split(id, '-');
  if (asked.empty() || has.empty() || asked.front() != has.front()) return false;
  const auto form = [](std::string_view word) {
    for (const std::string_view known : {"sxm", "pcie", "nvl"})
      if (word.starts_with(known)) return known;
    return std::string_view();
  };
  std::string_view built_in;
  for (const auto word : has)
    if (const auto f = form(word); !f.empty()) built_in = f;
  bool memory = asked.back() == "?" || asked.size() < 2;
  for (std::size_t i = 1; i < asked.size(); ++i) {
    const auto f = form(asked[i]);
    if (!f.empty() && !built_in.empty() && f != built_in) return false;
    for (const auto word : has) memory = memory || word == std::string(asked[i]) + "gb";
  }
  return memory;
}

const catalogue::Gpu* find(std::string_view norm, const catalogue::Catalogue& catalogue) {
  for (const auto& [name, id] : exceptions)
    if (name == norm) return catalogue.gpu(id);
  for (const auto& gpu : catalogue.gpus)
    if (names(norm, gpu.id) && model::gpu_from(gpu)) return &gpu;
  return nullptr;
}

/// "NVIDIA A100-SXM4-80GB (500W)", "... (HBM2e 2.4 TB/s, 500 W cap)": the watts that are told.
std::optional<double> watts_in(std::string_view name) {
  const auto open = name.find('(');
  if (open == std::string_view::npos) return {};
  const auto inside = name.substr(open + 1, name.find(')', open) - open - 1);
  for (const auto part : split(inside, ',')) {
    const auto w = part.find('W');
    const auto first = part.find_first_of("0123456789");
    if (w == std::string_view::npos || first == std::string_view::npos || first >= w) continue;
    if (const auto value = parse_number(trim(part.substr(first, w - first))); value && *value >= 50)
      return value;
  }
  return {};
}

}  // namespace

model::Answer<model::Gpu> gpu_of(const Row& row, const World& world) {
  const auto* known = find(row.gpu_norm, world.catalogue);
  if (known == nullptr) return model::refuse(row.gpu_norm + " is not in the catalogue");
  GPUVET_ANSWER(auto gpu, model::gpu_from(*known));
  if (const auto watts = watts_in(row.gpu)) gpu.power = Watts::base(*watts);
  return gpu;
}

}  // namespace gpuvet::accuracy
