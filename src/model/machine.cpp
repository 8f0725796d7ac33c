// SPDX-License-Identifier: Apache-2.0
#include "model/machine.hpp"

#include <utility>

#include "core/text.hpp"
#include "model/cost_offer.hpp"
#include "model/joined_gpus.hpp"

namespace gpuvet::model {
namespace {

Machine from(JoinedGpus joined) {
  Machine out;
  out.gpu = std::move(joined.gpu);
  out.fabric = std::move(joined.fabric);
  out.notes = std::move(joined.notes);
  return out;
}

/// Joins `gpus` GPUs as `topology` has it; refuses words that are no topology and what such GPUs
/// can't be.
Answer<Fabric> fabric_named(const Gpu& gpu, int gpus, const std::string& topology) {
  if (gpus < 1) return refuse("a server without GPUs");
  Fabric out = usual_fabric(gpu, gpus);
  if (topology.empty() || gpus == 1) return out;
  if (topology == "pcie") {
    out.kind = Fabric::Kind::pcie;
    out.pairs.clear();
    out.nvlinks = 0;
    return out;
  }
  if (gpu.nvlink_links == 0) return refuse(gpu.id + " has no NVLink, so it can't be " + topology);
  if (topology == "nvlink-partial") return bridged_fabric(gpu, gpus);
  if (topology == "nvswitch")
    out.kind = Fabric::Kind::nvswitch;
  else if (topology == "nvlink-all")
    out.kind = Fabric::Kind::nvlink_all;
  else
    return refuse("'" + topology + "' is no topology: nvswitch, nvlink-all, nvlink-partial, pcie");
  return out;
}

Cooling cooling_of(const std::string& word) {
  if (contains_ignoring_case(word, "immersion")) return Cooling::immersion;
  return contains_ignoring_case(word, "liquid") ? Cooling::liquid : Cooling::air;
}

std::optional<double> number(const Evidence& evidence, Id id) {
  std::optional<double> out;
  for (const auto& o : evidence.observations)
    if (o.id == id && o.subject == "node" && o.number() != nullptr) out = *o.number();
  return out;
}

}  // namespace

PoweredServer Machine::powered() const {
  PoweredServer out;
  out.gpu = gpu;
  out.gpus = fabric.gpus;
  out.nvswitch = fabric.kind == Fabric::Kind::nvswitch;
  out.cooling = cooling;
  return out;
}

Answer<Machine> machine_of(const catalogue::Server& server, const catalogue::Catalogue& catalogue) {
  GPUVET_ANSWER(auto joined, fabric_of_server(server, catalogue));
  Machine out = from(std::move(joined));
  out.name = server.vendor + " " + server.model;
  out.server = server.id;
  for (const auto& [name, text] : server.facts)
    if (name == "cooling") out.cooling = cooling_of(text);
  return out;
}

Answer<Machine> machine_of(const catalogue::Offer& offer, const catalogue::Catalogue& catalogue) {
  const auto* entry = catalogue.gpu(offer.gpu);
  const auto* server = catalogue.server(offer.server);
  Machine out;
  if (entry == nullptr) {
    if (server == nullptr) return refuse("the offer names neither a GPU nor a server we know");
    GPUVET_ANSWER(out, machine_of(*server, catalogue));
  } else {
    GPUVET_ANSWER(out, machine_of(*entry, offer.gpus, offer.topology));
    // What the offer leaves open, the server it names may tell: paths between cards, the network.
    if (server != nullptr)
      if (auto joined = fabric_of_server(*server, catalogue, {offer.gpu, offer.gpus, {}});
          joined &&
          (offer.topology.empty() || topology_class(joined->fabric) == topology_class(out.fabric)))
        out = from(std::move(*joined));
  }
  out.name = offer.name;
  out.server = offer.server;
  out.cooling = cooling_of(offer.cooling);
  out.host.cores = offer.cores;
  out.host.drives = offer.drives;
  out.host.network_ports = offer.network_ports;
  if (offer.memory) out.host.memory = Bytes::base(*offer.memory);
  for (const auto& note : offer.notes) out.notes.push_back(note);
  return out;
}

Answer<Machine> machine_of(const Evidence& evidence, const catalogue::Catalogue& catalogue) {
  GPUVET_ANSWER(auto joined, fabric_from(evidence, catalogue));
  Machine out = from(std::move(joined));
  for (const auto& o : evidence.observations)
    if (o.id == "node.hostname"_id && o.text() != nullptr) out.name = *o.text();
  out.host.cores = number(evidence, "node.cpu.cores"_id);
  out.host.drives = number(evidence, "node.drive.nvme.count"_id);
  out.host.network_ports = number(evidence, "node.nic.rdma.fast"_id);
  if (const auto memory = number(evidence, "node.memory.total"_id))
    out.host.memory = Bytes::base(*memory);
  return out;
}

Answer<Machine> machine_of(const catalogue::Gpu& entry, int count, const std::string& topology) {
  Machine out;
  GPUVET_ANSWER(out.gpu, gpu_from(entry));
  GPUVET_ANSWER(out.fabric, fabric_named(out.gpu, count, topology));
  out.name = entry.title + " x " + std::to_string(count);
  return out;
}

Answer<Machine> several(const Machine& one, int servers) {
  if (servers < 1) return refuse("a group of no servers");
  Machine out = one;
  out.fabric.servers = servers;
  if (servers == 1) return out;
  if (out.fabric.network.base() <= 0) {
    out.fabric.network = usual_network(one.gpu, one.fabric.gpus);
    out.notes.emplace_back(
        "the network between servers is assumed to be what such servers usually "
        "have: one adapter a module, one for four cards");
  }
  return out;
}

}  // namespace gpuvet::model
