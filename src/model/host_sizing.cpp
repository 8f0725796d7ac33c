// SPDX-License-Identifier: Apache-2.0
#include "model/host_sizing.hpp"

#include <cmath>

namespace gpuvet::model {
namespace {

HostNeed judged(HostNeed need, std::optional<double> has) {
  if (!has) return need;
  need.has = *has < need.least    ? Sufficiency::too_little
             : *has < need.enough ? Sufficiency::tight
                                  : Sufficiency::enough;
  need.has_by_article = *has < need.article ? Sufficiency::too_little : Sufficiency::enough;
  return need;
}

}  // namespace

std::string_view name(Sufficiency s) {
  switch (s) {
    case Sufficiency::enough:
      return "enough";
    case Sufficiency::tight:
      return "tight";
    case Sufficiency::too_little:
      return "too little";
    case Sufficiency::not_said:
      return "not said";
  }
  return "";
}

HostSizing::HostSizing(const Constants& c)
    : cores_least_(c.at("host.cores_least")),
      cores_enough_(c.at("host.cores_enough")),
      cores_article_(c.at("host.cores_article")),
      memory_least_(c.at("host.memory_least")),
      memory_enough_(c.at("host.memory_enough")),
      memory_article_(c.at("host.memory_article")),
      read_rate_(c.at("host.read_rate")),
      drive_rate_(c.at("host.drive_rate")),
      drives_article_(c.at("host.drives_article")),
      gpus_per_port_(c.at("host.gpus_per_port")),
      ports_article_(c.at("host.ports_article")) {}

std::vector<HostNeed> HostSizing::needs(const Gpu& gpu, int gpus, int servers,
                                        const Host& host) const {
  const double n = gpus, hbm = n * gpu.memory.base();
  const auto memory = host.memory ? std::optional(host.memory->base()) : std::optional<double>{};
  const double drives = std::ceil(n * read_rate_ / drive_rate_);
  const bool many = servers > 1;
  const double ports = many ? std::ceil(n / gpus_per_port_) : 0;
  return {
      judged({"cores", n * cores_least_, n * cores_enough_, n * cores_article_}, host.cores),
      judged({"memory", memory_least_ * hbm, memory_enough_ * hbm, n * memory_article_}, memory),
      judged({"drives", 1, drives, n * drives_article_}, host.drives),
      judged({"network ports", many ? 1.0 : 0.0, ports,
              many && gpus * servers > 4 ? ports_article_ : 0.0},
             host.network_ports)};
}

}  // namespace gpuvet::model
