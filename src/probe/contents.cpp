// SPDX-License-Identifier: Apache-2.0
#include "probe/contents.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

namespace gpuvet::probe {
namespace {

bool on_host(device::Range range) {
  return range.placement == device::Placement::pinned ||
         range.placement == device::Placement::pageable;
}

/// act(piece, index of its first word) for all of `range`.
template <class Act>
Result<void> in_pieces(device::Range range, Act act) {
  constexpr std::uint64_t most = std::uint64_t{1} << 20;
  for (std::uint64_t at = 0; at < range.bytes; at += most) {
    device::Range piece = range;
    piece.address += at;
    piece.bytes = std::min(most, range.bytes - at);
    GPUVET_CHECK(act(piece, at / 8));
  }
  return {};
}

}  // namespace

Result<void> put(device::Device& device, device::Stream& stream, device::Range to,
                 device::Pattern pattern) {
  if (!on_host(to)) return stream.fill(to, pattern);
  std::vector<std::uint64_t> data;
  return in_pieces(to, [&](device::Range piece, std::uint64_t first) {
    data.resize(piece.bytes / 8);
    for (std::uint64_t i = 0; i < data.size(); ++i) data[i] = pattern.word(first + i);
    return device.write(piece, std::as_bytes(std::span(data)));
  });
}

Result<void> inspect(device::Device& device, device::Stream& stream, device::Range of,
                     device::Pattern pattern, device::CheckResult& out) {
  if (!on_host(of)) return stream.check(of, pattern, out);
  std::vector<std::uint64_t> data;
  return in_pieces(of, [&](device::Range piece, std::uint64_t first) -> Result<void> {
    data.resize(piece.bytes / 8);
    GPUVET_CHECK(device.read(piece, std::as_writable_bytes(std::span(data))));
    for (std::uint64_t i = 0; i < data.size(); ++i) {
      const auto due = pattern.word(first + i);
      if (data[i] == due) continue;
      ++out.wrong;
      out.bits |= data[i] ^ due;
      if (out.mismatches.size() < device::CheckResult::kept)
        out.mismatches.push_back({piece.address + i * 8, due, data[i], data[i]});
    }
    out.words += data.size();
    return {};
  });
}

std::string words(const device::CheckResult& found) {
  auto out = fmt::format("{} of {} words wrong, bits {:#x}", found.wrong, found.words, found.bits);
  if (!found.mismatches.empty()) {
    const auto& first = found.mismatches.front();
    out += fmt::format("; at {:#x}: expected {:#x}, found {:#x}", first.address, first.expected,
                       first.found);
  }
  return out;
}

}  // namespace gpuvet::probe
