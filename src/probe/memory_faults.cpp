// SPDX-License-Identifier: Apache-2.0
#include "probe/memory_faults.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <map>

namespace gpuvet::probe {
namespace {

constexpr std::size_t words_kept = 65'536, texts_kept = 16;

std::string bits_text(std::uint64_t bits) {
  if (std::popcount(bits) > 4) return fmt::format("{} bits", std::popcount(bits));
  std::string out = std::popcount(bits) == 1 ? "bit" : "bits";
  for (; bits != 0; bits &= bits - 1) out += fmt::format(" {}", std::countr_zero(bits));
  return out;
}

/// Most of the gaps are the same and no wider row explains them.
bool constant_distance(const std::vector<std::uint64_t>& offsets) {
  if (offsets.size() < 4) return false;
  std::map<std::uint64_t, std::size_t> gaps;
  for (std::size_t i = 1; i < offsets.size(); ++i) ++gaps[offsets[i] - offsets[i - 1]];
  const auto most = std::max_element(
      gaps.begin(), gaps.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
  constexpr std::uint64_t least = 128;  // a column crosses rows
  return most->first >= least && most->second * 5 >= (offsets.size() - 1) * 4;
}

}  // namespace

std::string_view name(Cluster cluster) {
  switch (cluster) {
    case Cluster::none:
      return "none";
    case Cluster::word:
      return "one word";
    case Cluster::column:
      return "column";
    case Cluster::row:
      return "row";
    case Cluster::block:
      return "block";
    case Cluster::spread:
      return "spread";
  }
  return {};
}

Cluster cluster_of(const std::vector<std::uint64_t>& offsets) {
  constexpr std::uint64_t row = 8192, block = std::uint64_t{1} << 20;
  if (offsets.empty()) return Cluster::none;
  if (offsets.size() == 1) return Cluster::word;
  if (constant_distance(offsets)) return Cluster::column;
  const auto first = offsets.front(), last = offsets.back();
  if (last - first < row) return Cluster::row;
  return last - first < block ? Cluster::block : Cluster::spread;
}

void MemoryFaults::add(const device::CheckResult& result, std::uint64_t address,
                       std::uint64_t first, bool located) {
  wrong_ += result.wrong;
  bits_ |= result.bits;
  for (const auto& m : result.mismatches) {
    ++seen_;
    // A second read that finds a third value is no more right than the first.
    if (m.again != m.expected) ++again_;
    if (!located) continue;
    const auto offset = m.address - address + first;
    const bool fresh = offsets_.size() < words_kept && offsets_.insert(offset).second;
    if (!fresh || texts_.size() >= texts_kept) continue;
    texts_.push_back(fmt::format(
        "0x{:x} (offset {}): expected 0x{:016x}, found 0x{:016x}, again 0x{:016x}, {}", m.address,
        offset, m.expected, m.found, m.again, bits_text(m.expected ^ m.found)));
  }
}

double MemoryFaults::persistent() const {
  return seen_ == 0 ? 0 : static_cast<double>(again_) / static_cast<double>(seen_);
}

Cluster MemoryFaults::cluster() const { return cluster_of({offsets_.begin(), offsets_.end()}); }

}  // namespace gpuvet::probe
