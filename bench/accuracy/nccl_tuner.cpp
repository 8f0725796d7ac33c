// SPDX-License-Identifier: Apache-2.0
#include "accuracy/nccl_tuner.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

namespace gpuvet::accuracy {
namespace {

using model::Collective;
using model::Fabric;

enum Protocol { ll, ll128, simple };
using ByProtocol = std::array<double, 3>;  ///< microseconds or GB/s

struct Generation {
  double nvlink;                 ///< GB/s of one link
  std::array<double, 3> ll_max;  ///< by servers: one, two, more
  double ring128;                ///< of one channel
  std::array<double, 3> tree;    ///< of one channel
};

constexpr Generation volta = {20, {39, 39, 20.4}, 20, {26.5, 18.5, 10}};
constexpr Generation ampere = {20, {87.7, 22.5, 19}, 20, {24, 23.6, 17.8}};
constexpr Generation hopper = {20.6, {141, 45, 35}, 36.7, {38.7, 41.4, 36}};
constexpr Generation blackwell = {40.1, {282, 90, 70}, 40, {70, 42.8, 24}};

const Generation& generation_of(const model::Gpu& gpu) {
  if (gpu.architecture == "Blackwell") return blackwell;
  if (gpu.architecture == "Hopper") return hopper;
  return gpu.architecture == "Volta" ? volta : ampere;
}

constexpr ByProtocol ring_base = {6.6, 14, 8.4}, tree_base = {6.8, 14, 8.4};
struct Link {
  ByProtocol ring, tree;
};
constexpr Link over_nvlink = {{0.6, 1.9, 3.4}, {0.6, 1.25, 4}};
constexpr Link over_pcie = {{1, 2.5, 5.7}, {1, 1.9, 4}};
constexpr Link over_network = {{2.7, 4, 14}, {5, 8.5, 14}};

/// By the binary logarithm of size / 64.
double tree_correction(Protocol p, double bytes) {
  constexpr std::array<std::array<double, 23>, 3> table = {
      {{1, 1, 1, 1, .9, .8, .7, .7, .7, .7, .6, .5, .4, .4, .5, .6, .7, .8, .9, 1, 1, 1, 1},
       {1, 1, 1, 1, 1, .9, .8, .8, .8, .7, .6, .6, .6, .6, .6, .6, .8, .9, .9, .9, .9, 1, 1},
       {.9, .9, .9, .9, .9, .9, .9, .8, .7, .6, .6, .5,
        .5, .5, .5, .6, .7, .8, .7, .7, .8, .9, .9}}};
  const double index = std::floor(std::log2(std::max(bytes / 64, 1.0)));
  return index < 23 ? table[p][static_cast<std::size_t>(index)] : 1;
}

}  // namespace

model::Answer<Seconds> nccl_tuner_time(Collective op, Bytes size, const model::Gpu& gpu,
                                       const Fabric& fabric) {
  if (op == Collective::send_recv) return model::refuse("NCCL's tuner doesn't model sends");
  const auto& gen = generation_of(gpu);
  const bool nvlink =
      (fabric.kind == Fabric::Kind::nvswitch || fabric.kind == Fabric::Kind::nvlink_all) &&
      fabric.nvlinks > 0;
  const double n = fabric.ranks(), nodes = fabric.servers, bytes = size.base();
  const std::size_t scale = fabric.servers > 2 ? 2 : static_cast<std::size_t>(fabric.servers - 1);
  const double channels = nvlink ? fabric.nvlinks : 2;
  // Gen3 x16 counts as 12 GB/s, Gen4 as 24: 12 GB/s for each 15.75 of raw rate.
  double bus = nvlink ? channels * gen.nvlink : fabric.pcie.base() / 15.75e9 * 12;
  if (fabric.servers > 1) bus = std::min(bus, fabric.network.base() / 1e9);
  const bool reduces = op == Collective::all_reduce;
  const double steps = reduces ? 2 * (n - 1) : n - 1;
  const double crossing = fabric.servers > 1 ? (reduces ? 2 * (nodes - 1) : nodes - 1) : 0;
  const auto& intra = nvlink ? over_nvlink : over_pcie;
  double best = std::numeric_limits<double>::infinity();
  const auto consider = [&](double latency_us, double gb_per_s) {
    if (gb_per_s > 0) best = std::min(best, latency_us + bytes / (1000 * gb_per_s));
  };
  for (const auto p : {ll, ll128, simple}) {
    if (p == ll128 && !nvlink) continue;
    double ring = bus;
    if (p == ll) ring = std::min(gen.ll_max[scale], bus / 2);
    if (p == ll128) ring = std::min(0.92 * bus, channels * gen.ring128);
    const double latency =
        ring_base[p] + (steps - crossing) * intra.ring[p] + crossing * over_network.ring[p];
    consider(latency, ring * n / steps);
    if (!reduces) continue;
    double tree = std::min(0.92 * bus, channels * gen.tree[scale]);
    if (p == ll) tree = std::min(tree / 3.8, gen.ll_max[scale]);
    if (p == ll128) tree *= fabric.servers == 1 ? 7.0 / 9 : 120.0 / 128;
    consider(tree_base[p] +
                 2 * ((n / nodes - 1) * intra.tree[p] + std::log2(nodes) * over_network.tree[p]),
             tree * 0.85 / 2 * tree_correction(p, bytes));
  }
  if (fabric.hopper && nvlink && fabric.gpus > 4 && fabric.servers == 1 && reduces) {
    const double efficiency = gpu.architecture == "Blackwell" ? 0.74 : 0.85;
    consider(25, 2 * bus * efficiency * (channels - 1) / channels / 2);
  }
  return Seconds::base(best * 1e-6);
}

}  // namespace gpuvet::accuracy
