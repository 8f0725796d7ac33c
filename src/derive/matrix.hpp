// SPDX-License-Identifier: Apache-2.0
// The matrix of `nvidia-smi topo -m` as a graph of GPUs and network adapters.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "evidence/evidence.hpp"

namespace gpuvet::derive {

/// How two devices reach each other, nearest first.
enum class Path { nvlink, pix, pxb, phb, node, sys };

std::string_view name(Path);

struct Cell {
  Path path = Path::sys;
  int links = 0;  ///< bonded NVLinks; 0 unless path is nvlink
};

struct Matrix {
  std::vector<std::string> gpus;                ///< subjects, in matrix order
  std::vector<std::string> nics;                ///< device names, in matrix order
  std::vector<std::vector<Cell>> between_gpus;  ///< [from][to]; the diagonal is meaningless
  std::vector<std::vector<Cell>> to_nics;       ///< [gpu][nic]
  std::vector<const Observation*> sources;
  std::vector<std::string> links_unread;  ///< GPUs whose NVLinks, if any, no source shows
  std::size_t line = 0;                   ///< of the header

  [[nodiscard]] int links(std::size_t a, std::size_t b) const {  ///< as both directions agree
    return std::min(between_gpus[a][b].links, between_gpus[b][a].links);
  }
  [[nodiscard]] int total_links(std::size_t gpu) const;
};

/// The first matrix in the evidence, else one made from places in the PCI tree and NVLinks' ends;
/// nothing when there is neither.
std::optional<Matrix> matrix_in(const Evidence&);

/// The second of these; nothing unless every GPU's place is known.
std::optional<Matrix> matrix_from_paths(const Evidence&);

/// Sets of GPUs that NVLinks connect, as indices; single GPUs included.
std::vector<std::vector<std::size_t>> nvlink_groups(const Matrix&);

/// Links that should be there: [a][b] with a < b. `sku_links` is how many one GPU has, `bridged`
/// whether its links go to one peer over bridges.
std::map<std::pair<std::size_t, std::size_t>, int> missing_links(const Matrix&,
                                                                 std::optional<int> sku_links,
                                                                 bool bridged);

/// More links in all than one GPU has: a switch shares them out.
bool through_switch(const Matrix&, std::size_t gpu, std::optional<int> sku_links);

}  // namespace gpuvet::derive
