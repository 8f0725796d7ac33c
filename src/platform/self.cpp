// SPDX-License-Identifier: Apache-2.0
#include "platform/self.hpp"

#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): setenv and mkdtemp are POSIX
#include <unistd.h>

#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>
#include <utility>

#include "platform/terminal.hpp"

namespace gpuvet::platform {

Result<std::string> own_path() {
  std::array<char, PATH_MAX> path{};
  const auto length = ::readlink("/proc/self/exe", path.data(), path.size());
  if (length <= 0)
    return fail(Errc::not_found, std::string("/proc/self/exe: ") + std::strerror(errno));
  return std::string(path.data(), static_cast<std::size_t>(length));
}

void set_environment(const std::string& name, const std::string& value) {
  ::setenv(name.c_str(), value.c_str(), 1);  // NOLINT(concurrency-mt-unsafe): before any thread
}

Error become(const std::vector<std::string>& command) {
  std::vector<char*> arguments;
  arguments.reserve(command.size() + 1);
  // execvp takes char* for historical reasons and changes nothing.
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));  // NOLINT
  arguments.push_back(nullptr);
  ::execvp(arguments.front(), arguments.data());
  const bool absent = errno == ENOENT;
  return {absent ? Errc::not_found : Errc::permission,
          command.front() + ": " + std::strerror(errno),
          0,
          {},
          {}};
}

Result<ScratchFolder> ScratchFolder::make() {
  // Thousands of small files: memory is kinder than a disk, unless the user names a place.
  constexpr const char* in_memory = "/dev/shm";
  std::filesystem::path base = in_memory;
  if (!environment("TMPDIR").empty() || ::access(in_memory, W_OK | X_OK) != 0) {
    std::error_code refused;
    base = std::filesystem::temp_directory_path(refused);
    if (refused)
      return fail(Errc::not_found, "no folder for temporary files: " + refused.message());
  }
  std::string pattern = (base / "gpuvet-XXXXXX").string();
  if (::mkdtemp(pattern.data()) == nullptr)
    return fail(Errc::permission, pattern + ": " + std::strerror(errno));
  return ScratchFolder(std::move(pattern));
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_{std::exchange(other.path_, {})} {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
}

}  // namespace gpuvet::platform
