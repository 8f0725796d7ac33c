// SPDX-License-Identifier: Apache-2.0
// The fabric that the words of a table's topology column describe: "NVSwitch NV12 + 4x100Gb/s EFA
// per node", "NVLINK BRIDGE; A100 Pairs bridged; PCIe 4.0x16".
#include <algorithm>
#include <cctype>
#include <optional>

#include "accuracy/kind.hpp"
#include "core/text.hpp"
#include "model/ring.hpp"

namespace gpuvet::accuracy {
namespace {

bool has(std::string_view text, std::string_view word) {
  return contains_ignoring_case(text, word);
}

/// The number that ends at `end`, blanks between them skipped; `end` moves to its first digit.
std::optional<double> number_before(std::string_view text, std::size_t& end) {
  while (end > 0 && text[end - 1] == ' ') --end;
  std::size_t from = end;
  while (from > 0 &&
         (std::isdigit(static_cast<unsigned char>(text[from - 1])) != 0 || text[from - 1] == '.'))
    --from;
  const auto out = parse_number(text.substr(from, end - from));
  end = from;
  return out;
}

/// "8x200Gb", "2 x 400Gbe", "400 Gb/s", "8x50GB/s": bytes per second in all that is counted.
std::optional<double> rate_in(std::string_view words) {
  for (std::size_t i = 0; i + 1 < words.size(); ++i) {
    const bool unit = words[i] == 'G' && (words[i + 1] == 'b' || words[i + 1] == 'B');
    if (!unit) continue;
    std::size_t at = i;
    const auto rate = number_before(words, at);
    if (!rate) continue;
    double count = 1;
    while (at > 0 && words[at - 1] == ' ') --at;
    if (at > 0 && (words[at - 1] == 'x' || words[at - 1] == 'X')) {
      --at;
      count = number_before(words, at).value_or(1);
    }
    return count * *rate * (words[i + 1] == 'b' ? 1e9 / 8 : 1e9);
  }
  return {};
}

bool speaks_of_network(std::string_view part) {
  for (const auto* word : {"EFA", "per node", "per GPU", "/rank", "IB", "InfiniBand", "RoCE",
                           "Ethernet", "HDR", "NDR", "Gb/s", "Gbps", "TCP", "RDMA"})
    if (contains(part, word)) return true;
  return has(part, "inter-node") || has(part, "Gbe");
}

/// All adapters of a server, one way, where a part of the words says so.
std::optional<BytesPerSecond> network_in(std::string_view topology, int gpus, bool sends) {
  for (const auto half : split(topology, ';'))
    for (const auto part : split(half, '+')) {
      // Links inside a server are told in GB/s, adapters in Gb/s.
      if ((has(part, "NVLink") || has(part, "PCIe")) && !contains(part, "Gb/s")) continue;
      if (!speaks_of_network(part)) continue;
      const auto rate = rate_in(part);
      if (!rate) continue;
      const bool each = has(part, "per GPU") || contains(part, "/rank");
      // What collectives were seen to carry between two servers is more than the adapters' rate.
      const double seen = has(part, "seen") && !sends ? 1 / 1.5 : 1;
      return BytesPerSecond::base(seen * *rate * (each ? gpus : 1));
    }
  return {};
}

/// The newest PCIe generation that the words name: of two, one is often the cards' and the other
/// the slots'.
int pcie_generation_in(std::string_view topology) {
  int out = 0;
  const std::string text = lower(topology);
  for (auto at = text.find("pcie"); at != std::string::npos; at = text.find("pcie", at + 4)) {
    auto rest = std::string_view(text).substr(at + 4);
    while (!rest.empty() && (rest.front() == ' ' || rest.front() == ',')) rest.remove_prefix(1);
    if (rest.starts_with("gen")) rest.remove_prefix(3);
    while (!rest.empty() && rest.front() == ' ') rest.remove_prefix(1);
    if (!rest.empty() && rest.front() >= '1' && rest.front() <= '6')
      out = std::max(out, rest.front() - '0');
  }
  return out;
}

/// "bridge", "pairs", or NVLink beside a card that has no other.
bool bridged(std::string_view topology, const model::Gpu& gpu) {
  if (gpu.module || gpu.nvlink_links == 0 || has(topology, "no NVLink")) return false;
  return has(topology, "bridge") || has(topology, "NVLink") || has(topology, " pair");
}

}  // namespace

model::Answer<model::Fabric> fabric_of(const Row& row, const model::Gpu& gpu) {
  using Joined = model::Fabric::Kind;
  const int nodes = std::max(row.nodes, 1), gpus = std::max(row.gpus / nodes, 1);
  const auto& words = row.topology;
  if (has(words, "Infinity Fabric") || has(words, "xGMI"))
    return model::refuse("Infinity Fabric is no link this model knows");
  auto slot = gpu;
  if (const int generation = pcie_generation_in(words))
    slot.pcie = std::min(gpu.pcie, model::pcie_bandwidth(generation, 16));
  auto fabric = bridged(words, gpu) ? model::bridged_fabric(slot, gpus, nodes)
                                    : model::usual_fabric(slot, gpus, nodes);
  if (gpus > 1 && gpu.module && (has(words, "nvswitch") || has(words, "DGX A100"))) {
    fabric.kind = Joined::nvswitch;
    fabric.pairs.clear();
    fabric.rings.reset();
  }
  if (fabric.kind == Joined::pcie && has(words, "not published")) fabric.staged = true;
  // Servers of A40 "with bridges" whose two cards exchange 4 GB/s: no bridge is at work there.
  if (gpu.id == "a40-48gb" && gpus > 1 && has(words, "bridge")) {
    fabric = model::usual_fabric(slot, gpus, nodes);
    fabric.staged = true;
  }
  if (nodes > 1) {
    fabric.network =
        network_in(words, gpus, row.kind == "p2p").value_or(model::usual_network(gpu, gpus));
    // A network that nobody names is taken for a slow one.
    fabric.efa = contains(words, "EFA");
    fabric.rdma = !has(words, "TCP") && !has(words, "no RDMA") && !has(words, "type not published");
  }
  return fabric;
}

}  // namespace gpuvet::accuracy
