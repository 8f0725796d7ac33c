// SPDX-License-Identifier: Apache-2.0
// How fast a device multiplies matrices, and whether the products are right, the same each time and
// the same as its siblings' (docs/method/compute.md).
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <optional>
#include <tuple>

#include "core/statistics.hpp"

#include "device/matrix_check.hpp"
#include "probe/workbench.hpp"

namespace gpuvet::probe {
namespace {

using device::Device;
using device::MatrixEngine;
using device::Precision;

struct Rate {
  Precision precision;
  Id id;
};
constexpr std::array rates = {
    Rate{Precision::bf16, "compute.bf16"_id}, Rate{Precision::fp16, "compute.fp16"_id},
    Rate{Precision::fp8, "compute.fp8"_id},   Rate{Precision::tf32, "compute.tf32"_id},
    Rate{Precision::fp32, "compute.fp32"_id}, Rate{Precision::fp64, "compute.fp64"_id},
    Rate{Precision::int8, "compute.int8"_id},
};

bool has(const Device& device, Precision precision, MatrixEngine engine) {
  const auto all = device.precisions(engine);
  return std::find(all.begin(), all.end(), precision) != all.end();
}

Absence absence_of(const Error& error) {
  switch (error.code) {
    case Errc::timeout:
    case Errc::cancelled:
      return Absence::timeout;
    case Errc::permission:
      return Absence::permission;
    default:
      return Absence::not_supported;
  }
}

/// The smallest error of one element of normal values that the check is sure to see: it must exceed
/// the bound even after rounding has taken as much.
double detectable(Precision precision, std::int64_t size) {
  const auto side = static_cast<double>(size);
  return 2 * device::rounding_bound(precision, false, size, size, std::sqrt(side), side, side) /
         std::sqrt(side);
}

/// Same model, same engine and precision: whose products must be equal bit by bit.
using Kind = std::tuple<std::string, int, Precision, MatrixEngine, std::int64_t>;

class Compute {
 public:
  explicit Compute(Context& context) : context_{context} {
    for (auto* device : context.devices)
      for (const auto engine : {MatrixEngine::library, MatrixEngine::own})
        parts_ += device->precisions(engine).size();
  }

  void run() {
    for (auto* device : context_.devices) {
      of_device(*device);
      context_.publish();
    }
    siblings();
    if (context_.devices.size() > 1) together();
    context_.publish();
  }

 private:
  [[nodiscard]] std::string subject(const Device& device) const {
    return device.properties().subject;
  }

  void of_device(Device& device) {
    std::optional<Error> lost;
    for (const auto engine : {MatrixEngine::library, MatrixEngine::own})
      for (const auto& rate : rates) {
        const Where where{{"backend", engine_name(device, engine)}};
        if (!has(device, rate.precision, engine)) {
          context_.out->absent(rate.id, subject(device), Absence::not_supported,
                               "no such products here", where);
          continue;
        }
        const double share = static_cast<double>(done_++) / static_cast<double>(parts_);
        context_.progress(
            share, fmt::format("{} {}", device.properties().name, device::name(rate.precision)));
        auto out = lost              ? Result<void>(tl::make_unexpected(*lost))
                   : context_.over() ? fail(Errc::timeout, "time was up")
                                     : one(device, rate, engine);
        if (out) continue;
        if (out.error().code == Errc::vendor_failure || out.error().code == Errc::timeout)
          lost = out.error();
        absent(rate, device, engine, out.error());
      }
  }

  /// Time that may be spent until the next part's turn.
  [[nodiscard]] double share() const {
    // The last turn belongs to all devices at once.
    return context_.left() / static_cast<double>(parts_ - done_ + 2);
  }

  Result<void> one(Device& device, const Rate& rate, MatrixEngine engine) {
    const double end = device.now() + share();
    GPUVET_TRY(const auto size, size_for(device, rate.precision, engine));
    GPUVET_TRY(auto bench, Workbench::make(context_, device, rate.precision, engine, size));
    const Where where{{"size", static_cast<double>(size)},
                      {"backend", engine_name(device, engine)}};
    GPUVET_CHECK(measure(bench, rate, engine, where, 0.6 * (end - device.now())));
    const int rounds = context_.thorough ? 16 : 4;
    Tally exact;
    std::uint64_t inputs = 0;
    for (int i = 0; i < rounds && (i == 0 || !context_.over()); ++i) {
      GPUVET_TRY(const auto wrong, bench.exact(exact));
      inputs += wrong;
    }
    GPUVET_TRY(const auto differing, bench.repeat(rounds));
    GPUVET_TRY(const bool intact, bench.guards_intact());
    const auto named = by_precision(device, engine, rate.precision);
    context_.out->number("compute.wrong.exact"_id, subject(device),
                         static_cast<double>(exact.wrong), named);
    context_.out->detail(exact.words());
    context_.out->number("compute.wrong.inputs"_id, subject(device),
                         static_cast<double>(inputs + (intact ? 0U : 1U)), named);
    if (!intact) context_.out->detail("a kernel wrote beside its matrices");
    auto sized = named;
    sized["size"] = static_cast<double>(size);
    context_.out->number("compute.repeat.differing"_id, subject(device),
                         static_cast<double>(differing), sized);
    context_.out->detail(fmt::format("{} repeats", rounds));
    // A library on the host may split the work by its threads, which nodes have in different
    // number.
    if (context_.devices.size() > 1 && engine_name(device, engine) != "openblas") {
      GPUVET_TRY(const auto digest, bench.digest(context_.seed));
      const auto& properties = device.properties();
      digests_[{properties.name, properties.processors, rate.precision, engine, size}].push_back(
          {&device, digest});
    }
    return {};
  }

