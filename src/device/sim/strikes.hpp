// SPDX-License-Identifier: Apache-2.0
// Inside the simulation: faults that change what was just copied or computed.
#pragma once

#include <vector>

#include "device/sim/machine.hpp"

namespace gpuvet::device {

/// A copy that loses or changes a piece: looks at the target before, and strikes it after.
class CopyStrike {
 public:
  /// From and to GPUs by index, -1 for the host; `work` tells which of many copies is struck.
  CopyStrike(Machine& machine, Range to, int source, int target, std::uint64_t work);
  void after() const;

 private:
  Range to_;
  const Plant* plant_ = nullptr;
  std::uint64_t offset_ = 0;  ///< bytes
  std::vector<std::byte> before_;
};

void strike_sum(SimulatedDevice& device, Range to);
void strike_input(SimulatedDevice& device, Range to, Precision precision, std::uint64_t seed);
void strike_product(SimulatedDevice& device, const Product& product);

}  // namespace gpuvet::device
