// SPDX-License-Identifier: Apache-2.0
#include "platform/mounts.hpp"

#include <sched.h>
#include <sys/mount.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "platform/files.hpp"

namespace gpuvet::platform {
namespace {

tl::unexpected<Error> refused(const std::string& what) {
  const Errc code =
      errno == EPERM || errno == EACCES || errno == ENOSPC ? Errc::permission : Errc::not_supported;
  return fail(code, what + ": " + std::strerror(errno));
}

/// Names of ours inside the new user namespace are those outside, so that files keep their owners.
Result<void> keep_names(uid_t user, gid_t group) {
  const auto same = [](unsigned id) {
    return std::to_string(id) + " " + std::to_string(id) + " 1\n";
  };
  GPUVET_CHECK(write_new_file("/proc/self/setgroups", "deny"));
  GPUVET_CHECK(write_new_file("/proc/self/uid_map", same(user)));
  return write_new_file("/proc/self/gid_map", same(group));
}

}  // namespace

Result<PrivateMounts> PrivateMounts::begin(const std::string& folder) {
  const auto user = ::geteuid();
  const auto group = ::getegid();
  // Root needs no namespace of users; who may not have mounts without one gets both.
  if (::unshare(CLONE_NEWNS) != 0) {
    if (::unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0)
      return refused("this system lets nobody have mounts of their own");
    GPUVET_CHECK(keep_names(user, group));
  }
  if (::mount("none", "/", nullptr, MS_REC | MS_PRIVATE, nullptr) != 0)
    return refused("mounts cannot be made private");
  if (::mount("gpuvet", folder.c_str(), "tmpfs", MS_NOSUID | MS_NODEV, nullptr) != 0)
    return refused("no file system in memory at " + folder);
  return PrivateMounts(folder);
}

PrivateMounts::~PrivateMounts() {
  if (!folder_.empty()) ::umount2(folder_.c_str(), MNT_DETACH);
}

Result<void> PrivateMounts::show(const std::string& from, const std::string& to) const {
  if (::mount(from.c_str(), to.c_str(), nullptr, MS_BIND | MS_REC, nullptr) != 0)
    return refused(to + " cannot be replaced");
  return {};
}

}  // namespace gpuvet::platform
