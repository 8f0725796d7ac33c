// SPDX-License-Identifier: Apache-2.0
// Collective operations over several devices of one process, or of several through MPI.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "device/device.hpp"

namespace gpuvet::device {

/// As nccl-tests names and defines them.
enum class Collective {
  all_reduce,
  all_gather,
  reduce_scatter,
  broadcast,
  reduce,
  alltoall,
  sendrecv,
};
std::string_view name(Collective);

/// What bandwidth means: busbw = algbw × factor (nccl-tests, doc/PERFORMANCE.md).
double bus_factor(Collective, int ranks);

/// What carries the data and how, as far as it tells.
struct Transport {
  std::string library;    ///< "NCCL 2.28.9", "ring over peer copies", "MPI (Open MPI 4.1.4)"
  std::string algorithm;  ///< "ring", "tree", "nvls"; empty: it does not tell
  std::string protocol;   ///< "simple", "ll", "ll128"
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  [[nodiscard]] virtual int ranks() const = 0;
  [[nodiscard]] virtual Transport transport(Collective, std::uint64_t bytes) const = 0;
  /// Enqueues one operation on fp32 sums; `send` and `receive` hold this process's ranks' parts in
  /// order, `streams` one each. Sizes are nccl-tests': all_gather receives ranks × its send size.
  virtual Result<void> run(Collective op, std::span<const Range> send,
                           std::span<const Range> receive, std::span<Stream* const> streams) = 0;
};

/// NCCL over GPUs, where its library is found.
Result<std::unique_ptr<Communicator>> nccl_communicator(std::span<Device* const> devices);
/// Our own ring over copies between peers: works on any backend; never to be held against NCCL.
Result<std::unique_ptr<Communicator>> ring_communicator(std::span<Device* const> devices);

}  // namespace gpuvet::device
