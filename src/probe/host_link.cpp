// SPDX-License-Identifier: Apache-2.0
// How fast bytes go between host memory and a device, alone and while all others do the same
// (docs/method/host-link.md).
#include <algorithm>
#include <array>
#include <memory>

#include "probe/contents.hpp"
#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Placement;
using device::Range;

enum class Way { h2d, d2h, both };

struct Memory {
  Placement placement;
  std::string_view name;
};
constexpr std::array memories = {Memory{Placement::pinned, "pinned"},
                                 Memory{Placement::pageable, "pageable"}};

constexpr std::uint64_t small = 8;  ///< bytes of what latency is measured with

/// What one device copies from and to. Each direction has its own pair of buffers.
struct Lane {
  device::Device* device = nullptr;
  device::Buffer here_in, here_out, there_in, there_out;
  std::unique_ptr<device::Stream> in, out;

  static Result<Lane> make(device::Device& device, Placement placement, std::uint64_t bytes) {
    Lane out;
    out.device = &device;
    GPUVET_TRY(out.here_in, device.allocate(bytes));
    GPUVET_TRY(out.here_out, device.allocate(bytes));
    GPUVET_TRY(out.there_in, device.allocate(bytes, placement));
    GPUVET_TRY(out.there_out, device.allocate(bytes, placement));
    GPUVET_TRY(out.in, device.stream());
    GPUVET_TRY(out.out, device.stream());
    return out;
  }
  [[nodiscard]] std::uint64_t bytes() const { return here_in.size(); }
  Result<void> h2d() {
    return in->copy(here_in.all(), there_in.all(), device::Engine::copy_engine);
  }
  Result<void> d2h() {
    return out->copy(there_out.all(), here_out.all(), device::Engine::copy_engine);
  }
};

/// Bytes of one copy: large enough that its start does not count, and that all buffers fit.
Result<std::uint64_t> copy_bytes(const Context& context, device::Device& device) {
  GPUVET_TRY(const auto free, device.free_memory());
  const std::uint64_t wanted = std::uint64_t{context.thorough ? 512U : 128U} << 20;
  const auto bytes = std::min(wanted, free / 6) / 4096 * 4096;
  if (bytes == 0) return fail(Errc::too_large, "too little memory is free");
  return bytes;
}

/// Seconds until all lanes have copied, and of each lane by its own clock.
Result<std::vector<double>> together(Context& context, std::span<Lane> lanes, Way way) {
  struct Times {
    std::unique_ptr<device::Event> in_begin, in_end, out_begin, out_end;
  };
  std::vector<Times> times(lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    if (way != Way::d2h) {
      GPUVET_TRY(times[i].in_begin, lanes[i].in->record());
      GPUVET_CHECK(lanes[i].h2d());
      GPUVET_TRY(times[i].in_end, lanes[i].in->record());
    }
    if (way != Way::h2d) {
      GPUVET_TRY(times[i].out_begin, lanes[i].out->record());
      GPUVET_CHECK(lanes[i].d2h());
      GPUVET_TRY(times[i].out_end, lanes[i].out->record());
    }
  }
  std::vector<double> out(lanes.size());
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    GPUVET_CHECK(lanes[i].in->synchronize(context.call_limit));
    GPUVET_CHECK(lanes[i].out->synchronize(context.call_limit));
    for (const auto& [begin, end] : {std::pair{times[i].in_begin.get(), times[i].in_end.get()},
                                     std::pair{times[i].out_begin.get(), times[i].out_end.get()}}) {
      if (begin == nullptr) continue;
      GPUVET_TRY(const double seconds, end->since(*begin));
      out[i] = std::max(out[i], seconds);
    }
  }
  return out;
}

Id id_of(Way way) {
  return way == Way::h2d   ? "hostlink.h2d"_id
         : way == Way::d2h ? "hostlink.d2h"_id
                           : "hostlink.bidirectional"_id;
}

/// Writes what only the seed decides, copies it, and reads what has arrived.
Result<void> verify(Context& context, Lane& lane, const Memory& memory) {
  const auto& subject = lane.device->properties().subject;
  for (const bool in : {true, false}) {
    const Where where{{"direction", in ? "h2d" : "d2h"}, {"memory", std::string(memory.name)}};
    const Range from = in ? lane.there_in.all() : lane.here_out.all();
    const Range to = in ? lane.here_in.all() : lane.there_out.all();
    const device::Pattern pattern{device::PatternKind::random, context.seed + (in ? 1U : 2U)};
    auto& stream = in ? *lane.in : *lane.out;
    device::CheckResult found;
    // Host memory is filled and checked where kernels reach it, else by way of small pieces.
    GPUVET_CHECK(put(*lane.device, stream, from, pattern));
    GPUVET_CHECK(put(*lane.device, stream, to, {device::PatternKind::constant, ~std::uint64_t{0}}));
    GPUVET_CHECK(stream.synchronize(context.call_limit));
    GPUVET_CHECK(in ? lane.h2d() : lane.d2h());
    GPUVET_CHECK(stream.synchronize(context.call_limit));
    GPUVET_CHECK(inspect(*lane.device, stream, to, pattern, found));
    GPUVET_CHECK(stream.synchronize(context.call_limit));
    context.out->number("hostlink.wrong"_id, subject, static_cast<double>(found.wrong), where);
    if (found.wrong != 0) context.out->detail(words(found));
  }
  return {};
}

