// SPDX-License-Identifier: Apache-2.0
// What ranks send, and what they must receive. All values are small integers, so that sums are
// exact in any order and every element can be compared.
#pragma once

#include <memory>
#include <vector>

#include "device/communicator.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {

/// Element `index` of what `rank` sends.
float collective_value(int rank, std::uint64_t index);

class CollectiveData {
 public:
  /// Buffers of this process's ranks, filled.
  static Result<CollectiveData> make(Context& context, const device::Communicator& communicator,
                                     device::Collective op, std::uint64_t bytes);

  Result<void> enqueue(device::Communicator& communicator, device::Collective op) {
    return communicator.run(op, send_ranges_, receive_ranges_, stream_pointers_);
  }
  Result<void> synchronize();
  /// Runs once over spoiled results; how many 8-byte words are not as due, here.
  Result<double> wrong(device::Communicator& communicator, device::Collective op);
  /// Seconds of one run by the clock of each rank here.
  Result<std::vector<double>> rank_seconds(device::Communicator& communicator,
                                           device::Collective op);

 private:
  explicit CollectiveData(Context& context) : context_{&context} {}

  Context* context_;
  std::vector<device::Device*> devices_;
  std::vector<device::Buffer> send_, receive_, due_;
  std::vector<std::unique_ptr<device::Stream>> streams_;
  std::vector<device::Range> send_ranges_, receive_ranges_;
  std::vector<device::Stream*> stream_pointers_;
  int first_ = 0;
};

}  // namespace gpuvet::probe
