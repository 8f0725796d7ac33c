// SPDX-License-Identifier: Apache-2.0
#include "sim/roads.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gpuvet::sim {
namespace {

/// What healthy machines reach of the raw rates; the simulation's own round figures, near those of
/// nvbandwidth's README (A100: 26 of 31.5 GB/s to the host, 276 of 309 between two GPUs).
constexpr double pcie_share = 0.84, nvlink_share = 0.9, peer_pcie_share = 0.8;
constexpr double host_memory = 150e9, between_sockets = 60e9;  ///< bytes per second
constexpr double nvlink_latency = 1.9e-6, pcie_latency = 1.3e-6, far_latency = 0.6e-6;

/// Bytes per second of a lane and direction, by PCIe generation, after its coding.
double lane_rate(int generation) {
  constexpr std::array rates = {0.0, 0.25e9, 0.5e9, 0.985e9, 1.969e9, 3.938e9, 7.563e9};
  return rates[static_cast<std::size_t>(std::clamp(generation, 0, 6))];
}

constexpr std::array precisions = {"fp64", "fp32", "tf32", "bf16", "fp16", "fp8", "int8"};

}  // namespace

Part Roads::add(const std::string& name, double capacity) {
  const auto [at, fresh] = names_.emplace(name, capacity_.size());
  if (fresh) capacity_.push_back(capacity);
  return at->second;
}

Part Roads::part(const std::string& name) const { return names_.at(name); }

void Roads::add_gpu(const Gpu& gpu, const catalogue::Gpu& kind) {
  const auto field = [&](std::string_view name) {
    const auto found = kind.fields.find(name);
    return found == kind.fields.end() ? 0.0 : found->second.value;
  };
  Own own;
  own.place = gpu.place;
  // An idle GPU raises its clock as soon as it has work.
  own.clock_share = gpu.load > 0 ? gpu.clock / gpu.clock_max : 1;
  for (const auto* precision : precisions) {
    double rate = field(precision);
    if (std::string_view(precision) == "fp64") rate = std::max(rate, field("fp64_tensor"));
    if (rate > 0) own.rates[precision] = rate;
  }
  add(fmt::format("gpu{}.memory", gpu.index),
      field("memory_bandwidth") * gpu.memory_clock / gpu.memory_clock_max);
  add(fmt::format("gpu{}.compute", gpu.index), own.clock_share);
  // Odd places of the path hang below a cable or trace; the others are ports of one chip.
  const double raw = lane_rate(gpu.pcie.generation) * gpu.pcie.width * pcie_share;
  const double full = lane_rate(gpu.pcie.generation_max) * gpu.pcie.width_max * pcie_share;
  for (std::size_t i = 1; i < own.place.path.size(); i += 2) {
    const double rate = i + 1 == own.place.path.size() ? raw : full;
    add(own.place.path[i] + ".up", rate);
    add(own.place.path[i] + ".down", rate);
  }
  add(fmt::format("numa{}", gpu.place.numa), host_memory);
  gpus_.push_back(std::move(own));
}

void Roads::add_links(const World& world) {
  for (std::size_t a = 0; a < gpus_.size(); ++a) {
    auto& own = gpus_[a];
    own.nvlink.assign(gpus_.size(), 0);
    double to_switches = 0;
    for (const auto& link : world.gpus[a].links) {
      if (!link.up) continue;
      const double rate = world.gpus[a].link_speed * nvlink_share;
      if (link.to_switch) to_switches += rate;
      for (std::size_t b = 0; b < gpus_.size(); ++b)
        if (b != a && link.remote == gpus_[b].place.address()) own.nvlink[b] += rate;
    }
    own.to_switch = to_switches > 0;
    if (!own.to_switch) continue;
    add(fmt::format("gpu{}.out", a), to_switches);
    add(fmt::format("gpu{}.in", a), to_switches);
  }
  for (std::size_t a = 0; a < gpus_.size(); ++a)
    for (std::size_t b = 0; b < gpus_.size(); ++b) {
      if (a == b) continue;
      const bool fabric = gpus_[a].to_switch && gpus_[b].to_switch && world.fabric_manager;
      const double rate = fabric ? std::min(capacity_[part(fmt::format("gpu{}.out", a))],
                                            capacity_[part(fmt::format("gpu{}.in", b))])
                                 : gpus_[a].nvlink[b];
      if (fabric) gpus_[a].nvlink[b] = rate;
      // A pair without NVLink has a part too, as wide as any: what a fault can narrow.
      add(fmt::format("gpu{}>gpu{}", a, b), rate > 0 ? rate : 1e15);
    }
}

