// SPDX-License-Identifier: Apache-2.0
// How fast and how right bytes go between each two devices (docs/method/peer.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string>

#include "probe/contents.hpp"
#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Device;
using device::Engine;

struct Kind {
  Engine engine;
  std::string_view name;  ///< as nvbandwidth's importer writes it
};
constexpr std::array engines = {Kind{Engine::copy_engine, "ce"}, Kind{Engine::kernel, "sm"}};

/// Buffers of two devices, as many on each as both directions at once need.
struct Pair {
  Device *a = nullptr, *b = nullptr;
  bool reached = false;  ///< each uses the other's memory directly
  device::Buffer of_a, into_a, of_b, into_b;
  std::unique_ptr<device::Stream> stream_a, stream_b;

  [[nodiscard]] std::string subject() const { return link_subject(*a, *b); }
  [[nodiscard]] std::uint64_t bytes() const { return of_a.size(); }
};

Result<Pair> make(Context& context, Device& a, Device& b) {
  Pair out;
  out.a = &a;
  out.b = &b;
  GPUVET_TRY(const bool there, a.reach(b));
  GPUVET_TRY(const bool back, b.reach(a));
  out.reached = there && back;
  GPUVET_TRY(const auto free_a, a.free_memory());
  GPUVET_TRY(const auto free_b, b.free_memory());
  const std::uint64_t wanted = std::uint64_t{context.thorough ? 512U : 128U} << 20;
  const auto bytes = std::min({wanted, free_a / 4, free_b / 4}) / 4096 * 4096;
  if (bytes == 0) return fail(Errc::too_large, "too little memory is free");
  GPUVET_TRY(out.of_a, a.allocate(bytes));
  GPUVET_TRY(out.into_a, a.allocate(bytes));
  GPUVET_TRY(out.of_b, b.allocate(bytes));
  GPUVET_TRY(out.into_b, b.allocate(bytes));
  GPUVET_TRY(out.stream_a, a.stream());
  GPUVET_TRY(out.stream_b, b.stream());
  return out;
}

/// One of the four ways that bytes go: who gives the order, and whether it reads or writes.
struct Way {
  bool by_a, reads;
  [[nodiscard]] std::string_view direction() const { return reads ? "read" : "write"; }
};
constexpr std::array ways = {Way{true, true}, Way{false, true}, Way{true, false},
                             Way{false, false}};

Result<void> enqueue(Pair& pair, Way way, Engine engine) {
  auto& stream = way.by_a ? *pair.stream_a : *pair.stream_b;
  const bool to_a = way.by_a == way.reads;
  return to_a ? stream.copy(pair.into_a.all(), pair.of_b.all(), engine)
              : stream.copy(pair.into_b.all(), pair.of_a.all(), engine);
}

Result<void> verify(Context& context, Pair& pair, Way way, const Kind& engine) {
  const bool to_a = way.by_a == way.reads;
  auto& source = to_a ? pair.of_b : pair.of_a;
  auto& target = to_a ? pair.into_a : pair.into_b;
  auto& from = to_a ? *pair.stream_b : *pair.stream_a;
  auto& to = to_a ? *pair.stream_a : *pair.stream_b;
  const device::Pattern pattern{device::PatternKind::random,
                                context.seed * 16 + (way.by_a ? 2U : 0U) + (way.reads ? 1U : 0U)};
  device::CheckResult found;
  GPUVET_CHECK(from.fill(source.all(), pattern));
  GPUVET_CHECK(to.fill(target.all(), {device::PatternKind::constant, ~std::uint64_t{0}}));
  GPUVET_CHECK(from.synchronize(context.call_limit));
  GPUVET_CHECK(to.synchronize(context.call_limit));
  GPUVET_CHECK(enqueue(pair, way, engine.engine));
  GPUVET_CHECK((way.by_a ? pair.stream_a : pair.stream_b)->synchronize(context.call_limit));
  GPUVET_CHECK(to.check(target.all(), pattern, found));
  GPUVET_CHECK(to.synchronize(context.call_limit));
  context.out->number(
      "peer.wrong"_id, pair.subject(), static_cast<double>(found.wrong),
      {{"direction", std::string(way.direction())}, {"engine", std::string(engine.name)}});
  const auto& by = way.by_a ? *pair.a : *pair.b;
  context.out->detail(by.properties().subject + (way.reads ? " reads" : " writes") +
                      (found.wrong == 0 ? "" : ": " + words(found)));
  return {};
}

Where where_of(const Pair& pair, std::string_view direction, const Kind& engine) {
  return {{"direction", std::string(direction)},
          {"engine", std::string(engine.name)},
          {"p2p", pair.reached ? "enabled" : "disabled"},
          {"bytes", static_cast<double>(pair.bytes())}};
}

