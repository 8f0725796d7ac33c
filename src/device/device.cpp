// SPDX-License-Identifier: Apache-2.0
#include "device/device.hpp"

#include <algorithm>
#include <array>
#include <stdexcept>
#include <utility>

#include "core/nvml_abi.hpp"

namespace gpuvet::device {
namespace {

using Guard = std::array<std::byte, Buffer::guard>;

/// What lies beside a buffer: a pattern that no kernel writes by chance.
Guard guard_bytes() {
  Guard out{};
  for (std::size_t i = 0; i < out.size(); ++i)
    out[i] = static_cast<std::byte>(Pattern::mix(i) & 0xffU);
  return out;
}

}  // namespace

std::string_view name(Backend backend) {
  switch (backend) {
    case Backend::cuda:
      return "cuda";
    case Backend::host:
      return "host";
    case Backend::sim:
      return "sim";
  }
  return {};
}

bool Telemetry::throttled() const {
  constexpr unsigned long long held = nvml::reason_hw_slowdown | nvml::reason_sw_thermal |
                                      nvml::reason_hw_thermal | nvml::reason_hw_power_brake;
  return reasons && (*reasons & held) != 0;
}

void CheckResult::add(const CheckResult& other) {
  words += other.words;
  wrong += other.wrong;
  bits |= other.bits;
  const std::size_t room = kept - std::min<std::size_t>(kept, mismatches.size());
  mismatches.insert(mismatches.end(), other.mismatches.begin(),
                    other.mismatches.begin() +
                        static_cast<std::ptrdiff_t>(std::min(room, other.mismatches.size())));
}

Buffer& Buffer::operator=(Buffer&& other) noexcept {
  std::swap(device_, other.device_);
  std::swap(placement_, other.placement_);
  std::swap(base_, other.base_);
  std::swap(bytes_, other.bytes_);
  return *this;
}

Buffer::~Buffer() {
  if (device_ != nullptr) device_->free_bytes(base_, placement_);
}

Range Buffer::part(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > bytes_ || bytes > bytes_ - offset) throw std::out_of_range("part of a buffer");
  return {device_, placement_, base_ + guard + offset, bytes};
}

Result<bool> Buffer::guards_intact() const {
  const Guard expected = guard_bytes();
  Guard found{};
  for (const std::uint64_t at : {base_, base_ + guard + bytes_}) {
    GPUVET_CHECK(device_->read({device_, placement_, at, guard}, found));
    if (found != expected) return false;
  }
  return true;
}

Result<Buffer> Device::allocate(std::uint64_t bytes, Placement placement) {
  if (bytes == 0 || bytes % 8 != 0)
    return fail(Errc::usage, "a buffer holds a multiple of 8 bytes");
  Buffer out;
  GPUVET_TRY(out.base_, allocate_bytes(bytes + 2 * Buffer::guard, placement));
  out.device_ = this;
  out.placement_ = placement;
  out.bytes_ = bytes;
  const Guard guard = guard_bytes();
  for (const std::uint64_t at : {out.base_, out.base_ + Buffer::guard + bytes})
    GPUVET_CHECK(write({this, placement, at, Buffer::guard}, guard));
  return out;
}

}  // namespace gpuvet::device
