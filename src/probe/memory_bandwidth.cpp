// SPDX-License-Identifier: Apache-2.0
// How fast a device reads, writes and copies its own memory (docs/method/memory-bandwidth.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>
#include <vector>

#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Engine;
using device::StreamKernel;

struct Kernel {
  StreamKernel kernel;
  Id id;
  double arrays;  ///< that move in one pass
  Engine engine = Engine::kernel;
};

constexpr std::array kernels = {
    Kernel{StreamKernel::read, "memory.bandwidth.read"_id, 1},
    Kernel{StreamKernel::write, "memory.bandwidth.write"_id, 1},
    Kernel{StreamKernel::copy, "memory.bandwidth.copy"_id, 2},
    Kernel{StreamKernel::triad, "memory.bandwidth.triad"_id, 3},
    Kernel{StreamKernel::copy, "memory.bandwidth.copy"_id, 2, Engine::copy_engine},
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

/// One device with what its kernels move.
struct Lane {
  device::Device* device = nullptr;
  device::Buffer a, b, c;
  std::unique_ptr<device::Stream> stream;

  static Result<Lane> make(Context& context, device::Device& device) {
    Lane out;
    out.device = &device;
    GPUVET_TRY(const auto bytes, array_bytes(device));
    GPUVET_TRY(out.a, device.allocate(bytes));
    GPUVET_TRY(out.b, device.allocate(bytes));
    GPUVET_TRY(out.c, device.allocate(bytes));
    GPUVET_TRY(out.stream, device.stream());
    // As doubles all words of this pattern are normal numbers. Of random words some are denormal,
    // which slows processors, and half the sums would be infinite sooner or later.
    for (const auto* buffer : {&out.a, &out.b, &out.c})
      GPUVET_CHECK(out.stream->fill(buffer->all(), {device::PatternKind::checkerboard}));
    GPUVET_CHECK(out.stream->synchronize(context.call_limit));
    return out;
  }
  Result<void> enqueue(const Kernel& k) {
    return k.engine == Engine::copy_engine ? stream->copy(a.all(), b.all(), k.engine)
                                           : stream->pass(k.kernel, a.all(), b.all(), c.all());
  }
  [[nodiscard]] double moved(const Kernel& k) const {
    return k.arrays * static_cast<double>(a.size());
  }
  /// `concurrent` devices moved bytes at the same time.
  [[nodiscard]] Where where(const Kernel& k, std::size_t concurrent) const {
    Where out{{"bytes", static_cast<double>(a.size())},
              {"backend", std::string(name(device->properties().backend))},
              {"concurrent", static_cast<double>(concurrent)}};
    if (k.kernel == StreamKernel::copy)
      out["engine"] = k.engine == Engine::copy_engine ? "ce" : "sm";
    return out;
  }
};

Result<void> alone(Context& context, device::Device& device, double seconds) {
  GPUVET_TRY(auto lane, Lane::make(context, device));
  const Sampling sampling{.seconds = seconds / (kernels.size() + 1)};
  for (const auto& k : kernels) {
    if (context.over()) break;
    GPUVET_TRY(const auto figure, sample(context, device, sampling, [&] {
                 return timed(context, *lane.stream, [&] { return lane.enqueue(k); });
               }));
    record_rate(context, k.id, device.properties().subject, lane.moved(k), figure,
                lane.where(k, 1));
  }
  return {};
}

/// Seconds of one pass on each lane, while all others run theirs.
Result<std::vector<double>> round_of(Context& context, std::vector<Lane>& lanes, const Kernel& k) {
  constexpr int in_a_row = 8;  // so that starting one after another does not count
  std::vector<std::pair<std::unique_ptr<device::Event>, std::unique_ptr<device::Event>>> events;
  for (auto& lane : lanes) {
    auto& [begin, end] = events.emplace_back();
    GPUVET_TRY(begin, lane.stream->record());
    for (int i = 0; i < in_a_row; ++i) GPUVET_CHECK(lane.enqueue(k));
    GPUVET_TRY(end, lane.stream->record());
  }
  std::vector<double> out;
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    GPUVET_CHECK(in_context(lanes[i].stream->synchronize(context.call_limit),
                            lanes[i].device->properties().subject));
    GPUVET_TRY(const double seconds, events[i].second->since(*events[i].first));
    out.push_back(seconds / in_a_row);
  }
  return out;
}

/// Each device's rate while all are busy: a shared supply or shared cooling shows here.
Result<void> together(Context& context, const std::vector<device::Device*>& devices) {
  std::vector<Lane> lanes;
  for (auto* device : devices) {
    GPUVET_TRY(auto lane, in_context(Lane::make(context, *device), device->properties().subject));
    lanes.push_back(std::move(lane));
  }
  auto& clock = *devices.front();
  auto left = static_cast<double>(kernels.size());
  for (const auto& k : kernels) {
    const double until = clock.now() + context.left() / left--;
    std::vector<std::vector<double>> seconds(lanes.size());
    for (int round = 0; round < 40 && (round < 4 || clock.now() < until); ++round) {
      if (context.over()) break;
      GPUVET_TRY(const auto one, round_of(context, lanes, k));
      if (round == 0) continue;  // warm-up
      for (std::size_t i = 0; i < lanes.size(); ++i) seconds[i].push_back(one[i]);
    }
    for (std::size_t i = 0; i < lanes.size(); ++i)
      if (!seconds[i].empty())
        record_rate(context, k.id, lanes[i].device->properties().subject, lanes[i].moved(k),
                    figure_of_seconds(seconds[i]), lanes[i].where(k, lanes.size()));
  }
  return {};
}

}  // namespace

Result<void> memory_bandwidth(Context& context) {
  // With several devices a third of the time is for all of them at once.
  const auto count = static_cast<double>(context.devices.size());
  const auto share = context.left() * (count > 1 ? 0.67 : 1) / count;
  std::vector<device::Device*> able;
  double done = 0;
  for (auto* device : context.devices) {
    if (context.over()) break;
    const auto& subject = device->properties().subject;
    context.progress(done++ / (count + 1), device->properties().name);
    const auto measured = in_context(alone(context, *device, share), subject);
    if (!measured && measured.error().code != Errc::too_large) return measured;
    if (measured)
      able.push_back(device);
    else  // the others can be measured all the same
      for (const auto& k : kernels)
        context.out->absent(k.id, subject, absence_of(measured.error()), measured.error().what);
    context.publish();
  }
  if (able.size() < 2 || context.over()) return {};
  context.progress(done / (count + 1), "all at once");
  return together(context, able);
}

}  // namespace gpuvet::probe
