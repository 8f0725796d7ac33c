// SPDX-License-Identifier: Apache-2.0
// How fast a device reads, writes and copies its own memory (docs/method/memory-bandwidth.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::StreamKernel;

struct Kernel {
  StreamKernel kernel;
  Id id;
  double arrays;  ///< that move in one pass
};

constexpr std::array kernels = {
    Kernel{StreamKernel::read, "memory.bandwidth.read"_id, 1},
    Kernel{StreamKernel::write, "memory.bandwidth.write"_id, 1},
    Kernel{StreamKernel::copy, "memory.bandwidth.copy"_id, 2},
    Kernel{StreamKernel::triad, "memory.bandwidth.triad"_id, 3},
};

/// Bytes of one array: far more than any cache holds, so that none of a pass is left for the next.
Result<std::uint64_t> array_bytes(device::Device& device) {
  constexpr std::uint64_t least = std::uint64_t{1} << 30;
  GPUVET_TRY(const auto free, device.free_memory());
  const auto bytes = std::min(std::max(least, 16 * device.properties().cache), free / 4);
  if (bytes < 4 * device.properties().cache)
    return fail(Errc::too_large, "too little memory is free to measure it past the cache");
  return bytes / 4096 * 4096;
}

Result<void> of_device(Context& context, device::Device& device, double seconds) {
  GPUVET_TRY(const auto bytes, array_bytes(device));
  GPUVET_TRY(const auto a, device.allocate(bytes));
  GPUVET_TRY(const auto b, device.allocate(bytes));
  GPUVET_TRY(const auto c, device.allocate(bytes));
  GPUVET_TRY(const auto stream, device.stream());
  for (const auto* buffer : {&a, &b, &c})
    GPUVET_CHECK(stream->fill(buffer->all(), {device::PatternKind::random, context.seed}));
  const Where where{{"bytes", static_cast<double>(bytes)},
                    {"backend", std::string(name(device.properties().backend))}};
  const Sampling sampling{.seconds = seconds / (kernels.size() + 1)};
  for (const auto& k : kernels) {
    if (context.over()) break;
    GPUVET_TRY(const auto figure, sample(context, device, sampling, [&] {
                 return timed(context, *stream,
                              [&] { return stream->pass(k.kernel, a.all(), b.all(), c.all()); });
               }));
    record_rate(context, k.id, device.properties().subject, k.arrays * static_cast<double>(bytes),
                figure, where);
  }
  return {};
}

}  // namespace

Result<void> memory_bandwidth(Context& context) {
  const auto share = context.left() / static_cast<double>(context.devices.size());
  double done = 0;
  for (auto* device : context.devices) {
    if (context.over()) break;
    context.progress(done++ / static_cast<double>(context.devices.size()),
                     device->properties().name);
    GPUVET_CHECK(in_context(of_device(context, *device, share), device->properties().subject));
    context.publish();
  }
  return {};
}

}  // namespace gpuvet::probe
