// SPDX-License-Identifier: Apache-2.0
#include "platform/scratch_file.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <memory>

#include "platform/aligned.hpp"

namespace gpuvet::platform {
namespace {

struct Known {
  std::uint32_t magic;
  const char* name;
  bool in_memory = false, over_network = false;
};
// linux/magic.h lacks those of file systems that live outside the kernel.
constexpr std::array known{
    Known{0x01021994, "tmpfs", true},
    Known{0x858458f6, "ramfs", true},
    Known{0x958458f6, "hugetlbfs", true},
    Known{0xef53, "ext4"},
    Known{0x58465342, "xfs"},
    Known{0x9123683e, "btrfs"},
    Known{0x2fc12fc1, "zfs"},
    Known{0xf2f52010, "f2fs"},
    Known{0x794c7630, "overlayfs"},
    Known{0x6969, "nfs", false, true},
    Known{0xff534d42, "cifs", false, true},
    Known{0xfe534d42, "smb", false, true},
    Known{0x0bd00bd0, "lustre", false, true},
    Known{0x47504653, "gpfs", false, true},
    Known{0x00c36400, "ceph", false, true},
    Known{0x19830326, "beegfs", false, true},
    Known{0x65735546, "fuse"},
};

Error system_error(std::string what) {
  const int number = errno;
  const Errc code = number == EACCES || number == EPERM || number == EROFS ? Errc::permission
                    : number == ENOENT                                     ? Errc::not_found
                    : number == EINVAL || number == EOPNOTSUPP             ? Errc::not_supported
                    : number == ENOSPC                                     ? Errc::too_large
                                                                           : Errc::vendor_failure;
  return {code, std::move(what) + ": " + std::strerror(number), 0, {}, {}};
}

}  // namespace

Result<FolderSpace> folder_space(const std::string& folder) {
  struct statfs raw {};
  if (::statfs(folder.c_str(), &raw) != 0) return tl::make_unexpected(system_error(folder));
  const auto unit = static_cast<std::uint64_t>(raw.f_bsize);
  FolderSpace out;
  out.total = raw.f_blocks * unit;
  out.free = raw.f_bavail * unit;
  const auto magic = static_cast<std::uint32_t>(raw.f_type);
  const auto* found =
      std::find_if(known.begin(), known.end(), [&](const Known& k) { return k.magic == magic; });
  if (found == known.end()) {
    out.filesystem = fmt::format("{:#x}", magic);
    return out;
  }
  out.filesystem = found->name;
  out.in_memory = found->in_memory;
  out.over_network = found->over_network;
  return out;
}

Result<ScratchFile> ScratchFile::create(const std::string& folder) {
  int descriptor = ::open(folder.c_str(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
  if (descriptor < 0 && (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)) {
    // Network file systems know no nameless files: it has a name for a moment.
    std::string name = folder + "/.gpuvet-XXXXXX";
    descriptor = ::mkostemp(name.data(), O_CLOEXEC);
    if (descriptor >= 0) ::unlink(name.c_str());
  }
  if (descriptor < 0) return tl::make_unexpected(system_error(folder));
  return ScratchFile(descriptor);
}

ScratchFile::~ScratchFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

std::string ScratchFile::path() const {
  return fmt::format("/proc/{}/fd/{}", ::getpid(), descriptor_);
}

Result<std::uint64_t> ScratchFile::write(
    std::uint64_t bytes, std::size_t block,
    const std::function<void(std::uint64_t, std::span<std::byte>)>& fill,
    const std::function<bool()>& stop) {
  const int direct = ::open(path().c_str(), O_WRONLY | O_DIRECT | O_CLOEXEC);
  if (direct < 0) return tl::make_unexpected(system_error("opening a file past the page cache"));
  const auto memory = aligned_memory(block);
  std::uint64_t done = 0;
  while (done < bytes && !stop()) {
    const auto piece = static_cast<std::size_t>(std::min<std::uint64_t>(block, bytes - done));
    fill(done, {memory.get(), piece});
    const auto n = ::pwrite(direct, memory.get(), piece, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n != static_cast<ssize_t>(piece)) {
      if (n >= 0) errno = ENOSPC;
      auto error = system_error("writing the file of the test");
      ::close(direct);
      return tl::make_unexpected(std::move(error));
    }
    done += piece;
  }
  const bool synced = ::fdatasync(direct) == 0;
  auto error = system_error("writing the file of the test");
  ::close(direct);
  if (!synced) return tl::make_unexpected(std::move(error));
  return done;
}

}  // namespace gpuvet::platform