  /// The same for all devices of a model, so that their figures can be compared.
  Result<std::int64_t> size_for(Device& device, Precision precision, MatrixEngine engine) {
    const auto key = std::tuple(device.properties().name, precision, engine);
    if (const auto known = sizes_.find(key); known != sizes_.end()) return known->second;
    const double seconds = std::clamp(share() / 20, 0.01, 0.25);
    GPUVET_TRY(const auto size,
               Workbench::fitting_size(context_, device, precision, engine, seconds));
    sizes_[key] = size;
    return size;
  }

  Result<void> measure(Workbench& bench, const Rate& rate, MatrixEngine engine, const Where& where,
                       double seconds) {
    auto& device = bench.device();
    GPUVET_TRY(const double trial, bench.trial());
    const int batch = std::clamp(static_cast<int>(0.05 / std::max(trial, 1e-6)), 1, 8);
    Tally tally;
    const auto once = [&]() -> Result<double> {
      GPUVET_CHECK(bench.begin(batch));
      return bench.finish(tally);
    };
    const auto figure = sample(context_, device, {.seconds = seconds, .warm_up = 1}, once);
    verdicts(device, rate.precision, tally, {{"backend", engine_name(device, engine)}});
    if (!figure) return tl::make_unexpected(figure.error());
    record_rate(context_, rate.id, subject(device), operations(bench.size()), *figure, where);
    auto named = where;
    named["precision"] = std::string(device::name(rate.precision));
    context_.out->number("compute.verified"_id, subject(device),
                         static_cast<double>(tally.products), named);
    if (tally.multiply > 0)
      context_.out->number("compute.check.share"_id, subject(device), tally.check / tally.multiply,
                           named);
    context_.out->number("compute.detectable"_id, subject(device),
                         detectable(rate.precision, bench.size()),
                         {{"size", static_cast<double>(bench.size())},
                          {"precision", std::string(device::name(rate.precision))}});
    return {};
  }

  void verdicts(const Device& device, Precision precision, const Tally& tally, Where named) {
    if (tally.products == 0) return;
    named["precision"] = std::string(device::name(precision));
    context_.out->number("compute.wrong"_id, subject(device), static_cast<double>(tally.wrong),
                         named);
    context_.out->detail(tally.words());
    context_.out->number("compute.not_finite"_id, subject(device),
                         static_cast<double>(tally.not_finite), named);
  }

  [[nodiscard]] static Where by_precision(const Device& device, MatrixEngine engine,
                                          Precision precision) {
    return {{"backend", engine_name(device, engine)},
            {"precision", std::string(device::name(precision))}};
  }

  static double operations(std::int64_t size) { return 2 * std::pow(static_cast<double>(size), 3); }

  void absent(const Rate& rate, const Device& device, MatrixEngine engine, const Error& error) {
    const Where by_engine{{"backend", engine_name(device, engine)}};
    const auto named = by_precision(device, engine, rate.precision);
    const auto unless_told = [&](Id id, const Where& where) {
      if (!told(id, subject(device), where))
        context_.out->absent(id, subject(device), absence_of(error), error.message(), where);
    };
    unless_told(rate.id, by_engine);
    for (const Id id : {"compute.wrong"_id, "compute.wrong.exact"_id, "compute.wrong.inputs"_id,
                        "compute.repeat.differing"_id})
      unless_told(id, named);
  }

  /// Whether `id` has been told already: what was measured before an error stays.
  [[nodiscard]] bool told(Id id, const std::string& of, const Where& where) const {
    const auto& all = context_.out->evidence().observations;
    return std::any_of(all.rbegin(), all.rend(), [&](const Observation& o) {
      return o.id == id && o.subject == of &&
             std::all_of(where.begin(), where.end(), [&](const auto& dimension) {
               const auto found = o.where.find(dimension.first);
               return found != o.where.end() && found->second == dimension.second;
             });
    });
  }

