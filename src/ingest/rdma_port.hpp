// SPDX-License-Identifier: Apache-2.0
// How the tools around InfiniBand and RoCE write the facts of an adapter's port: the same values
// under many names, shared by the importers of ibstat, ibstatus, ibv_devinfo, rdma and sysfs.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// Ports that one file may name.
inline constexpr std::size_t most_rdma_ports = 1024;

/// Whether `s` can be a device: it becomes a subject.
bool is_rdma_device(std::string_view s);

/// "nic:mlx5_0"; "nic:mlx5_0/2" for the second port.
std::string rdma_subject(std::string_view device, std::int64_t port);

/// Records what `key` says, if it is a fact that we keep: on `device` those that an adapter has
/// once, on `port` the others. A value that cannot be is an error with `line`.
Result<void> record_rdma(Recorder& out, const std::string& device, const std::string& port,
                         std::string_view key, std::string_view value, std::size_t line);

/// The device and port whose rows are being read, and whether the last of them was whole: a rate
/// or state may be cut in the middle, and every block ends with its link layer.
class RdmaBlocks {
 public:
  explicit RdmaBlocks(Recorder& out) : out_{out} {}

  Result<void> device(std::string_view name, std::size_t line);
  Result<void> port(std::string_view number, std::size_t line);
  Result<void> fact(std::string_view key, std::string_view value, std::size_t line);
  /// What `tool` told so far must be whole.
  Result<void> finish(std::string_view tool, std::size_t line);

 private:
  Result<void> close(std::size_t line);

  Recorder& out_;
  std::string name_, device_, port_;
  std::size_t ports_ = 0;
  bool layer_ = false, state_ = false;
};

}  // namespace gpuvet::ingest
