// SPDX-License-Identifier: Apache-2.0
// A catalogue server's facts are sentences for people: "8x A100 SXM4 80GB", "NV12 within a pair,
// SYS across", "8x ConnectX-6 HDR200 for compute, ...".
#include <algorithm>
#include <cctype>
#include <set>

#include "core/text.hpp"
#include "model/joined_gpus.hpp"
#include "model/ring.hpp"

namespace gpuvet::model {
namespace {

using catalogue::Server;

bool has(std::string_view text, std::string_view word) {
  return contains_ignoring_case(text, word);
}

std::string_view fact(const Server& server, std::string_view name) {
  for (const auto& [key, text] : server.facts)
    if (key == name) return text;
  return {};
}

bool digit(char c) { return std::isdigit(static_cast<unsigned char>(c)) != 0; }
bool letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }

/// Numbers that `unit` follows, a blank between them or not: "80GB", "8x", "4 double-width".
std::set<int> numbers_with(std::string_view text, std::string_view unit) {
  std::set<int> out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!digit(text[i]) ||
        (i > 0 && (digit(text[i - 1]) || letter(text[i - 1]) || text[i - 1] == '.')))
      continue;
    const auto digits = leading_digits(text.substr(i));
    const auto number = parse_integer(text.substr(i, digits));
    auto rest = text.substr(i + digits);
    if (rest.starts_with(' ')) rest.remove_prefix(1);
    const bool ends =
        rest.size() == unit.size() || (rest.size() > unit.size() && !letter(rest[unit.size()]));
    if (number && rest.starts_with(unit) && ends) out.insert(static_cast<int>(*number));
  }
  return out;
}

/// "A100" of "a100-sxm4-80gb".
std::string family_of(const catalogue::Gpu& gpu) { return gpu.id.substr(0, gpu.id.find('-')); }

bool word_in(std::string_view text, const std::string& word) {
  const std::string low = lower(text);
  for (auto at = low.find(word); at != std::string::npos; at = low.find(word, at + 1)) {
    const bool starts = at == 0 || (!letter(low[at - 1]) && !digit(low[at - 1]));
    const auto end = at + word.size();
    if (starts && (end == low.size() || (!letter(low[end]) && !digit(low[end])))) return true;
  }
  return false;
}

struct Offered {
  std::set<int> counts, memories;
  bool modules = false, cards = false, mixed = false, up_to = false;
};

Offered offered_by(const Server& server) {
  const auto gpus = fact(server, "gpus");
  Offered out;
  out.counts = numbers_with(gpus, "x");
  out.counts.merge(numbers_with(gpus, "double-width"));
  out.counts.merge(numbers_with(gpus, "of one kind"));
  out.counts.merge(numbers_with(gpus, "or"));  // "4 or 8x"
  out.memories = numbers_with(gpus, "GB");
  out.modules = has(gpus, "SXM");
  out.cards = has(gpus, "PCIe");
  if (!out.modules && !out.cards) {  // a cloud's "8x A100 40GB"
    const auto joined = fact(server, "gpu_interconnect");
    out.modules = has(joined, "NVSwitch") || has(joined, "cube mesh");
    out.cards = has(joined, "PCIe") || has(joined, "bridge");
  }
  const auto second = gpus.find(" and ");
  out.mixed = second != std::string_view::npos &&
              numbers_with(gpus.substr(second), "x").size() == 1 && out.modules && out.cards;
  out.up_to = has(gpus, "up to");
  return out;
}

double gigabytes(const catalogue::Gpu& gpu) {
  const auto found = gpu.fields.find("memory");
  return found == gpu.fields.end() ? 0 : found->second.value / 1e9;
}

bool among(const catalogue::Gpu& gpu, const Server& server, const Offered& offered) {
  if (!word_in(fact(server, "gpus"), family_of(gpu))) return false;
  const bool module = gpu.nvlink_attach == "module";
  // The cube mesh is the DGX-1's, with SXM2; SXM3 came with switches.
  if (gpu.id.find("sxm3") != std::string::npos &&
      has(fact(server, "gpu_interconnect"), "cube mesh"))
    return false;
  if (module ? !offered.modules : !offered.cards && offered.modules) return false;
  const auto memory = static_cast<int>(gigabytes(gpu) + 0.5);
  return offered.memories.empty() || offered.memories.contains(memory);
}

Answer<const catalogue::Gpu*> gpu_in(const Server& server, const Offered& offered,
                                     const catalogue::Catalogue& catalogue, const Choice& choice) {
  const std::string name = server.vendor + " " + server.model;
  if (!choice.gpu.empty()) {
    const auto* gpu = catalogue.gpu(choice.gpu);
    if (gpu == nullptr) return refuse(choice.gpu + " is not in the catalogue");
    if (!among(*gpu, server, offered))
      return refuse(name + " comes with \"" + std::string(fact(server, "gpus")) + "\", not with " +
                    gpu->title);
    return gpu;
  }
  std::vector<const catalogue::Gpu*> candidates;
  for (const auto& gpu : catalogue.gpus)
    if (among(gpu, server, offered)) candidates.push_back(&gpu);
  // Makers' names that the catalogue doesn't know: the server may come with those too.
  for (const auto* other : {"MI300X", "MI250", "Gaudi"})
    if (has(fact(server, "gpus"), other)) candidates.push_back(nullptr);
  // H100 SXM5 of other sizes than 80 GB are rare and say so.
  if (offered.memories.empty())
    std::erase_if(candidates, [](const auto* gpu) {
      return gpu != nullptr && gpu->id == "h100-sxm5-94gb-96gb-64gb";
    });
  if (candidates.empty())
    return refuse("the catalogue has no GPU \"" + std::string(fact(server, "gpus")) + "\"");
  if (candidates.size() > 1 || candidates.front() == nullptr)
    return refuse(name + " is sold with several GPUs (\"" + std::string(fact(server, "gpus")) +
                  "\"): say which");
  return candidates.front();
}

