// SPDX-License-Identifier: Apache-2.0
#include "model/collectives.hpp"

#include <algorithm>
#include <array>

namespace gpuvet::model {

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

Collectives::Collectives(const Constants& c)
    : step_latency_(c.at("collectives.step_latency")), share_(c.at("collectives.share")) {}

Answer<Seconds> Collectives::time(Collective op, Bytes bytes, const Fabric& fabric) const {
  if (fabric.ranks() < 2) return Seconds{};
  BytesPerSecond bus = fabric.nvlinks > 0 && fabric.kind != Fabric::Kind::pcie
                           ? static_cast<double>(fabric.nvlinks) * fabric.nvlink_each
                           : fabric.pcie;
  if (fabric.servers > 1) {
    if (fabric.network.base() <= 0) return refuse("the network between the servers is not known");
    bus = std::min(bus, fabric.network);
  }
  if (bus.base() <= 0) return refuse("how the GPUs are joined is not known");
  const double steps = op == Collective::all_reduce ? 2 : 1;
  return Seconds::base(step_latency_ * steps * (fabric.ranks() - 1)) +
         bus_factor(op, fabric.ranks()) * bytes / (share_ * bus);
}

}  // namespace gpuvet::model
