// SPDX-License-Identifier: Apache-2.0
#include "model/collectives.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <initializer_list>

#include "core/text.hpp"
#include "model/ring.hpp"

namespace gpuvet::model {
namespace {

/// Around the size where two protocols are equally fast, both are slower than their own straight
/// lines by 2^(1/6), 12 %.
constexpr double sharpness = 6;

double fastest(std::initializer_list<double> times) {
  const double least = std::min(times);
  double sum = 0;
  for (const double t : times) sum += std::pow(least / t, sharpness);
  return least * std::pow(sum, -1 / sharpness);
}

/// Two limits of which the tighter one decides; a little less where they are equal.
double tighter(double a, double b) { return std::pow(std::pow(a, -8) + std::pow(b, -8), -1.0 / 8); }

double ring_steps(Collective op, int ranks) {
  return (op == Collective::all_reduce ? 2.0 : 1.0) * (ranks - 1);
}

}  // namespace

std::string_view name(Collective c) {
  constexpr std::array<std::string_view, 7> names = {
      "all_reduce", "all_gather", "reduce_scatter", "alltoall", "broadcast", "reduce", "sendrecv"};
  return names[static_cast<std::size_t>(c)];
}

double bus_factor(Collective c, int ranks) {
  const double n = ranks;
  switch (c) {
    case Collective::all_reduce:
      return 2 * (n - 1) / n;
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::all_to_all:
      return (n - 1) / n;
    case Collective::broadcast:
    case Collective::reduce:
    case Collective::send_recv:
      return 1;
  }
  return 1;
}

NcclStack nccl_stack(std::string_view version) {
  const auto parts = version_parts(version);
  NcclStack out;
  out.recent = parts.size() >= 2 && (parts[0] > 2 || (parts[0] == 2 && parts[1] >= 20));
  return out;
}

struct Collectives::Question {
  Collective op;
  double bytes;
  double traffic;  ///< bytes that every link of a ring carries
  const Fabric& fabric;
  const NcclStack& stack;
  double ring;  ///< bytes per second inside a server
  bool nvlink;
};

Collectives::Collectives(const Constants& c)
    : ring_share_(c.at("collectives.ring_share")),
      copy_ratio_(c.at("collectives.copy_ratio")),
      ll_base_(c.at("collectives.ll_base")),
      ll_step_(c.at("collectives.ll_step")),
      ll_rate_(c.at("collectives.ll_rate")),
      ll128_base_(c.at("collectives.ll128_base")),
      ll128_step_(c.at("collectives.ll128_step")),
      ll128_share_(c.at("collectives.ll128_share")),
      simple_base_(c.at("collectives.simple_base")),
      hopper_base_(c.at("collectives.hopper_base")),
      old_step_(c.at("collectives.old_step")),
      old_simple_(c.at("collectives.old_simple")),
      call_floor_(c.at("collectives.call_floor")),
      alltoall_share_(c.at("collectives.alltoall_share")),
      alltoall_base_(c.at("collectives.alltoall_base")),
      alltoall_hopper_(c.at("collectives.alltoall_hopper")),
      nvls_base_(c.at("collectives.nvls_base")),
      nvls_share_(c.at("collectives.nvls_share")),
      pcie_share_(c.at("collectives.pcie_share")),
      host_share_(c.at("collectives.host_share")),
      staged_share_(c.at("collectives.staged_share")),
      staged_power_(c.at("collectives.staged_power")),
      pcie_ll_base_(c.at("collectives.pcie_ll_base")),
      pcie_ll_step_(c.at("collectives.pcie_ll_step")),
      pcie_ll_share_(c.at("collectives.pcie_ll_share")),
      pcie_simple_base_(c.at("collectives.pcie_simple_base")),
      pcie_simple_step_(c.at("collectives.pcie_simple_step")),
      network_share_(c.at("collectives.network_share")),
      network_pair_(c.at("collectives.network_pair")),
      network_step_(c.at("collectives.network_step")),
      network_ll_share_(c.at("collectives.network_ll_share")),
      network_simple_step_(c.at("collectives.network_simple_step")),
      network_ring_step_(c.at("collectives.network_ring_step")),
      network_not_efa_(c.at("collectives.network_not_efa")),
      network_first_efa_(c.at("collectives.network_first_efa")),
      send_base_(c.at("collectives.send_base")),
      send_share_(c.at("collectives.send_share")),
      to_device_share_(c.at("collectives.to_device_share")),
      from_device_share_(c.at("collectives.from_device_share")),
      copy_base_(c.at("collectives.copy_base")) {}

Answer<BytesPerSecond> Collectives::ring_rate(const Fabric& fabric) const {
  if (fabric.gpus < 2) return refuse("one GPU has nobody to send to");
  const auto rings = fabric.rings ? *fabric.rings : best_rings(fabric);
  if (rings.rate.base() <= 0) return refuse("how the GPUs are joined is not known");
  return reached(rings, fabric);
}

BytesPerSecond Collectives::reached(const Fabric::Rings& rings, const Fabric& fabric) const {
  if (rings.nvlink) return ring_share_ * rings.rate;
  if (fabric.staged && fabric.gpus == 2) return host_share_ * fabric.pcie;
  // All write to and read from the same host memory, and more of it lies behind the other socket.
  if (fabric.staged)
    return staged_share_ * std::pow(4.0 / std::max(4, fabric.gpus), staged_power_) * fabric.pcie;
  return pcie_share_ * rings.rate;
}

Answer<Seconds> Collectives::time(Collective op, Bytes bytes, const Fabric& fabric,
                                  const NcclStack& stack) const {
  if (fabric.ranks() < 2) return Seconds{};
  if (fabric.servers > 1 && fabric.network.base() <= 0)
    return refuse("the network between the servers is not known");
  Question q{op,     bytes.base(), bus_factor(op, fabric.ranks()) * bytes.base(),
             fabric, stack,        fabric.network.base(),
             false};
  if (fabric.gpus > 1) {
    const auto rings = fabric.rings ? *fabric.rings : best_rings(fabric);
    if (rings.rate.base() <= 0) return refuse("how the GPUs are joined is not known");
    q.ring = reached(rings, fabric).base();
    q.nvlink = rings.nvlink;
  }
  if (op == Collective::send_recv) return point_to_point(q);
  const Seconds t = fabric.servers > 1 ? over_network(q) : q.nvlink ? over_nvlink(q) : over_pcie(q);
  if (!stack.framework_call || fabric.servers > 1) return t;
  const double floor = call_floor_ * (fabric.hopper ? hopper_base_ : 1);
  return Seconds::base(
      std::pow(std::pow(t.base(), sharpness) + std::pow(floor, sharpness), 1 / sharpness));
}

double Collectives::ll128_latency(const Question& q, double steps) const {
  return ll128_base_ * (q.fabric.hopper ? hopper_base_ : 1) +
         ll128_step_ * (q.stack.recent ? 1 : old_step_) * steps;
}

Seconds Collectives::over_nvlink(const Question& q) const {
  const int n = q.fabric.gpus;
  const double steps = ring_steps(q.op, n);
  const double hopper = q.fabric.hopper ? hopper_base_ : 1;
  const double step = ll_step_ * (q.stack.recent ? 1 : old_step_) * steps;
  // Each rank also copies its own part into place, which no link sees.
  const double own = q.bytes / n / (copy_ratio_ * q.ring);
  if (q.op == Collective::all_to_all) {
    // Sends to every peer at once, each in channels of its own: no LL128, no data in steps.
    const double ll = ll_base_ * hopper + step + q.bytes / n / ll_rate_;
    const double simple = alltoall_base_ * (q.fabric.hopper ? alltoall_hopper_ : 1) +
                          q.traffic / (alltoall_share_ * q.ring) + own;
    return Seconds::base(fastest({ll, simple}));
  }
  const double ll = ll_base_ * hopper + step + q.traffic / ll_rate_;
  const double ll128 = ll128_latency(q, steps) + q.traffic / (ll128_share_ * q.ring);
  const double simple =
      simple_base_ * hopper * (q.stack.recent ? 1 : old_simple_) + q.traffic / q.ring + own;
  const bool in_switch = q.op == Collective::all_reduce && q.fabric.hopper && n > 4 &&
                         q.fabric.kind == Fabric::Kind::nvswitch;
  if (!in_switch) return Seconds::base(fastest({ll, ll128, simple}));
  const double nvls = nvls_base_ + q.traffic * ring_share_ / (nvls_share_ * q.ring);
  return Seconds::base(fastest({ll, ll128, simple, nvls}));
}

Seconds Collectives::over_pcie(const Question& q) const {
  const double steps = ring_steps(q.op, q.fabric.gpus);
  const double ll = pcie_ll_base_ + pcie_ll_step_ * (q.stack.recent ? 1 : old_step_) * steps +
                    q.traffic / (pcie_ll_share_ * q.ring);
  const double simple = pcie_simple_base_ + pcie_simple_step_ * steps + q.traffic / q.ring;
  return Seconds::base(fastest({ll, simple}));
}

/// Of a hop, over one on EFA's second generation, which came with Hopper, or on TCP.
double Collectives::network_slowness(const Fabric& f) const {
  if (f.efa) return f.hopper ? 1 : network_first_efa_;
  return f.rdma ? network_not_efa_ : 1;
}

Seconds Collectives::over_network(const Question& q) const {
  const auto& f = q.fabric;
  const int servers = f.servers, n = f.ranks();
  const bool reduces = q.op == Collective::all_reduce;
  double network = network_share_ * f.network.base();
  // Two servers exchange as much as they send: one tree's way up is the other's way down.
  if (reduces && servers == 2) network *= network_pair_;
  if (q.op == Collective::all_to_all)
    network = network / f.gpus * (n - 1) / (n - f.gpus);  // only what leaves the server
  double rate = network;
  if (f.gpus > 1) {
    const bool in_switch =
        reduces && f.hopper && f.gpus > 4 && f.kind == Fabric::Kind::nvswitch && q.nvlink;
    rate = tighter(in_switch ? q.ring * nvls_share_ / ring_share_ : q.ring, network);
  }
  // Trees for all-reduce, whose depth grows with the logarithm; rings for the others.
  const double depth = std::log2(static_cast<double>(servers)) * (reduces ? 2 : 1);
  const double hops = (reduces ? 0 : servers - 2) * network_ring_step_;
  const double slow = network_slowness(f);
  const double inside = f.gpus > 1 ? ring_steps(q.op, f.gpus) : 0;
  const double ll = ll128_latency(q, inside) + slow * (depth * network_step_ + hops) +
                    q.traffic / (network_ll_share_ * rate);
  const double simple =
      ll128_latency(q, inside) + slow * (depth * network_simple_step_ + hops) + q.traffic / rate;
  return Seconds::base(fastest({ll, simple}));
}

Seconds Collectives::point_to_point(const Question& q) const {
  const auto& f = q.fabric;
  if (f.servers > 1) {
    // Done for the GPU when all bytes are with the adapter: nobody waits for their arrival.
    const double one = network_share_ * f.network.base() / f.gpus;
    return Seconds::base(send_base_ + q.bytes / one);
  }
  // One pair has one channel: through host memory it gets no more than it would in a ring of four.
  const double rate = q.nvlink   ? send_share_ * q.ring / ring_share_
                      : f.staged ? std::min(q.ring, staged_share_ * f.pcie.base())
                                 : q.ring;
  return Seconds::base(send_base_ + q.bytes / rate);
}

Seconds Collectives::host_copy(Bytes bytes, bool to_device, BytesPerSecond slot) const {
  return Seconds::base(copy_base_) +
         bytes / ((to_device ? to_device_share_ : from_device_share_) * slot);
}

}  // namespace gpuvet::model
