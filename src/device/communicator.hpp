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

/// Bytes of each rank's buffers for an operation of `bytes` as nccl-tests counts them: its larger
/// buffer. A multiple of 8 × ranks divides without rest.
struct CollectiveBytes {
  std::uint64_t send = 0, receive = 0;
};
CollectiveBytes bytes_of(Collective, std::uint64_t bytes, int ranks);

/// Where the devices of this process stand among those of all processes of a job.
struct World {
  int first = 0;   ///< rank of the first device here
  int ranks = 0;   ///< devices of all processes; 0: those here are all
  std::string id;  ///< nccl_unique_id() of the first process; empty where this is the only one
};

class Communicator {
 public:
  virtual ~Communicator() = default;
  /// Of all processes.
  [[nodiscard]] virtual int ranks() const = 0;
  /// The lowest rank in this process; the others here follow it.
  [[nodiscard]] virtual int first() const { return 0; }
  [[nodiscard]] virtual Transport transport(Collective, std::uint64_t bytes) const = 0;
  /// Enqueues one operation on fp32 sums; `send` and `receive` hold this process's ranks' parts in
  /// order, `streams` one each, and sizes are those of bytes_of(). Out of place: send stays as it
  /// was. Rank 0 is the root of broadcast and reduce (only its result counts); in sendrecv each
  /// rank sends to the next one and receives from the one before.
  virtual Result<void> run(Collective op, std::span<const Range> send,
                           std::span<const Range> receive, std::span<Stream* const> streams) = 0;
};

/// NCCL over GPUs, where its library is found. With several processes each calls it with its own
/// devices and the same id.
Result<std::unique_ptr<Communicator>> nccl_communicator(std::span<Device* const> devices,
                                                        const World& world = {});
/// What lets processes find each other (ncclGetUniqueId); the first one hands it to the others.
Result<std::string> nccl_unique_id();
/// Our own ring over copies between peers: works on any backend; never to be held against NCCL.
Result<std::unique_ptr<Communicator>> ring_communicator(std::span<Device* const> devices);

}  // namespace gpuvet::device
