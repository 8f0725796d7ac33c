// SPDX-License-Identifier: Apache-2.0
// How fast the server's own processors and memory are (docs/method/host.md): what feeds the GPUs.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <vector>

#include "core/statistics.hpp"
#include "device/host/host.hpp"
#include "device/host/speed.hpp"
#include "probe/harness.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {
namespace {

using device::HostDevice;
using device::StreamKernel;

struct Kernel {
  StreamKernel kernel;
  Id id;
  double arrays;  ///< that move in one pass
};
constexpr std::array kernels = {
    Kernel{StreamKernel::read, "host.memory.bandwidth.read"_id, 1},
    Kernel{StreamKernel::write, "host.memory.bandwidth.write"_id, 1},
    Kernel{StreamKernel::copy, "host.memory.bandwidth.copy"_id, 2},
    Kernel{StreamKernel::triad, "host.memory.bandwidth.triad"_id, 3},
};
constexpr Id latency_id = "host.memory.latency"_id;
constexpr std::uint64_t MiB = std::uint64_t{1} << 20;

/// Bytes of one array: past the caches, of which a socket may have several.
Result<std::uint64_t> array_bytes(HostDevice& memory) {
  GPUVET_TRY(const auto free, memory.free_memory());
  const auto cache = memory.properties().cache;
  const auto bytes = std::min(std::max(256 * MiB, 16 * cache), free / 4) / 4096 * 4096;
  if (bytes == 0 || bytes < 4 * cache)
    return fail(Errc::too_large, "too little memory is free to measure it past the cache");
  return bytes;
}

Where where_of(const HostDevice& memory, const HostDevice& processors, std::uint64_t bytes) {
  return {{"bytes", static_cast<double>(bytes)},
          {"numa", static_cast<double>(std::max(0, memory.properties().numa))},
          {"from", static_cast<double>(std::max(0, processors.properties().numa))}};
}

/// Memory of one node, which its own processors touched first, so that it lies there.
struct Arrays {
  HostDevice* memory = nullptr;
  device::Buffer a, b, c;

