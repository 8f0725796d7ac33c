// SPDX-License-Identifier: Apache-2.0
// Other programs, and calls that may never return. Nothing here goes through a shell.
#pragma once

#include <cstddef>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

struct Program {
  std::string path;  ///< absolute
  std::vector<std::string> arguments;
  /// All of the program's environment; nothing of ours is handed on but what stands here.
  std::vector<std::pair<std::string, std::string>> environment = {{"LC_ALL", "C"},
                                                                  {"PATH", "/usr/sbin:/usr/bin"}};
  double limit = 10;                         ///< seconds, after which it is killed
  std::size_t most = std::size_t{16} << 20;  ///< bytes of output, after which it is killed
  /// Asked several times a second; true ends it (cancelled).
  std::function<bool()> stopped = {};
};

struct Finished {
  int status = 0;  ///< exit status; 128 + the signal when one ended it
  std::string output, errors;
};

/// Runs a program to its end, its standard input empty. It and what it started are killed when the
/// time is up (timeout) or when it writes too much (too_large).
Result<Finished> run(const Program& program);

/// Where the tool `name` lies, in the system's folders for programs and not in $PATH. As root, only
/// a file that nobody but root can change; else the error says whose it is.
Result<std::string> find_tool(std::string_view name);
/// The same in `folders`, each with a slash at its end.
Result<std::string> find_tool_in(std::span<const std::string_view> folders, std::string_view name);

/// Bytes that `work` writes before it ends or falls silent for `quiet` seconds, from a child
/// process: a thread stuck in the kernel could not be ended. `work` gets the descriptor to write
/// to. A silent child is killed or, where even that does not help, left behind; `timed_out` says so
/// and what came is kept.
struct Isolated {
  std::string output;
  bool timed_out = false;
  int status = 0;  ///< exit status; 128 + the signal when one ended it
};
Result<Isolated> isolated(const std::function<void(int fd)>& work, double quiet,
                          std::size_t most = std::size_t{64} << 20);

}  // namespace gpuvet::platform
