// SPDX-License-Identifier: Apache-2.0
// How drives are named by the tools that list them.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace gpuvet::ingest {

/// "drive:nvme0" for /dev/nvme0, /dev/nvme0n1 and nvme0n1: smartctl names the controller, nvme list
/// and lsblk its first namespace. Further namespaces keep their number. Nothing when it is no name.
std::optional<std::string> drive_subject(std::string_view path);

/// Whether a model's name is that of software that pretends to be a drive, here or over a network.
bool is_software_drive(std::string_view model);

/// No drive of this size has been built: a counter that overflowed, or a broken firmware.
inline constexpr double most_drive_bytes = 1e15;

}  // namespace gpuvet::ingest
