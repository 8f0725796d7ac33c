// SPDX-License-Identifier: Apache-2.0
// NCCL has no call that tells which algorithm it took; its log does (NCCL_DEBUG=INFO,
// NCCL_DEBUG_SUBSYS=TUNING).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "device/communicator.hpp"

namespace gpuvet::device::nccl {

/// "2.28.9" of 22809; versions before 2.9 were counted in thousands (2708).
std::string version_text(int code);

struct Choice {
  std::string algorithm, protocol;  ///< lower case: "ring", "nvls", "ll128"
};

/// What NCCL said last about `op` of `bytes` (those of the larger buffer, as NCCL counts); of both
/// forms of the line:
///   AllReduce: 8388608 Bytes -> Algo RING proto SIMPLE channel{Lo..Hi}={0..23}
///   8388608 Bytes -> Algo 1 proto 2 time 61.2
std::optional<Choice> choice_in(std::string_view log, Collective op, std::uint64_t bytes);

/// The log of this process's NCCL, in a file that has no name any more once NCCL has opened it.
class Log {
 public:
  /// To be called before NCCL is first used: it reads its environment then. Without effect where
  /// the user has other plans for the log, or the environment was used up.
  static Log& of_process();

  /// NCCL has begun to write.
  void opened();
  /// What was written lately.
  std::string_view recent();

 private:
  Log();

  static constexpr std::size_t most = std::size_t{1} << 20;
  int file_ = -1;
  std::string path_;
  std::uint64_t seen_ = 0;
  std::string text_;
};

}  // namespace gpuvet::device::nccl
