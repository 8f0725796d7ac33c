// SPDX-License-Identifier: Apache-2.0
#include "platform/cufile.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "platform/library.hpp"

namespace gpuvet::platform {
namespace {

// As cufile.h lays them out.
struct Status {
  int error = 0;   ///< above 5000
  int driver = 0;  ///< CUresult
};
struct Description {
  int kind = 1;  ///< CU_FILE_HANDLE_TYPE_OPAQUE_FD
  union {
    int descriptor;
    void* handle;
  } of{};
  const void* operations = nullptr;
};
static_assert(sizeof(Description) == 24 && offsetof(Description, of) == 8);

using DriverOpen = Status();
using HandleRegister = Status(void** handle, Description* description);
using HandleDeregister = void(void* handle);
using Read = ssize_t(void* handle, void* base, std::size_t bytes, off_t offset, off_t into);

}  // namespace

struct CuFile::Calls {
  Library library;
  HandleRegister* register_handle;
  HandleDeregister* deregister_handle;
  Read* read;
};

Result<CuFile> CuFile::open() {
  GPUVET_TRY(auto library,
             Library::open({"libcufile.so.0", "/usr/local/cuda/lib64/libcufile.so.0"}));
  auto* driver_open = library.symbol<DriverOpen>("cuFileDriverOpen");
  auto* register_handle = library.symbol<HandleRegister>("cuFileHandleRegister");
  auto* deregister_handle = library.symbol<HandleDeregister>("cuFileHandleDeregister");
  auto* read = library.symbol<Read>("cuFileRead");
  if (driver_open == nullptr || register_handle == nullptr || deregister_handle == nullptr ||
      read == nullptr)
    return fail(Errc::not_supported, library.name() + " lacks a call that reads");
  ::setenv("CUFILE_ALLOW_COMPAT_MODE", "false", 1);
  if (const auto status = driver_open(); status.error != 0)
    return fail(Errc::vendor_failure,
                fmt::format("cuFileDriverOpen: error {} (CUDA {})", status.error, status.driver));
  return CuFile(std::make_shared<const Calls>(
      Calls{std::move(library), register_handle, deregister_handle, read}));
}

Result<CuFile::File> CuFile::file(const std::string& path) const {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC);
  if (descriptor < 0) return fail(Errc::not_supported, path + ": " + std::strerror(errno));
  Description description;
  description.of.descriptor = descriptor;
  void* handle = nullptr;
  if (const auto status = calls_->register_handle(&handle, &description); status.error != 0) {
    ::close(descriptor);
    return fail(
        Errc::not_supported,
        fmt::format("cuFileHandleRegister: error {} (CUDA {}): the file system takes no part "
                    "in GPUDirect Storage",
                    status.error, status.driver));
  }
  return File(*this, descriptor, handle);
}

CuFile::File::File(File&& other) noexcept
    : library_{other.library_}, descriptor_{other.descriptor_}, handle_{other.handle_} {
  other.handle_ = nullptr;
  other.descriptor_ = -1;
}

CuFile::File::~File() {
  if (handle_ != nullptr) library_->calls_->deregister_handle(handle_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> CuFile::File::read(std::uint64_t address, std::size_t bytes,
                                std::uint64_t offset) const {
  const auto got = library_->calls_->read(handle_, reinterpret_cast<void*>(address), bytes,
                                          static_cast<off_t>(offset), 0);
  if (got != static_cast<ssize_t>(bytes))
    return fail(Errc::vendor_failure, fmt::format("cuFileRead returned {}", got));
  return {};
}

}  // namespace gpuvet::platform
