// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>
#include <set>

#include "core/text.hpp"
#include "derive/matrix.hpp"
#include "model/joined_gpus.hpp"
#include "model/ring.hpp"

namespace gpuvet::model {
namespace {

const Observation* last_of(const Evidence& evidence, Id id, std::string_view subject) {
  const Observation* out = nullptr;
  for (const auto& o : evidence.observations)
    if (o.id == id && o.subject == subject && o.get() != nullptr) out = &o;
  return out;
}

std::string text_of(const Evidence& evidence, Id id, std::string_view subject) {
  const auto* o = last_of(evidence, id, subject);
  return o == nullptr || o->text() == nullptr ? "" : *o->text();
}

/// The least that any subject has of `id`.
std::optional<double> least(const Evidence& evidence, Id id) {
  std::optional<double> out;
  for (const auto& o : evidence.observations)
    if (o.id == id && o.number() != nullptr) out = out ? std::min(*out, *o.number()) : *o.number();
  return out;
}

Answer<Gpu> gpu_in(const Evidence& evidence, const catalogue::Catalogue& catalogue) {
  std::set<std::string> skus;
  if (const auto all = text_of(evidence, "node.gpu.sku"_id, "node"); !all.empty())
    skus.insert(all);
  else
    for (const auto& o : evidence.observations)
      if (o.id == "gpu.sku"_id && o.text() != nullptr) skus.insert(*o.text());
  if (skus.empty()) return refuse("the evidence doesn't say which GPUs there are");
  if (skus.size() > 1)
    return refuse("the server mixes GPUs: " +
                  join(std::vector<std::string>(skus.begin(), skus.end()), ", "));
  const auto* gpu = catalogue.gpu(*skus.begin());
  if (gpu == nullptr) return refuse(*skus.begin() + " is not in the catalogue");
  return gpu_from(*gpu);
}

std::optional<Fabric::Kind> kind_named(std::string_view topology_class) {
  using Kind = Fabric::Kind;
  for (const auto kind :
       {Kind::single, Kind::nvswitch, Kind::nvlink_all, Kind::nvlink_partial, Kind::pcie}) {
    Fabric f;
    f.kind = kind;
    if (model::topology_class(f) == topology_class) return kind;
  }
  return {};
}

int count_in(const Evidence& evidence, const std::optional<derive::Matrix>& matrix) {
  if (matrix) return static_cast<int>(matrix->gpus.size());
  const auto* count = last_of(evidence, "topology.gpu_count"_id, "node");
  if (count == nullptr) count = last_of(evidence, "node.gpu.attached"_id, "node");
  return count == nullptr || count->number() == nullptr ? 0 : static_cast<int>(*count->number());
}

void take_pairs(const derive::Matrix& matrix, Fabric& fabric) {
  const auto n = matrix.gpus.size();
  fabric.pairs.clear();
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b) {
      // Where the two directions disagree, the pair is only as good as the worse of them.
      const auto worse = std::max(matrix.between_gpus[a][b].path, matrix.between_gpus[b][a].path);
      // Both rooms name the same six paths, nearest first.
      fabric.pairs.push_back({static_cast<Path>(worse), matrix.links(a, b)});
    }
  // Behind switches a pair shows all links of its GPUs: the worst pair is what a ring has.
  if (fabric.kind != Fabric::Kind::nvswitch) return;
  for (std::size_t a = 0; a < n; ++a)
    for (std::size_t b = 0; b < n; ++b)
      if (a != b) fabric.nvlinks = std::min(fabric.nvlinks, matrix.links(a, b));
}

/// What Gen and lanes the slots have; a card that idles may show generation 1, so the highest
/// generation counts, but the lanes in use.
void take_slots(const Evidence& evidence, Fabric& fabric) {
  const auto generation = least(evidence, "gpu.pcie.generation.max"_id);
  auto width = least(evidence, "gpu.pcie.width.max"_id);
  if (const auto used = least(evidence, "gpu.pcie.width"_id); used && *used > 0)
    width = width ? std::min(*width, *used) : *used;
  if (!generation || !width) return;
  const auto slot = pcie_bandwidth(static_cast<int>(*generation), static_cast<int>(*width));
  if (slot.base() > 0) fabric.pcie = std::min(fabric.pcie, slot);
}

/// All RDMA adapters together, each at its port's rate.
void take_adapters(const Evidence& evidence, Fabric& fabric) {
  std::map<std::string, double> rates;
  std::set<std::string> rdma, down;
  for (const auto& o : evidence.observations) {
    if (o.id == "nic.rate"_id && o.number() != nullptr) rates[o.subject] = *o.number();
    if (o.id == "nic.rdma"_id && o.flag() != nullptr && *o.flag()) rdma.insert(o.subject);
    if (o.id == "nic.state"_id && o.text() != nullptr && contains_ignoring_case(*o.text(), "down"))
      down.insert(o.subject);
  }
  double total = 0;
  for (const auto& [nic, rate] : rates)
    if (!down.contains(nic) && (rdma.empty() || rdma.contains(nic))) total += rate;
  fabric.network = BytesPerSecond::base(total);
  fabric.rdma = rates.empty() || !rdma.empty();
}

/// Every pair of cards lacks peer access, by nvidia-smi's own word.
bool without_peers(const Evidence& evidence) {
  bool asked = false;
  for (const auto& o : evidence.observations) {
    if (o.id != "link.p2p.read"_id || o.text() == nullptr) continue;
    asked = true;
    if (*o.text() == "OK") return false;
  }
  return asked;
}

}  // namespace

Answer<JoinedGpus> fabric_from(const Evidence& evidence, const catalogue::Catalogue& catalogue) {
  GPUVET_ANSWER(const auto gpu, gpu_in(evidence, catalogue));
  auto matrix = derive::matrix_in(evidence);
  const int gpus = count_in(evidence, matrix);
  if (matrix && !matrix->links_unread.empty()) matrix.reset();  // places alone don't tell
  if (gpus < 1) return refuse("the evidence doesn't say how many GPUs there are");
  if (!matrix && gpus > 1 && !gpu.module)
    return refuse("how the cards are joined is not known: nvidia-smi topo -m tells");
  JoinedGpus out{gpu, usual_fabric(gpu, gpus), {}};
  auto& fabric = out.fabric;
  take_slots(evidence, fabric);
  if (const auto speed = least(evidence, "gpu.nvlink.speed"_id); speed && *speed > 0)
    fabric.nvlink_each = std::min(fabric.nvlink_each, BytesPerSecond::base(*speed));
  if (matrix) {
    const auto kind = kind_named(text_of(evidence, "topology.class"_id, "node"));
    if (!kind) return refuse("the evidence has a matrix, and nothing says what it means");
    fabric.kind = *kind;
    take_pairs(*matrix, fabric);
  } else if (gpus > 1) {
    out.notes.emplace_back("no matrix of the GPUs: taken for a usual server with such modules");
  }
  fabric.staged = fabric.kind == Fabric::Kind::pcie && without_peers(evidence);
  const auto cpu = text_of(evidence, "node.cpu.model"_id, "node");
  fabric.cpu_vendor = contains(cpu, "AMD") || contains(cpu, "EPYC")     ? "AMD"
                      : contains(cpu, "Intel") || contains(cpu, "Xeon") ? "Intel"
                                                                        : "";
  take_adapters(evidence, fabric);
  if (gpus > 1) fabric = with_rings(std::move(fabric));
  return out;
}

}  // namespace gpuvet::model