  static Result<Arrays> make(Context& context, HostDevice& memory) {
    Arrays out;
    out.memory = &memory;
    GPUVET_TRY(const auto bytes, array_bytes(memory));
    GPUVET_TRY(const auto stream, memory.stream());
    for (auto* buffer : {&out.a, &out.b, &out.c}) {
      GPUVET_TRY(*buffer, memory.allocate(bytes));
      GPUVET_CHECK(stream->fill(buffer->all(), {device::PatternKind::checkerboard}));
    }
    GPUVET_CHECK(stream->synchronize(context.call_limit));
    return out;
  }
};

Result<void> bandwidth(Context& context, const Arrays& arrays, HostDevice& processors,
                       double seconds) {
  GPUVET_TRY(const auto stream, processors.stream());
  const Sampling sampling{.seconds = seconds / kernels.size()};
  for (const auto& k : kernels) {
    if (context.over()) break;
    GPUVET_TRY(const auto figure, sample(context, processors, sampling, [&] {
                 return timed(context, *stream, [&] {
                   return stream->pass(k.kernel, arrays.a.all(), arrays.b.all(), arrays.c.all());
                 });
               }));
    record_rate(context, k.id, "node", k.arrays * static_cast<double>(arrays.a.size()), figure,
                where_of(*arrays.memory, processors, arrays.a.size()));
  }
  return {};
}

Result<void> latency(Context& context, const Arrays& arrays, HostDevice& processors,
                     double seconds) {
  const auto all = arrays.a.all();
  const std::span words(reinterpret_cast<std::uint64_t*>(all.address), all.bytes / 8);
  device::host::link_cycle(words, context.seed);
  device::Team one({processors.processors().front()});
  std::uint64_t at = 0;
  GPUVET_TRY(const auto figure,
             sample(context, processors, {.seconds = seconds}, [&]() -> Result<double> {
               constexpr std::uint64_t steps = 50'000;
               double each = 0;
               one.run([&](std::size_t) { each = device::host::chase(words, at, steps); });
               return each;
             }));
  context.out->number(latency_id, "node", figure.median,
                      where_of(*arrays.memory, processors, all.bytes));
  context.out->detail(figure.quality());
  return {};
}

/// Memory of each node by the processors of each.
Result<void> memory(Context& context, const std::vector<HostDevice*>& nodes, double seconds) {
  const double each = seconds / static_cast<double>(nodes.size() * nodes.size());
  for (auto* node : nodes) {
    const auto arrays = Arrays::make(context, *node);
    if (!arrays) {
      const auto& error = arrays.error();
      for (const auto& k : kernels)
        context.out->absent(k.id, "node", absence_of(error), error.what);
      context.out->absent(latency_id, "node", absence_of(error), error.what);
      continue;
    }
    for (auto* processors : nodes) {
      if (context.over()) return {};
      GPUVET_CHECK(bandwidth(context, *arrays, *processors, 0.8 * each));
    }
    // Last, since the links are no numbers that a kernel should meet.
    for (auto* processors : nodes) {
      if (context.over()) return {};
      GPUVET_CHECK(latency(context, *arrays, *processors, 0.2 * each));
    }
    context.publish();
  }
  return {};
}

/// The median of several short rounds for each processor: what else runs there now and then, or an
/// interrupt, does not make a slow core.
void cores(Context& context, double seconds) {
  const auto processors = device::host::usable_processors();
  constexpr int rounds = 7;
  std::vector<std::vector<double>> rates(processors.size());
  double share = 1;
  for (int round = 0; round <= rounds && !context.cancelled(); ++round) {
    const auto found = device::host::rates(processors, seconds / (rounds + 1));
    if (round == 0) continue;  // clocks rise
    for (std::size_t i = 0; i < found.size(); ++i) {
      rates[i].push_back(found[i].rate);
      share = std::min(share, found[i].share);
    }
  }
  if (rates.empty() || rates.front().empty()) return;
  std::vector<double> medians;
  for (const auto& one : rates) medians.push_back(median(one));
  const double middle = median(medians);
  const auto slowest = std::min_element(medians.begin(), medians.end());
  context.out->number("host.cores.rate"_id, "node", middle);
  context.out->detail(fmt::format("of {} processors", processors.size()));
  context.out->number("host.cores.slowest_share"_id, "node", *slowest / middle);
  context.out->detail(fmt::format("processor {}; each had at least {:.0f} % of the time",
                                  processors[static_cast<std::size_t>(slowest - medians.begin())],
                                  100 * share));
}

/// Bytes per second, or what was missing.
void pages(Context& context, HostDevice& node, Id id, Result<double> (*once)(std::uint64_t),
           double amount, double seconds) {
  constexpr std::uint64_t bytes = 16 * MiB;
  const auto figure = sample(context, node, {.seconds = seconds}, [&] { return once(bytes); });
  if (figure)
    record_rate(context, id, "node", static_cast<double>(bytes) / amount, *figure, {});
  else
    context.out->absent(id, "node", absence_of(figure.error()), figure.error().what);
}

std::vector<HostDevice*> nodes_of(const Context& context) {
  std::vector<HostDevice*> out;
  for (auto* device : context.hosts)
    if (auto* host = dynamic_cast<HostDevice*>(device)) out.push_back(host);
  if (auto* host = dynamic_cast<HostDevice*>(context.host); host != nullptr && out.empty())
    out.push_back(host);
  return out;
}

}  // namespace

Result<void> host(Context& context) {
  if (simulated(context))
    return fail(Errc::not_supported, "a simulated server has no processors that could be timed");
  const auto nodes = nodes_of(context);
  if (nodes.empty()) return fail(Errc::not_supported, "the processors could not be opened");
  const double seconds = context.left();
  context.progress(0, "processors");
  cores(context, 0.15 * seconds);
  context.publish();
  context.progress(0.15, "pages");
  pages(context, *nodes.front(), "host.page_fault.rate"_id, device::host::touch_pages,
        device::host::page_bytes, 0.1 * seconds);
  pages(context, *nodes.front(), "host.pinned.rate"_id, device::host::lock_pages, 1, 0.1 * seconds);
  context.publish();
  context.progress(0.35, "memory");
  return memory(context, nodes, 0.6 * seconds);
}

}  // namespace gpuvet::probe
