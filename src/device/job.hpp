// SPDX-License-Identifier: Apache-2.0
// Several processes that were started together, such as by mpirun: who is who, and small messages
// between them. All of them must call each function here in the same order.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "device/communicator.hpp"

namespace gpuvet::device {

class Job {
 public:
  virtual ~Job() = default;
  [[nodiscard]] virtual int rank() const = 0;
  [[nodiscard]] virtual int size() const = 0;
  /// "Open MPI 4.1.4"
  [[nodiscard]] virtual std::string library() const = 0;
  /// The same on every process: the host's name of each rank.
  [[nodiscard]] virtual const std::vector<std::string>& hosts() const = 0;
  /// How many processes there are on this one's host, and which of them it is.
  struct Place {
    int size = 1, rank = 0;
  };
  [[nodiscard]] Place place() const;
  /// Bytes of `root` to all; sizes agree.
  virtual Result<void> broadcast(std::span<std::byte> bytes, int root) = 0;
  /// Everybody's numbers, in the order of ranks; all have as many.
  virtual Result<std::vector<double>> gather(std::span<const double> numbers) = 0;
  virtual Result<void> barrier() = 0;
  /// One operation on host memory, done when this comes back; sizes as bytes_of() says.
  virtual Result<void> run(Collective op, std::span<const float> send,
                           std::span<float> receive) = 0;
};

/// What a launcher says before MPI is started: this process's rank; none where it started nothing.
std::optional<int> launched_rank();

/// The job that mpirun or srun has started this process in; not_supported where none has, or where
/// gpuvet came without its MPI library.
Result<std::unique_ptr<Job>> mpi_job();

/// Collective operations of a job over host memory, one rank a process.
std::unique_ptr<Communicator> job_communicator(Job& job);

}  // namespace gpuvet::device
