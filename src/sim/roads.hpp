// SPDX-License-Identifier: Apache-2.0
// What the parts of a simulated server carry in a second, and which parts a transfer crosses. Work
// that meets in one part shares it (flows.hpp in device/sim).
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "sim/world.hpp"

namespace gpuvet::sim {

/// An index into Roads::capacity().
using Part = std::size_t;

/// What a piece of work takes of one part, in the part's unit.
struct Use {
  Part part = 0;
  double amount = 0;
};

class Roads {
 public:
  /// Of the world as it is now: links that are down or narrow carry less. `kinds` has its GPUs.
  static Result<Roads> of(const World& world, const catalogue::Catalogue& kinds);

  /// Per second: bytes of links and memories; of "gpuN.compute", seconds of the whole GPU.
  [[nodiscard]] const std::vector<double>& capacity() const { return capacity_; }
  [[nodiscard]] double& capacity(Part part) { return capacity_[part]; }

  /// `bytes` of a kernel over the GPU's own memory, at `share` of the data sheet's rate.
  [[nodiscard]] std::vector<Use> in_memory(int gpu, double bytes, double share) const;
  /// Operations of a precision ("bf16") at `share` of the data sheet's rate; none where the data
  /// sheet has no such rate.
  [[nodiscard]] std::vector<Use> compute(int gpu, std::string_view precision, double operations,
                                         double share) const;
  /// Bytes from a GPU (or the host, -1) to another.
  [[nodiscard]] std::vector<Use> transfer(int from, int to, double bytes) const;
  /// Whether the way between two GPUs is NVLink.
  [[nodiscard]] bool nvlink(int a, int b) const;
  /// Seconds that a word needs from one GPU (or the host, -1) to another.
  [[nodiscard]] double latency(int from, int to) const;
  [[nodiscard]] bool has_rate(int gpu, std::string_view precision) const;

  /// The part that a pair's NVLinks are, or the PCIe link above a GPU: what a fault makes slower.
  [[nodiscard]] Part pair(int from, int to) const;
  [[nodiscard]] Part host_link(int gpu, bool up) const;
  [[nodiscard]] Part memory(int gpu) const;
  [[nodiscard]] Part processors(int gpu) const;

 private:
  Part part(const std::string& name) const;
  Part add(const std::string& name, double capacity);
  void add_gpu(const Gpu& gpu, const catalogue::Gpu& kind);
  void add_links(const World& world);

  std::vector<double> capacity_;
  std::map<std::string, Part, std::less<>> names_;
  struct Own {
    Place place;
    double clock_share = 1;
    std::map<std::string, double, std::less<>> rates;
    std::vector<double> nvlink;  ///< bytes per second to each GPU; 0: no link
    bool to_switch = false;
  };
  std::vector<Own> gpus_;
};

}  // namespace gpuvet::sim
