// SPDX-License-Identifier: Apache-2.0
// Places for findings on one device, each with its copy in host memory. A stream has as many as it
// has checks under way.
#pragma once

#include <functional>
#include <vector>

#include "core/result.hpp"
#include "device/cuda/findings.hpp"

struct CUstream_st;

namespace gpuvet::device::cuda {

class FindingsPool {
 public:
  FindingsPool() = default;
  FindingsPool(const FindingsPool&) = delete;
  FindingsPool& operator=(const FindingsPool&) = delete;
  ~FindingsPool();

  /// Allocates the first places, so that checks work when all memory is taken.
  Result<void> prepare();
  /// Enqueues on `stream`: a cleared place, `launch` with it, and its way home. `take` gets what
  /// was found, in collect().
  Result<void> run(CUstream_st* stream, const std::function<int(Findings*)>& launch,
                   std::function<void(const Findings&)> take);
  /// Hands out what was found; all work is done.
  void collect();
  /// The device may still write here: nothing is ever freed.
  void abandon() { chunks_.clear(); }

 private:
  struct Chunk {
    Findings* there;
    Findings* here;
  };
  struct Pending {
    const Findings* here;
    std::function<void(const Findings&)> take;
  };
  static constexpr std::size_t places = 32;  ///< of a chunk

  std::vector<Chunk> chunks_;
  std::vector<Pending> pending_;
};

}  // namespace gpuvet::device::cuda
