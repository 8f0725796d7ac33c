// SPDX-License-Identifier: Apache-2.0
// Whether processors that share memory agree on the order of what they do to it
// (docs/method/coherency.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "device/litmus_outcomes.hpp"
#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Agent;
using device::Fence;
using device::Litmus;
using device::Placement;

constexpr std::array shapes = {Litmus::message_passing, Litmus::store_buffering,
                               Litmus::load_buffering,  Litmus::iriw,
                               Litmus::coherence,       Litmus::atomic_add,
                               Litmus::atomic_cas,      Litmus::atomic_exchange};

/// Who takes part, and how far fences must reach for them.
struct Parties {
  std::string_view name;
  Agent first, second;
  std::array<Fence, 4> fences;
  std::size_t fence_count;
};

constexpr std::array parties = {
    Parties{"device",
            Agent::device,
            Agent::device,
            {Fence::none, Fence::block, Fence::device, Fence::system},
            4},
    Parties{"device, host", Agent::device, Agent::host, {Fence::none, Fence::system}, 2},
    Parties{"host, device", Agent::host, Agent::device, {Fence::none, Fence::system}, 2},
    Parties{"device, peer", Agent::device, Agent::peer, {Fence::none, Fence::system}, 2},
    Parties{"peer, device", Agent::peer, Agent::device, {Fence::none, Fence::system}, 2},
};

struct Place {
  Placement placement;
  std::string_view name;
};
constexpr std::array places = {Place{Placement::device, "device"},
                               Place{Placement::pinned, "pinned"},
                               Place{Placement::managed, "managed"}};

/// Runs in one call: short enough to be stopped between two.
constexpr std::uint64_t most_iterations = 200'000;

struct Combination {
  Litmus shape;
  const Parties* parties;
  Fence fence;
  const Place* place;
};

/// In turn: of iriw a writer and a reader are on each side.
std::vector<Agent> agents_of(const Combination& c) {
  std::vector<Agent> out;
  for (int i = 0; i < device::threads(c.shape); ++i)
    out.push_back(i % 2 == 0 ? c.parties->first : c.parties->second);
  return out;
}

std::vector<Combination> combinations(device::Device& device, device::Device* peer) {
  std::vector<Combination> out;
  for (const auto& who : parties) {
    const bool with_peer = who.first == Agent::peer || who.second == Agent::peer;
    if (with_peer != (peer != nullptr)) continue;
    for (const auto& place : places) {
      // To the processors themselves all memory is the same.
      if (device.properties().backend == device::Backend::host && &place != &places.front())
        continue;
      for (std::size_t f = 0; f < who.fence_count; ++f)
        for (const auto shape : shapes) out.push_back({shape, &who, who.fences[f], &place});
    }
  }
  return out;
}

void add(const device::LitmusCounts& more, device::LitmusCounts& to) {
  to.iterations += more.iterations;
  to.forbidden += more.forbidden;
  to.weak += more.weak;
  for (const auto& [outcome, times] : more.outcomes) to.outcomes[outcome] += times;
}

void record(Context& context, const std::string& subject, const Where& where,
            const Result<device::LitmusCounts>& counts) {
  if (!counts) {
    context.out->absent("coherency.forbidden"_id, subject, absence_of(counts.error()),
                        counts.error().message(), where);
    return;
  }
  std::string seen;
  for (const auto& [outcome, times] : counts->outcomes)
    seen += fmt::format("{}{}: {}", seen.empty() ? "" : ", ", outcome, times);
  context.out->number("coherency.forbidden"_id, subject, static_cast<double>(counts->forbidden),
                      where);
  context.out->detail(seen);
  context.out->number("coherency.weak"_id, subject, static_cast<double>(counts->weak), where);
  context.out->number("coherency.runs"_id, subject, static_cast<double>(counts->iterations), where);
}

/// Everything between one device and the host, or one device and a peer.
Result<void> of_pair(Context& context, device::Device& device, device::Device* peer, double end) {
  const auto all = combinations(device, peer);
  const auto subject = peer == nullptr ? device.properties().subject : link_subject(device, *peer);
  std::size_t at = 0;
  for (const auto& c : all) {
    const Where where{{"shape", std::string(name(c.shape))},
                      {"fence", std::string(name(c.fence))},
                      {"agents", std::string(c.parties->name)},
                      {"memory", std::string(c.place->name)}};
    if (context.over()) {
      context.out->absent("coherency.forbidden"_id, subject, Absence::not_asked, "the time was up",
                          where);
      ++at;
      continue;
    }
    device::LitmusSetup setup;
    setup.shape = c.shape;
    setup.fence = c.fence;
    setup.agents = agents_of(c);
    setup.memory = c.place->placement;
    setup.seed = context.seed + 1000 * at;
    setup.iterations = context.thorough ? 20'000 : 2'000;
    const double share = std::max(0.0, end - device.now()) / static_cast<double>(all.size() - at);
    const double until = device.now() + share;
    auto counts = device.litmus(setup, peer);
    while (counts && device.now() < until && !context.over()) {
      setup.seed = device::Pattern::mix(setup.seed);
      setup.iterations = std::min<std::uint64_t>(2 * setup.iterations, most_iterations);
      const auto more = device.litmus(setup, peer);
      if (!more) break;
      add(*more, *counts);
    }
    record(context, subject, where, counts);
    // A device that is lost or hangs answers nothing more.
    if (!counts && counts.error().code == Errc::vendor_failure)
      return tl::make_unexpected(counts.error());
    ++at;
  }
  return {};
}

}  // namespace

Result<void> coherency(Context& context) {
  for (const auto* device : context.devices) {
    const auto& own = device->properties();
    if (own.managed_concurrent)
      context.out->flag("gpu.managed_memory.concurrent"_id, own.subject, *own.managed_concurrent);
    if (own.pageable_access)
      context.out->flag("gpu.pageable_memory"_id, own.subject, *own.pageable_access);
  }
  struct Pair {
    device::Device *device, *peer;
  };
  std::vector<Pair> pairs;
  for (auto* device : context.devices) pairs.push_back({device, nullptr});
  for (std::size_t i = 0; i < context.devices.size(); ++i)
    for (std::size_t j = i + 1; j < context.devices.size(); ++j)
      pairs.push_back({context.devices[i], context.devices[j]});
  Result<void> out;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto [device, peer] = pairs[i];
    const auto subject =
        peer == nullptr ? device->properties().subject : link_subject(*device, *peer);
    context.progress(static_cast<double>(i) / static_cast<double>(pairs.size()), subject);
    const double end = device->now() + context.left() / static_cast<double>(pairs.size() - i);
    if (peer != nullptr && !context.over()) {
      const auto reached = device->reach(*peer);
      if (!reached || !*reached) {
        context.out->absent("coherency.forbidden"_id, subject, Absence::not_supported,
                            "the devices can't use each other's memory");
        continue;
      }
    }
    if (auto done = in_context(of_pair(context, *device, peer, end), subject); !done && out)
      out = std::move(done);
    context.publish();
  }
  return out;
}

}  // namespace gpuvet::probe
