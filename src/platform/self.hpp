// SPDX-License-Identifier: Apache-2.0
// This process: where its program lies, its environment, and what it turns into.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

/// The file that this program was started from.
Result<std::string> own_path();

/// For this process and all that it starts.
void set_environment(const std::string& name, const std::string& value);

/// Becomes the command that the user gave, found in the user's own $PATH; returns only when that
/// fails.
Error become(const std::vector<std::string>& command);

/// An empty folder of our own, removed with all that is in it when this ends. What was left behind
/// by a gpuvet that was killed is removed by the next one.
class ScratchFolder {
 public:
  static Result<ScratchFolder> make();
  ScratchFolder(ScratchFolder&& other) noexcept;
  ScratchFolder& operator=(ScratchFolder&&) = delete;
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  ~ScratchFolder();
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  ScratchFolder(std::string path, int held) : path_{std::move(path)}, held_{held} {}
  std::string path_;
  int held_ = -1;  ///< the folder, locked as long as it is in use
};

}  // namespace gpuvet::platform
