// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/litmus_tally.hpp"

#include <map>
#include <string>

namespace gpuvet::device::cuda {
namespace {

std::string text(const std::uint8_t* r, int count) {
  std::string out;
  for (int i = 0; i < count; ++i)
    out += (i == 0 ? "r" : " r") + std::to_string(i) + '=' + std::to_string(r[i]);
  return out;
}

}  // namespace

void tally(Litmus shape, Fence fence, std::span<const std::uint8_t> registers, LitmusCounts& out) {
  std::map<std::uint32_t, std::uint64_t> counts;
  for (std::size_t i = 0; i + litmus_registers <= registers.size(); i += litmus_registers) {
    const std::uint8_t* r = &registers[i];
    ++counts[r[0] | static_cast<std::uint32_t>(r[1]) << 8U |
             static_cast<std::uint32_t>(r[2]) << 16U | static_cast<std::uint32_t>(r[3]) << 24U];
  }
  for (const auto& [code, count] : counts) {
    const std::uint8_t r[litmus_registers] = {
        static_cast<std::uint8_t>(code), static_cast<std::uint8_t>(code >> 8U),
        static_cast<std::uint8_t>(code >> 16U), static_cast<std::uint8_t>(code >> 24U)};
    out.iterations += count;
    out.outcomes[text(r, cuda::registers(shape))] += count;
    if (!out_of_order(shape, r)) continue;
    const bool forbidden = fence != Fence::none || of_one_word(shape);
    (forbidden ? out.forbidden : out.weak) += count;
  }
}

}  // namespace gpuvet::device::cuda