Result<void> one_way(Context& context, Pair& pair, Way way, const Kind& engine, double seconds) {
  auto& by = way.by_a ? *pair.a : *pair.b;
  auto& stream = way.by_a ? *pair.stream_a : *pair.stream_b;
  GPUVET_TRY(const auto figure, sample(context, by, {.seconds = seconds}, [&] {
               return timed(context, stream, [&] { return enqueue(pair, way, engine.engine); });
             }));
  context.out->number("peer.bandwidth"_id, pair.subject(),
                      static_cast<double>(pair.bytes()) / figure.median,
                      where_of(pair, way.direction(), engine));
  const auto& other = way.by_a ? *pair.b : *pair.a;
  context.out->detail(fmt::format("{} {} {}; {}", by.properties().subject,
                                  way.reads ? "reads from" : "writes to",
                                  other.properties().subject, figure.quality()));
  return {};
}

/// Both read from each other at the same time; the later end counts.
Result<void> both_ways(Context& context, Pair& pair, const Kind& engine, double seconds) {
  const auto once = [&]() -> Result<double> {
    GPUVET_TRY(const auto begin_a, pair.stream_a->record());
    GPUVET_TRY(const auto begin_b, pair.stream_b->record());
    GPUVET_CHECK(enqueue(pair, {true, true}, engine.engine));
    GPUVET_CHECK(enqueue(pair, {false, true}, engine.engine));
    GPUVET_TRY(const auto end_a, pair.stream_a->record());
    GPUVET_TRY(const auto end_b, pair.stream_b->record());
    GPUVET_CHECK(pair.stream_a->synchronize(context.call_limit));
    GPUVET_CHECK(pair.stream_b->synchronize(context.call_limit));
    GPUVET_TRY(const double a, end_a->since(*begin_a));
    GPUVET_TRY(const double b, end_b->since(*begin_b));
    return std::max(a, b);
  };
  GPUVET_TRY(const auto figure, sample(context, *pair.a, {.seconds = seconds}, once));
  record_rate(context, "peer.bandwidth"_id, pair.subject(), 2 * static_cast<double>(pair.bytes()),
              figure, where_of(pair, "both", engine));
  return {};
}

Result<void> latency(Context& context, Pair& pair) {
  const Where where{{"engine", "sm"}, {"p2p", pair.reached ? "enabled" : "disabled"}};
  const auto seconds = pair.a->latency(pair.b, context.thorough ? 10'000 : 1'000);
  if (!seconds) {
    context.out->absent("peer.latency"_id, pair.subject(), absence_of(seconds.error()),
                        seconds.error().message(), where);
    return {};
  }
  context.out->number("peer.latency"_id, pair.subject(), *seconds, where);
  context.out->detail("half of a round trip between two kernels that wait for each other's word");
  return {};
}

Result<void> of_pair(Context& context, Device& a, Device& b, double end) {
  GPUVET_TRY(auto pair, make(context, a, b));
  // What is wrong comes first: it counts more than what is slow.
  for (const auto& engine : engines)
    for (const auto way : ways)
      if (engine.engine == Engine::copy_engine || pair.reached)
        GPUVET_CHECK(verify(context, pair, way, engine));
  GPUVET_CHECK(latency(context, pair));
  double left = static_cast<double>(engines.size() * (ways.size() + 1));
  for (const auto& engine : engines) {
    if (engine.engine == Engine::kernel && !pair.reached) {
      for (const auto* direction : {"read", "write", "both"})
        context.out->absent("peer.bandwidth"_id, pair.subject(), Absence::not_supported,
                            "no peer access: kernels can't reach the other's memory",
                            where_of(pair, direction, engine));
      continue;
    }
    for (const auto way : ways) {
      if (context.over()) return {};
      GPUVET_CHECK(one_way(context, pair, way, engine, std::max(0.0, end - a.now()) / left--));
    }
    if (context.over()) return {};
    GPUVET_CHECK(both_ways(context, pair, engine, std::max(0.0, end - a.now()) / left--));
  }
  return {};
}

}  // namespace

Result<void> peer(Context& context) {
  const auto& devices = context.devices;
  if (devices.size() < 2) return fail(Errc::not_supported, "peers are at least two devices");
  const auto pairs = static_cast<double>(devices.size() * (devices.size() - 1) / 2);
  double done = 0;
  Result<void> out;
  for (std::size_t i = 0; i < devices.size(); ++i)
    for (std::size_t j = i + 1; j < devices.size(); ++j) {
      const auto subject = link_subject(*devices[i], *devices[j]);
      context.progress(done / pairs, subject);
      const double share = context.left() / (pairs - done++);
      if (context.over()) {
        context.out->absent("peer.bandwidth"_id, subject, Absence::not_asked, "the time was up");
        continue;
      }
      auto one = of_pair(context, *devices[i], *devices[j], devices[i]->now() + share);
      if (!one) {
        context.out->absent("peer.bandwidth"_id, subject, absence_of(one.error()),
                            one.error().message());
        if (out) out = in_context(std::move(one), subject);
      }
      context.publish();
    }
  return out;
}

}  // namespace gpuvet::probe