  /// What most siblings compute is right; who computes something else is told. Of two that differ
  /// nobody knows which.
  void siblings() {
    for (const auto& [kind, found] : digests_) {
      if (found.size() < 2) continue;
      std::map<std::uint64_t, std::size_t> votes;
      for (const auto& each : found) ++votes[each.digest];
      const auto most = std::max_element(votes.begin(), votes.end(),
                                         [](auto& a, auto& b) { return a.second < b.second; });
      const bool majority = 2 * most->second > found.size();
      for (const auto& each : found) {
        const bool agrees = majority ? each.digest == most->first : votes.size() == 1;
        const auto others = found.size() - votes[each.digest];
        auto where = by_precision(*each.device, std::get<3>(kind), std::get<2>(kind));
        where["size"] = static_cast<double>(std::get<4>(kind));
        context_.out->number("compute.sibling.differing"_id, subject(*each.device),
                             agrees ? 0 : static_cast<double>(others), where);
        context_.out->detail(
            fmt::format("{} of {} devices have these bits", votes[each.digest], found.size()));
      }
    }
  }

  /// All devices at the same time: where power and cooling are shared, it shows here.
  void together() {
    for (const auto engine : {MatrixEngine::library, MatrixEngine::own})
      for (const auto& rate : rates) {
        const bool all = std::all_of(context_.devices.begin(), context_.devices.end(),
                                     [&](auto* d) { return has(*d, rate.precision, engine); });
        if (!all) continue;
        if (const auto out = together(rate, engine); !out)
          for (const auto* device : context_.devices)
            context_.out->absent(rate.id, subject(*device), absence_of(out.error()),
                                 "all at once: " + out.error().message(),
                                 all_at_once(*device, engine));
        return;  // one precision is enough to draw all power there is
      }
  }

  [[nodiscard]] Where all_at_once(const Device& device, MatrixEngine engine) const {
    return {{"backend", engine_name(device, engine)},
            {"gpus", static_cast<double>(context_.devices.size())}};
  }

  Result<void> together(const Rate& rate, MatrixEngine engine) {
    if (context_.over()) return fail(Errc::timeout, "time was up");
    context_.progress(static_cast<double>(parts_) / static_cast<double>(parts_ + 1),
                      "all devices at once");
    std::vector<Workbench> benches;
    std::vector<Tally> tallies(context_.devices.size());
    std::vector<std::vector<double>> seconds(context_.devices.size());
    for (auto* device : context_.devices) {
      GPUVET_TRY(const auto size, size_for(*device, rate.precision, engine));
      GPUVET_TRY(auto bench, Workbench::make(context_, *device, rate.precision, engine, size));
      benches.push_back(std::move(bench));
    }
    GPUVET_TRY(const double trial, benches.front().trial());
    const int batch = std::clamp(static_cast<int>(0.1 / std::max(trial, 1e-6)), 1, 16);
    constexpr int least = 3, most = 200;
    for (int round = 0; round < most && (round <= least || !context_.over()); ++round) {
      if (context_.cancelled()) return fail(Errc::cancelled, "stopped");
      for (auto& bench : benches) GPUVET_CHECK(bench.begin(batch));
      for (std::size_t i = 0; i < benches.size(); ++i) {
        GPUVET_TRY(const double took,
                   in_context(benches[i].finish(tallies[i]), subject(benches[i].device())));
        if (round > 0) seconds[i].push_back(took);  // the first warms up
      }
    }
    for (std::size_t i = 0; i < benches.size(); ++i) {
      auto& device = benches[i].device();
      auto where = all_at_once(device, engine);
      where["size"] = static_cast<double>(benches[i].size());
      context_.out->number(rate.id, subject(device),
                           operations(benches[i].size()) / median(seconds[i]), where);
      context_.out->detail(fmt::format("all at once, median of {}", seconds[i].size()));
      verdicts(device, rate.precision, tallies[i], all_at_once(device, engine));
    }
    return {};
  }

  struct Digest {
    const Device* device;
    std::uint64_t digest;
  };

  Context& context_;
  std::size_t parts_ = 0, done_ = 0;
  std::map<std::tuple<std::string, Precision, MatrixEngine>, std::int64_t> sizes_;
  std::map<Kind, std::vector<Digest>> digests_;
};

}  // namespace

Result<void> compute(Context& context) {
  Compute(context).run();
  if (context.cancelled()) return fail(Errc::cancelled, "stopped");
  return {};
}

}  // namespace gpuvet::probe
