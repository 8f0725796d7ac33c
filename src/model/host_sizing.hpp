// SPDX-License-Identifier: Apache-2.0
// Cores, memory, drives and network ports that a host needs beside its GPUs, with the article's
// rule next to ours.
#pragma once

#include <optional>
#include <string_view>
#include <vector>

#include "model/constants.hpp"
#include "model/gpu.hpp"

namespace gpuvet::model {

enum class Sufficiency { enough, tight, too_little, not_said };

std::string_view name(Sufficiency);

/// What a server has; nothing where it is not known. Cores are physical.
struct Host {
  std::optional<double> cores, drives, network_ports;
  std::optional<Bytes> memory;
};

struct HostNeed {
  std::string_view what;  ///< "cores", "memory", "drives", "network ports"
  double least = 0;       ///< of the whole server; memory in bytes
  double enough = 0;
  double article = 0;
  Sufficiency has = Sufficiency::not_said;             ///< by our rule
  Sufficiency has_by_article = Sufficiency::not_said;  ///< enough or too little by the article's
};

class HostSizing {
 public:
  explicit HostSizing(const Constants&);

  /// For `gpus` in one server of a group of `servers`: one server alone needs no fast network.
  [[nodiscard]] std::vector<HostNeed> needs(const Gpu&, int gpus, int servers,
                                            const Host& = {}) const;

 private:
  double cores_least_, cores_enough_, cores_article_;
  double memory_least_, memory_enough_, memory_article_;
  double read_rate_, drive_rate_, drives_article_, gpus_per_port_, ports_article_;
};

}  // namespace gpuvet::model
