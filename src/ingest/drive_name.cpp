// SPDX-License-Identifier: Apache-2.0
#include "ingest/drive_name.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::ingest {

std::optional<std::string> drive_subject(std::string_view path) {
  constexpr std::string_view folder = "/dev/", nvme = "nvme", first = "n1";
  constexpr std::size_t longest = 32;
  if (path.starts_with(folder)) path.remove_prefix(folder.size());
  const bool sound =
      !path.empty() && path.size() <= longest && std::ranges::all_of(path, [](char c) {
        return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
               c == '_' || c == '-';
      });
  if (!sound) return {};
  const auto end = path.size() - std::min(path.size(), first.size());
  if (path.starts_with(nvme) && path.ends_with(first) &&
      parse_integer(path.substr(nvme.size(), end - nvme.size())))
    path = path.substr(0, end);
  return "drive:" + std::string(path);
}

bool is_software_drive(std::string_view model) {
  return model.starts_with("SPDK") || model == "Linux" || contains(model, "QEMU");
}

}  // namespace gpuvet::ingest
