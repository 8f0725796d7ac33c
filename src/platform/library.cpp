// SPDX-License-Identifier: Apache-2.0
#include "platform/library.hpp"

#include <dlfcn.h>

namespace gpuvet::platform {

Result<Library> Library::open(const std::vector<std::string>& names) {
  std::string why = "no library was named";
  for (const auto& name : names) {
    if (void* handle = ::dlopen(name.c_str(), RTLD_NOW | RTLD_LOCAL)) return Library(handle, name);
    why = ::dlerror();
  }
  return fail(Errc::not_found, why);
}

// Never closed: drivers' libraries leave threads and exit handlers behind that would then run in
// memory that is gone.
Library::~Library() = default;

void* Library::address(const char* name) const { return ::dlsym(handle_, name); }

}  // namespace gpuvet::platform
