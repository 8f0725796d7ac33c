// SPDX-License-Identifier: Apache-2.0
// Which GPUs the kernels were compiled for, read from the objects that nvcc made: no tool of
// NVIDIA's is needed, and no GPU.
#include <gmock/gmock.h>

#include <cstdint>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "platform/files.hpp"

namespace gpuvet::device {
namespace {

/// A number of `bytes` in little-endian order; 0 beyond the end.
template <class T>
T number_at(std::string_view bytes, std::size_t at) {
  T out{};
  if (at <= bytes.size() && sizeof out <= bytes.size() - at)
    std::memcpy(&out, bytes.data() + at, sizeof out);
  return out;
}

/// "ptx 80", "sm_90a": of all fat binaries in `object`. A fat binary is a header of 16 bytes
/// (magic, version, header's size, size of what follows) and records (kind at 0, header's size at
/// 4, size of what follows at 8, architecture at 28, flags at 40).
std::set<std::string> images_in(std::string_view object) {
  constexpr std::string_view magic("\x50\xed\x55\xba", 4);
  constexpr std::uint16_t ptx = 1, elf = 2;
  constexpr std::uint32_t specific = 1U << 20U;  // the "a" of sm_90a
  std::set<std::string> out;
  for (auto at = object.find(magic); at != std::string_view::npos;
       at = object.find(magic, at + 1)) {
    if (number_at<std::uint16_t>(object, at + 6) != 16) continue;
    auto record = at + 16;
    const auto end = record + number_at<std::uint64_t>(object, at + 8);
    while (record < end && end <= object.size()) {
      const auto kind = number_at<std::uint16_t>(object, record);
      const auto size = number_at<std::uint32_t>(object, record + 4) +
                        number_at<std::uint64_t>(object, record + 8);
      const auto architecture = std::to_string(number_at<std::uint32_t>(object, record + 28));
      if (kind == ptx) out.insert("ptx " + architecture);
      if (kind == elf)
        out.insert("sm_" + architecture +
                   ((number_at<std::uint32_t>(object, record + 40) & specific) != 0 ? "a" : ""));
      if (size == 0) break;
      record += size;
    }
  }
  return out;
}

std::set<std::string> images_of(const std::string& path) {
  const auto bytes = platform::read_file(path, std::size_t{1} << 28);
  EXPECT_TRUE(bytes) << path;
  return bytes ? images_in(*bytes) : std::set<std::string>{};
}

TEST(Fatbin, EveryKernelIsCompiledForEveryGpu) {
  std::set<std::string> all;
  for (const auto path : split(GPUVET_CUDA_OBJECTS, ',')) {
    const auto images = images_of(std::string(path));
    EXPECT_THAT(images, testing::IsSupersetOf({"sm_80", "sm_90", "ptx 80"})) << path;
    all.insert(images.begin(), images.end());
  }
  // nvcc 12.0 to 12.7 know nothing of Blackwell; their PTX does.
  if (GPUVET_CUDA_BLACKWELL)
    EXPECT_THAT(all, testing::UnorderedElementsAre("sm_80", "sm_90", "sm_90a", "sm_100", "ptx 80"));
  else
    EXPECT_THAT(all, testing::UnorderedElementsAre("sm_80", "sm_90", "sm_90a", "ptx 80"));
}

TEST(Fatbin, ReaderSeesNothingInOtherBytes) {
  EXPECT_TRUE(images_in("").empty());
  EXPECT_TRUE(images_in("\x50\xed\x55\xba").empty());
  std::string cut("\x50\xed\x55\xba\x01\x00\x10\x00\xff\xff\xff\xff\xff\xff\xff\xff\x02\x00", 18);
  EXPECT_TRUE(images_in(cut).empty());
}

}  // namespace
}  // namespace gpuvet::device
