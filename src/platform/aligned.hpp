// SPDX-License-Identifier: Apache-2.0
// Memory on page boundaries, as direct I/O asks for.
#pragma once

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <new>

namespace gpuvet::platform {

struct FreeMemory {
  void operator()(std::byte* memory) const noexcept { std::free(memory); }
};
using AlignedMemory = std::unique_ptr<std::byte[], FreeMemory>;

/// `bytes`, a multiple of 4096; throws bad_alloc.
inline AlignedMemory aligned_memory(std::size_t bytes) {
  auto* memory = static_cast<std::byte*>(std::aligned_alloc(4096, bytes));
  if (memory == nullptr) throw std::bad_alloc();
  return AlignedMemory(memory);
}

}  // namespace gpuvet::platform