Result<void> alone(Context& context, device::Device& device, const Memory& memory, double end) {
  GPUVET_TRY(const auto bytes, copy_bytes(context, device));
  GPUVET_TRY(auto lane, Lane::make(device, memory.placement, bytes));
  GPUVET_CHECK(verify(context, lane, memory));
  const auto& subject = device.properties().subject;
  const std::span<Lane> one(&lane, 1);
  for (const auto way : {Way::h2d, Way::d2h, Way::both}) {
    if (context.over()) break;
    const double left = std::max(0.0, end - device.now());
    const Sampling sampling{.seconds = left / (way == Way::h2d ? 4 : way == Way::d2h ? 3 : 2)};
    GPUVET_TRY(const auto figure, sample(context, device, sampling, [&]() -> Result<double> {
                 GPUVET_TRY(const auto seconds, together(context, one, way));
                 return seconds[0];
               }));
    record_rate(context, id_of(way), subject,
                static_cast<double>(bytes) * (way == Way::both ? 2 : 1), figure,
                {{"memory", std::string(memory.name)},
                 {"concurrent", 1.0},
                 {"bytes", static_cast<double>(bytes)}});
  }
  if (context.over()) return {};
  const Sampling sampling{.seconds = std::max(0.0, end - device.now())};
  GPUVET_TRY(const auto figure, sample(context, device, sampling, [&]() -> Result<double> {
               constexpr int in_a_row = 10;
               GPUVET_TRY(const double seconds, timed(context, *lane.in, [&]() -> Result<void> {
                            for (int i = 0; i < in_a_row; ++i)
                              GPUVET_CHECK(lane.in->copy(lane.here_in.part(0, small),
                                                         lane.there_in.part(0, small),
                                                         device::Engine::copy_engine));
                            return {};
                          }));
               return seconds / in_a_row;
             }));
  context.out->number("hostlink.latency"_id, subject, figure.median,
                      {{"memory", std::string(memory.name)}});
  context.out->detail("8 bytes to the device, ten copies in a row, " + figure.quality());
  return {};
}

/// All at once. Each lane's rate is its own bytes over its own time while the others copy.
Result<void> all_together(Context& context, double end) {
  std::uint64_t bytes = ~std::uint64_t{0};
  for (auto* device : context.devices) {
    GPUVET_TRY(const auto own, copy_bytes(context, *device));
    bytes = std::min(bytes, own);
  }
  std::vector<Lane> lanes;
  for (auto* device : context.devices) {
    GPUVET_TRY(auto lane, in_context(Lane::make(*device, Placement::pinned, bytes),
                                     device->properties().subject));
    lanes.push_back(std::move(lane));
  }
  auto& clock = *context.devices.front();
  int left = 3;
  for (const auto way : {Way::h2d, Way::d2h, Way::both}) {
    if (context.over()) break;
    const double until = clock.now() + std::max(0.0, end - clock.now()) / left--;
    std::vector<std::vector<double>> seconds(lanes.size());
    for (int round = 0; round < 40 && (round < 4 || clock.now() < until); ++round) {
      if (context.over() && round > 1) break;
      GPUVET_TRY(const auto one, together(context, lanes, way));
      if (round == 0) continue;  // warm-up
      for (std::size_t i = 0; i < lanes.size(); ++i) seconds[i].push_back(one[i]);
    }
    for (std::size_t i = 0; i < lanes.size(); ++i) {
      if (seconds[i].empty()) continue;
      const auto figure = figure_of_seconds(seconds[i]);
      record_rate(context, id_of(way), lanes[i].device->properties().subject,
                  static_cast<double>(bytes) * (way == Way::both ? 2 : 1), figure,
                  {{"memory", "pinned"},
                   {"concurrent", static_cast<double>(lanes.size())},
                   {"bytes", static_cast<double>(bytes)}});
    }
  }
  return {};
}

}  // namespace

Result<void> host_link(Context& context) {
  const auto& devices = context.devices;
  const bool many = devices.size() > 1;
  const double shares = static_cast<double>(devices.size()) + (many ? 1 : 0);
  double done = 0;
  Result<void> out;
  for (auto* device : devices) {
    const auto& subject = device->properties().subject;
    context.progress(done / shares, device->properties().name);
    const double end = device->now() + context.left() / (shares - done++);
    for (const auto& memory : memories) {
      if (context.over()) break;
      const double half = &memory == &memories.front() ? (device->now() + end) / 2 : end;
      auto one = alone(context, *device, memory, half);
      if (one) continue;
      for (const auto id : {"hostlink.h2d"_id, "hostlink.d2h"_id})
        context.out->absent(id, subject, absence_of(one.error()), one.error().message(),
                            {{"memory", std::string(memory.name)}, {"concurrent", 1.0}});
      if (out) out = in_context(std::move(one), subject);
    }
    context.publish();
  }
  if (many && out && !context.over()) {
    context.progress(done / shares, "all at once");
    out = in_context(all_together(context, context.until), "all at once");
  }
  context.publish();
  return out;
}

}  // namespace gpuvet::probe
