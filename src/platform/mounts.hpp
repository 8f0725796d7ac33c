// SPDX-License-Identifier: Apache-2.0
// A view of the file system that only this process and what it becomes have: other folders in the
// place of /sys and of parts of /proc. Linux lets users do that to themselves, unless the site
// forbids it.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

class PrivateMounts {
 public:
  /// From here on this process's mounts are its own, and `folder`, which must be empty, holds a
  /// file system in memory. Call before any thread is started.
  static Result<PrivateMounts> begin(const std::string& folder);
  PrivateMounts(PrivateMounts&& other) noexcept : folder_{std::move(other.folder_)} {
    other.folder_.clear();
  }
  PrivateMounts& operator=(PrivateMounts&&) = delete;
  PrivateMounts(const PrivateMounts&) = delete;
  PrivateMounts& operator=(const PrivateMounts&) = delete;
  /// What was shown elsewhere stays; `folder` is empty again and can be removed.
  ~PrivateMounts();

  /// Shows `from`, a file or a folder with all below it, in the place of `to`, which must be there.
  Result<void> show(const std::string& from, const std::string& to) const;

 private:
  explicit PrivateMounts(std::string folder) : folder_{std::move(folder)} {}
  std::string folder_;
};

}  // namespace gpuvet::platform
