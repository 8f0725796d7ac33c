// SPDX-License-Identifier: Apache-2.0
// Vendors' libraries, opened where they are there: one binary starts on any machine.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

class Library {
 public:
  /// The first of `names` that can be opened; the error is that of the last.
  static Result<Library> open(const std::vector<std::string>& names);

  Library(Library&& other) noexcept : handle_{other.handle_}, name_{std::move(other.name_)} {
    other.handle_ = nullptr;
  }
  Library& operator=(Library&&) = delete;
  Library(const Library&) = delete;
  Library& operator=(const Library&) = delete;
  ~Library();

  [[nodiscard]] const std::string& name() const { return name_; }

  /// A function of the library; null when it lacks it.
  template <class Function>
  [[nodiscard]] Function* symbol(const char* name) const {
    return reinterpret_cast<Function*>(address(name));
  }

 private:
  Library(void* handle, std::string name) : handle_{handle}, name_{std::move(name)} {}
  [[nodiscard]] void* address(const char* name) const;

  void* handle_;
  std::string name_;
};

}  // namespace gpuvet::platform
