// SPDX-License-Identifier: Apache-2.0
#include "platform/root.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>

#include "core/text.hpp"
#include "platform/files.hpp"

namespace gpuvet::platform {
namespace {

namespace fs = std::filesystem;

tl::unexpected<Error> refused(std::string_view path, int error) {
  const Errc code = error == ENOENT || error == ENOTDIR ? Errc::not_found
                    : error == EACCES || error == EPERM ? Errc::permission
                                                        : Errc::not_supported;
  return tl::make_unexpected(Error{code, std::strerror(error), 0, {std::string(path)}, {}});
}

}  // namespace

Root::Root(std::string prefix) : prefix_{std::move(prefix)} {
  while (prefix_.ends_with('/')) prefix_.pop_back();
}

std::string Root::at(std::string_view path) const { return prefix_ + std::string(path); }

Result<std::string> Root::read(std::string_view path, std::size_t limit) const {
  auto text = read_file(at(path), limit);
  // A driver that has nothing to say fails the read, not the open.
  if (!text && text.error().code == Errc::vendor_failure) text.error().code = Errc::not_supported;
  return text;
}

Result<std::string> Root::line(std::string_view path) const {
  constexpr std::size_t small = 4096;
  GPUVET_TRY(const auto text, read(path, small));
  return std::string(trim(std::string_view(text).substr(0, text.find('\n'))));
}

Result<std::vector<std::string>> Root::list(std::string_view path) const {
  std::error_code error;
  std::vector<std::string> out;
  fs::directory_iterator it(at(path), error);
  if (error) return refused(path, error.value());
  for (; it != fs::directory_iterator(); it.increment(error)) {
    if (error) return refused(path, error.value());
    out.push_back(it->path().filename().string());
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::string> Root::link(std::string_view path) const {
  std::array<char, 4096> target{};
  const auto length = ::readlink(at(path).c_str(), target.data(), target.size());
  if (length < 0) return refused(path, errno);
  return std::string(target.data(), static_cast<std::size_t>(length));
}

Result<std::string> Root::link_name(std::string_view path) const {
  GPUVET_TRY(const auto target, link(path));
  return target.substr(target.find_last_of('/') + 1);
}

bool Root::exists(std::string_view path) const {
  std::error_code error;
  return fs::exists(fs::symlink_status(at(path), error));
}

}  // namespace gpuvet::platform
