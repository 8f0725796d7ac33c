// SPDX-License-Identifier: Apache-2.0
#include "probe/stored_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>

#include "core/units.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::probe {
namespace {

constexpr std::uint64_t least = std::uint64_t{64} << 20;
constexpr std::size_t piece = std::size_t{4} << 20;

std::uint64_t word_at(std::span<const std::byte> seen, std::size_t at) {
  std::uint64_t word = 0;
  std::memcpy(&word, seen.data() + at, sizeof word);
  return word;
}

}  // namespace

bool StoredFile::holds(std::uint64_t offset, std::span<const std::byte> seen) const {
  const auto due = pattern(offset);
  std::uint64_t different = 0;
  for (std::size_t at = 0; at + 8 <= seen.size(); at += 8)
    different |= word_at(seen, at) ^ due.word(at / 8);
  return different == 0;
}

bool StoredFile::stamped(std::uint64_t offset, std::span<const std::byte> seen) const {
  const auto due = pattern(offset);
  for (std::size_t at = 0; at < seen.size(); at += 4096)
    if (word_at(seen, at) != due.word(at / 8)) return false;
  return true;
}

Result<std::uint64_t> stored_size(const platform::FolderSpace& space, std::uint64_t want) {
  if (space.in_memory)
    return fail(Errc::not_supported,
                "the folder is " + space.filesystem + ": memory, with no drive behind it");
  const std::uint64_t keep = space.total / 10;
  const std::uint64_t room = space.free > keep ? space.free - keep : 0;
  const std::uint64_t bytes = std::min(want, room) / piece * piece;
  if (bytes < std::min(least, want))
    return fail(Errc::too_large,
                fmt::format("too little space: {} of {} is free, and a tenth stays free",
                            format_value(static_cast<double>(space.free), Unit::byte),
                            format_value(static_cast<double>(space.total), Unit::byte)));
  return bytes;
}

Result<StoredFile> store(Context& context, std::uint64_t want, double seconds) {
  if (context.folder.empty())
    return fail(Errc::usage, "no folder was named for the file of the test");
  GPUVET_TRY(const auto space, platform::folder_space(context.folder));
  GPUVET_TRY(const auto bytes, stored_size(space, want));
  GPUVET_TRY(auto file, platform::ScratchFile::create(context.folder));
  StoredFile out{std::move(file), 0, context.seed, space.filesystem};
  const double until = platform::monotonic_seconds() + seconds;
  const auto fill = [&](std::uint64_t offset, std::span<std::byte> to) {
    const auto due = out.pattern(offset);
    for (std::size_t at = 0; at < to.size(); at += 8) {
      const std::uint64_t word = due.word(at / 8);
      std::memcpy(to.data() + at, &word, sizeof word);
    }
  };
  GPUVET_TRY(out.bytes, out.file.write(bytes, piece, fill, [&] {
    return context.cancelled() || platform::monotonic_seconds() >= until;
  }));
  if (context.cancelled()) return fail(Errc::cancelled, "stopped while the file was written");
  if (out.bytes < std::min(least, want))
    return fail(Errc::timeout,
                fmt::format("only {} could be written in {:.0f} s",
                            format_value(static_cast<double>(out.bytes), Unit::byte), seconds));
  return out;
}

}  // namespace gpuvet::probe
