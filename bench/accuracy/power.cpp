// SPDX-License-Identifier: Apache-2.0
// Rows of kind power: mean or busy power of one server at the wall.
#include "accuracy/kind.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

bool any_in(std::string_view text, std::initializer_list<std::string_view> words) {
  return std::any_of(words.begin(), words.end(),
                     [&](auto word) { return contains_ignoring_case(text, word); });
}

model::Load load_of(const Row& row) {
  if (any_in(row.workload, {"idle"}) || any_in(row.metric, {"idle"})) return model::Load::idle;
  if (any_in(row.workload, {"lora", "fine-tun", "finetun"})) return model::Load::mixed;
  // RNN-T and DLRM run their matrix products as steadily as transformers do: NVIDIA gives them the
  // same limit under MaxQ (275 of 400 W).
  return any_in(row.workload, {"bert", "gpt", "llama", "bloom", "opt-", "mixtral", " t5", "mpt",
                               "falcon", "transformer", "gemm", "linpack", "hpl", "rnnt", "dlrm"})
             ? model::Load::dense
             : model::Load::mixed;
}

model::Cooling cooling_of(const Row& row) {
  if (any_in(row.topology, {"immersion"})) return model::Cooling::immersion;
  return any_in(row.topology, {"liquid", "water"}) ? model::Cooling::liquid : model::Cooling::air;
}

/// Submitters wrote "A100-PCIe" without a size before the 80 GB card came: their system files have
/// 40 GB and 250 W.
model::Answer<model::Gpu> gpu_in(const Row& row, const World& world) {
  if (row.gpu_norm == "A100-PCIe-?")
    if (const auto* card = world.catalogue.gpu("a100-pcie-40gb")) return model::gpu_from(*card);
  return gpu_of(row, world);
}

/// "500 W" where the row or the catalogue's server of the row's system says so.
std::optional<Watts> limit_of(const Row& row, const World& world, const model::Gpu& gpu) {
  if (const auto given = row.number("power_limit"); given && *given > 0) return Watts::base(*given);
  const auto* entry = world.catalogue.gpu(gpu.id);
  const auto most = entry != nullptr ? entry->decided("power_max") : std::nullopt;
  if (!most || most->value <= gpu.power.base()) return {};
  const std::string watts = format_number(most->value) + " W";
  if (contains(row.gpu, watts) || contains(row.gpu, format_number(most->value) + "W"))
    return Watts::base(most->value);
  for (const auto& server : world.catalogue.servers) {
    const auto model_words = words(server.model);
    if (!model_words.empty() &&
        contains_ignoring_case(std::string(row.param("system")) + row.topology, model_words.back()))
      if (const auto limit = model::higher_limit(server, *entry)) return limit;
  }
  return {};
}

model::Answer<model::PoweredServer> server_of(const Row& row, const World& world) {
  GPUVET_ANSWER(auto gpu, gpu_in(row, world));
  model::PoweredServer out;
  out.gpus = std::max(1, row.gpus / std::max(1, row.nodes));
  // A station holds four modules on direct links and cools them with a refrigerant loop.
  out.nvswitch = gpu.module && out.gpus > 4;
  out.cooling = cooling_of(row);
  const std::string_view capped = row.param("gpu_power_cap");
  out.tuned = capped.substr(0, 3) == "yes" || contains(row.param("system"), "MaxQ");
  if (!out.tuned) out.limit = limit_of(row, world, gpu);
  out.gpu = std::move(gpu);
  return out;
}

bool is_power(const Row& row) {
  return any_in(row.unit, {"W"}) && !any_in(row.unit, {"Wh", "/W"}) &&
         any_in(row.metric, {"power"}) && !any_in(row.metric, {"max", "peak", "min"});
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  if (!is_power(row)) return model::refuse("no model for " + row.metric);
  GPUVET_ANSWER(const auto server, server_of(row, world));
  GPUVET_ANSWER(auto out, world.models.power.wall(server, load_of(row)));
  if (!any_in(row.metric, {"per_node", "node_power"}) && row.nodes > 1) out.value *= row.nodes;
  return out;
}

/// One server's GPUs times board power.
model::Answer<double> board_power(const Row& row, const World& world,
                                  const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto server, server_of(row, world));
  return server.gpus * server.limit.value_or(server.gpu.power).base();
}

/// Least squares of watts over GPUs x board power, capped rows and others apart.
model::Answer<double> line(const Row& row, const World& world,
                           const std::vector<const Row*>& known) {
  GPUVET_ANSWER(const auto server, server_of(row, world));
  double n = 0, sx = 0, sy = 0, sxx = 0, sxy = 0;
  for (const auto* other : known) {
    const auto theirs = server_of(*other, world);
    if (!theirs || theirs->tuned != server.tuned) continue;
    const double x = theirs->gpus * theirs->gpu.power.base(), y = *other->value;
    n += 1, sx += x, sy += y, sxx += x * x, sxy += x * y;
  }
  const double spread = n * sxx - sx * sx;
  if (spread <= 0) return model::refuse("no line through what is known");
  const double slope = (n * sxy - sx * sy) / spread;
  return (sy - slope * sx) / n + slope * server.gpus * server.gpu.power.base();
}

}  // namespace

Kind power_kind() {
  return {"power",
          [](const Row& row) { return row.kind == "power"; },
          predict,
          {{"GPUs x board power", board_power}, {"linear fit", line}},
          {"power"}};
}

}  // namespace gpuvet::accuracy