Answer<int> count_in(const Server& server, const Offered& offered, const Choice& choice) {
  const std::string name = server.vendor + " " + server.model;
  if (offered.counts.empty()) return refuse(name + ": the catalogue doesn't say how many GPUs");
  const int most = *offered.counts.rbegin();
  if (choice.gpus > 0) {
    if (choice.gpus > most)
      return refuse(name + " takes " + std::to_string(most) + " GPUs at most");
    return choice.gpus;
  }
  if (offered.counts.size() > 1 || offered.up_to)
    return refuse(name + " is sold with different numbers of GPUs: say how many");
  return most;
}

/// Cards in two halves, one on each socket, and in neighbouring pairs where there are bridges.
void place_cards(Fabric& fabric, std::string_view topology, bool bridges, int links) {
  const Path near = has(topology, "PIX")   ? Path::pix
                    : has(topology, "PXB") ? Path::pxb
                                           : Path::node;
  const Path far = has(topology, "SYS") || near == Path::node ? Path::sys : Path::node;
  const int half = (fabric.gpus + 1) / 2;
  fabric.pairs.clear();
  for (int a = 0; a < fabric.gpus; ++a)
    for (int b = 0; b < fabric.gpus; ++b) {
      const bool joined = bridges && a != b && a / 2 == b / 2;
      const Path path = a / half == b / half ? near : far;
      fabric.pairs.push_back({joined ? Path::nvlink : path, joined ? links : 0});
    }
  if (!bridges)
    fabric.kind = Fabric::Kind::pcie;
  else
    fabric.kind = fabric.gpus == 2 ? Fabric::Kind::nvlink_all : Fabric::Kind::nvlink_partial;
}

/// "8x ConnectX-6 HDR200 for compute": bytes per second of all; 0 where a part doesn't say. What
/// stands in brackets says the same again.
double rate_of(std::string_view part) {
  part = part.substr(0, part.find('('));
  double rate = 0;
  for (const auto* unit : {"Gb/s", "GbE"})
    if (const auto rates = numbers_with(part, unit); !rates.empty())
      rate = std::max(rate, static_cast<double>(*rates.rbegin()));
  for (const auto* word : {"EDR", "HDR", "NDR"})
    if (const auto at = part.find(word); at != std::string_view::npos) {
      auto rest = part.substr(at + 3);
      while (rest.starts_with(' ')) rest.remove_prefix(1);
      rate = parse_number(rest.substr(0, leading_digits(rest))).value_or(rate);
    }
  const auto counts = numbers_with(part, "x");
  return rate * (counts.empty() ? 1 : *counts.begin()) * 1e9 / 8;
}

void read_network(Fabric& fabric, std::string_view nics) {
  fabric.efa = contains(nics, "EFA");
  fabric.rdma = !has(nics, "no RDMA") && !contains(nics, "TCP");
  if (has(nics, "depends")) return;
  // The first that tells a rate is the network for compute; storage and management follow.
  std::size_t from = 0;
  while (from < nics.size()) {
    const auto end = std::min({nics.find(" and ", from), nics.find(", ", from), nics.size()});
    const auto part = nics.substr(from, end - from);
    if (!has(part, "management") && !has(part, "storage") && rate_of(part) > 0) {
      fabric.network = BytesPerSecond::base(rate_of(part));
      return;
    }
    from = end + 2;
  }
}

}  // namespace

Answer<JoinedGpus> fabric_of_server(const Server& server, const catalogue::Catalogue& catalogue,
                                    const Choice& choice) {
  const auto offered = offered_by(server);
  if (offered.mixed) return refuse(server.vendor + " " + server.model + " mixes GPUs");
  GPUVET_ANSWER(const auto* found, gpu_in(server, offered, catalogue, choice));
  GPUVET_ANSWER(const int gpus, count_in(server, offered, choice));
  GPUVET_ANSWER(auto gpu, gpu_from(*found));
  JoinedGpus out{gpu, usual_fabric(gpu, gpus), {}};
  const auto joined = fact(server, "gpu_interconnect"),
             topology = fact(server, "expected_topology");
  if (!gpu.module && gpus > 1) {
    const auto all = std::string(fact(server, "gpus")) + "; " + std::string(joined) + "; " +
                     std::string(topology);
    const bool open = has(all, "with or without") || has(all, "with and without");
    const bool possible =
        has(all, "bridge") && gpu.nvlink_links > 0 && !has(all, "PCIe without NVLink");
    const bool bridges = possible && choice.bridges.value_or(!open);
    if (possible && open && !choice.bridges)
      out.notes.emplace_back("taken for cards without bridges, which are an option");
    place_cards(out.fabric, topology, bridges, gpu.nvlink_links);
    if (!fact(server, "expected_topology").empty())
      out.notes.emplace_back("cards taken to be half on each socket");
    out.fabric = with_rings(std::move(out.fabric));
  }
  const auto cpus = fact(server, "cpus");
  out.fabric.cpu_vendor = contains(cpus, "EPYC")                             ? "AMD"
                          : contains(cpus, "Xeon") || contains(cpus, "Lake") ? "Intel"
                                                                             : "";
  read_network(out.fabric, fact(server, "nics"));
  if (out.fabric.network.base() <= 0)
    out.notes.emplace_back("the catalogue doesn't know its network");
  return out;
}

}  // namespace gpuvet::model
