// SPDX-License-Identifier: Apache-2.0
// A machine's files below a prefix: no prefix is this machine, a folder is a captured or a
// simulated one. What /sys, /proc and /dev hold is read through here and nowhere else.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

class Root {
 public:
  Root() = default;
  /// `prefix` without a slash at its end; empty for this machine.
  explicit Root(std::string prefix);

  /// "/sys/class/net" below the prefix.
  [[nodiscard]] std::string at(std::string_view path) const;
  [[nodiscard]] const std::string& prefix() const { return prefix_; }
  [[nodiscard]] bool is_this_machine() const { return prefix_.empty(); }

  /// All of a file, or too_large beyond `limit` bytes. Attributes that a driver answers with an
  /// error (EINVAL, EIO, ENODEV) are not_supported.
  [[nodiscard]] Result<std::string> read(std::string_view path,
                                         std::size_t limit = std::size_t{1} << 20) const;
  /// The first line of a small file, without blanks around it.
  [[nodiscard]] Result<std::string> line(std::string_view path) const;
  /// Names in a folder, sorted.
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view path) const;
  /// Where a link points, as it is written.
  [[nodiscard]] Result<std::string> link(std::string_view path) const;
  /// The last part of where a link points: the driver, the bus device.
  [[nodiscard]] Result<std::string> link_name(std::string_view path) const;
  [[nodiscard]] bool exists(std::string_view path) const;

 private:
  std::string prefix_;
};

}  // namespace gpuvet::platform