Result<Roads> Roads::of(const World& world, const catalogue::Catalogue& kinds) {
  Roads out;
  out.add("sockets", between_sockets);
  for (const auto& gpu : world.gpus) {
    const auto* kind = kinds.gpu(gpu.sku);
    if (kind == nullptr) return fail(Errc::not_found, gpu.sku + ": the catalogue has no such GPU");
    out.add_gpu(gpu, *kind);
  }
  out.add_links(world);
  return out;
}

std::vector<Use> Roads::in_memory(int gpu, double bytes, double share) const {
  return {{memory(gpu), bytes / share}};
}

bool Roads::has_rate(int gpu, std::string_view precision) const {
  return gpus_[static_cast<std::size_t>(gpu)].rates.contains(precision);
}

std::vector<Use> Roads::compute(int gpu, std::string_view precision, double operations,
                                double share) const {
  const auto& rates = gpus_[static_cast<std::size_t>(gpu)].rates;
  const auto found = rates.find(precision);
  if (found == rates.end()) return {};
  return {{processors(gpu), operations / (found->second * share)}};
}

std::vector<Use> Roads::transfer(int from, int to, double bytes) const {
  std::vector<Use> out;
  const auto climb = [&](int gpu, std::size_t first, const char* way, double amount) {
    const auto& path = gpus_[static_cast<std::size_t>(gpu)].place.path;
    for (std::size_t i = first | 1U; i < path.size(); i += 2)
      out.push_back({part(path[i] + way), amount});
  };
  if (from < 0 || to < 0) {
    const int gpu = std::max(from, to);
    if (gpu < 0) return out;
    climb(gpu, 0, from < 0 ? ".down" : ".up", bytes);
    out.push_back(
        {part(fmt::format("numa{}", gpus_[static_cast<std::size_t>(gpu)].place.numa)), bytes});
    return out;
  }
  out.push_back({pair(from, to), bytes});
  const auto &a = gpus_[static_cast<std::size_t>(from)], &b = gpus_[static_cast<std::size_t>(to)];
  if (nvlink(from, to)) {
    if (a.to_switch && b.to_switch) {
      out.push_back({part(fmt::format("gpu{}.out", from)), bytes});
      out.push_back({part(fmt::format("gpu{}.in", to)), bytes});
    }
    return out;
  }
  const double amount = bytes * pcie_share / peer_pcie_share;
  const auto apart = std::mismatch(a.place.path.begin(), a.place.path.end(), b.place.path.begin(),
                                   b.place.path.end());
  const auto common = static_cast<std::size_t>(apart.first - a.place.path.begin());
  climb(from, common, ".up", amount);
  climb(to, common, ".down", amount);
  if (common == 0 && a.place.numa != b.place.numa) out.push_back({part("sockets"), bytes});
  return out;
}

bool Roads::nvlink(int a, int b) const {
  return gpus_[static_cast<std::size_t>(a)].nvlink[static_cast<std::size_t>(b)] > 0;
}

double Roads::latency(int from, int to) const {
  if (from < 0 || to < 0) return pcie_latency;
  if (nvlink(from, to)) return nvlink_latency;
  const bool same = gpus_[static_cast<std::size_t>(from)].place.numa ==
                    gpus_[static_cast<std::size_t>(to)].place.numa;
  return 2 * pcie_latency + (same ? 0 : far_latency);
}

Part Roads::pair(int from, int to) const { return part(fmt::format("gpu{}>gpu{}", from, to)); }
Part Roads::host_link(int gpu, bool up) const {
  return part(gpus_[static_cast<std::size_t>(gpu)].place.address() + (up ? ".up" : ".down"));
}
Part Roads::memory(int gpu) const { return part(fmt::format("gpu{}.memory", gpu)); }
Part Roads::processors(int gpu) const { return part(fmt::format("gpu{}.compute", gpu)); }

}  // namespace gpuvet::sim
