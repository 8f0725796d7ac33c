// SPDX-License-Identifier: Apache-2.0
// A child process whose words are heard as they come, and the user's wish to stop.
#pragma once

#include <functional>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet::platform {

struct Watch {
  double quiet = 60;                                  ///< seconds of silence, then it is ended
  std::function<void(std::string_view bytes)> heard;  ///< what it wrote, as it comes
  std::function<bool()> stop;  ///< asked several times a second; true: the child shall end
  double grace = 10;           ///< seconds between asking it to end (SIGTERM) and killing it
};

struct Watched {
  bool silent = false;   ///< it fell silent and was killed
  bool stopped = false;  ///< because `stop` said so
  int status = 0;        ///< exit status; 128 + the signal when one ended it
};

/// Runs `work` in a child process, which gets the descriptor to write to. It dies with this
/// process, however that ends; where it is stuck in the kernel it is left behind.
Result<Watched> watched(const std::function<void(int fd)>& work, const Watch& watch);

/// From now on ^C and SIGTERM only set a flag, here and in children that watched() starts.
void catch_interrupts();
/// Whether one of them came.
bool interrupted();

}  // namespace gpuvet::platform
