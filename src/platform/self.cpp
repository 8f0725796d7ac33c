// SPDX-License-Identifier: Apache-2.0
#include "platform/self.hpp"

#include <fcntl.h>
#include <stdlib.h>  // NOLINT(modernize-deprecated-headers): setenv and mkdtemp are POSIX
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <cstring>
#include <ctime>
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

namespace {

constexpr std::string_view scratch_name = "gpuvet-";
constexpr std::size_t scratch_random = 6;
/// A folder younger than this may not be locked yet.
constexpr double settled = 600;  // seconds

/// Folders in `base` that are ours by name and owner, and that nobody uses any more.
void remove_left_behind(const std::filesystem::path& base) {
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(base, ignored)) {
    const auto name = entry.path().filename().string();
    if (!name.starts_with(scratch_name) || name.size() != scratch_name.size() + scratch_random)
      continue;
    const int folder =
        ::open(entry.path().c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (folder < 0) continue;
    struct stat status {};
    const bool ours = ::fstat(folder, &status) == 0 && status.st_uid == ::geteuid();
    const bool old = std::difftime(std::time(nullptr), status.st_mtime) > settled;
    if (ours && old && ::flock(folder, LOCK_EX | LOCK_NB) == 0)
      std::filesystem::remove_all(entry.path(), ignored);
    ::close(folder);
  }
}

}  // namespace

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
  remove_left_behind(base);
  std::string pattern = (base / scratch_name).string() + std::string(scratch_random, 'X');
  if (::mkdtemp(pattern.data()) == nullptr)
    return fail(Errc::permission, pattern + ": " + std::strerror(errno));
  const int held = ::open(pattern.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (held >= 0) ::flock(held, LOCK_SH | LOCK_NB);
  return ScratchFolder(std::move(pattern), held);
}

ScratchFolder::ScratchFolder(ScratchFolder&& other) noexcept
    : path_{std::exchange(other.path_, {})}, held_{std::exchange(other.held_, -1)} {}

ScratchFolder::~ScratchFolder() {
  std::error_code ignored;
  if (!path_.empty()) std::filesystem::remove_all(path_, ignored);
  if (held_ >= 0) ::close(held_);
}

}  // namespace gpuvet::platform
