// SPDX-License-Identifier: Apache-2.0
#include "model/random.hpp"

namespace gpuvet::model {

double uniform(std::uint64_t seed, std::uint64_t stream, std::uint64_t counter) {
  // SplitMix64's finaliser over a counter (Steele, Lea and Flood, OOPSLA 2014).
  std::uint64_t z = (counter + 1) * 0x9E3779B97F4A7C15ULL + (stream + 1) * 0xD1B54A32D192ED03ULL +
                    seed * 0x8CB92BA72F3D8DD7ULL;
  for (int round = 0; round < 2; ++round) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    z ^= z >> 31U;
  }
  return (static_cast<double>(z >> 11U) + 0.5) * 0x1p-53;
}

std::uint64_t key_of(std::string_view name) {
  std::uint64_t hash = 14695981039346656037ULL;
  for (const char c : name) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
  return hash;
}

}  // namespace gpuvet::model
