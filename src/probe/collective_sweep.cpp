// SPDX-License-Identifier: Apache-2.0
#include "probe/collective_sweep.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <limits>

#include "probe/collective_data.hpp"
#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Collective;

constexpr std::array operations = {Collective::all_reduce,     Collective::all_gather,
                                   Collective::reduce_scatter, Collective::broadcast,
                                   Collective::reduce,         Collective::alltoall,
                                   Collective::sendrecv};

struct Point {
  std::uint64_t bytes = 0;
  Figure figure;
  double wrong = 0;
  double least = 0, most = 0;  ///< seconds of the fastest and the slowest rank
};

/// Whose figures these are: a ring of ours must never be held against NCCL's floors.
std::string prefix(const device::Transport& transport) {
  if (transport.library.starts_with("NCCL")) return "collective.";
  return transport.library.starts_with("MPI") ? "collective.mpi." : "collective.ring.";
}

/// 8 B and up by fours to what fits, at most 4 (16) GiB; the largest is always among them.
std::vector<std::uint64_t> sizes(const Context& context, std::uint64_t most, int ranks) {
  const auto piece = 8 * static_cast<std::uint64_t>(ranks);
  most = std::min(most, std::uint64_t{context.thorough ? 16U : 4U} << 30);
  std::vector<std::uint64_t> out;
  for (std::uint64_t bytes = 8; bytes < most; bytes *= 4) {
    const auto whole = (bytes + piece - 1) / piece * piece;
    if (whole <= most && (out.empty() || out.back() != whole)) out.push_back(whole);
  }
  const auto last = most / piece * piece;
  if (last > 0 && (out.empty() || out.back() < last)) out.push_back(last);
  return out;
}

class Sweep {
 public:
  Sweep(Context& context, device::Communicator& communicator, std::uint64_t most)
      : context_{context}, communicator_{communicator}, most_{most} {}

  Result<void> run() {
    const auto all = sizes(context_, most_, communicator_.ranks());
    const auto& clock = *context_.devices.front();
    for (std::size_t done = 0; done < operations.size(); ++done) {
      const auto op = operations[done];
      const double until =
          clock.now() + context_.left() / static_cast<double>(operations.size() - done);
      context_.progress(static_cast<double>(done) / operations.size(), name(op));
      std::vector<Point> points;
      Result<void> failed;
      double took = 0;
      for (std::size_t i = 0; i < all.size(); ++i) {
        // What is next is four times as large. Later operations have a right to their time.
        const double left = until - clock.now();
        GPUVET_TRY(const bool over, agreed(context_.over() || 4 * took > left));
        if (over) break;
        GPUVET_TRY(const double seconds, longest(left / static_cast<double>(all.size() - i)));
        const double begin = clock.now();
        auto point = measure(op, all[i], seconds);
        took = clock.now() - begin;
        if (!point) {
          failed = tl::make_unexpected(std::move(point).error());
          break;
        }
        points.push_back(std::move(*point));
      }
      record(op, points);
      GPUVET_CHECK(in_context(std::move(failed), std::string(name(op))));
      context_.publish();
    }
    return {};
  }

 private:
  /// What any process of the job says.
  Result<bool> agreed(bool own) {
    GPUVET_TRY(const double any, longest(own ? 1 : 0));
    return any > 0;
  }
  Result<double> longest(double own) {
    if (context_.job == nullptr) return own;
    GPUVET_TRY(const auto all, context_.job->gather(std::span(&own, 1)));
    return *std::max_element(all.begin(), all.end());
  }

  Result<Point> measure(Collective op, std::uint64_t bytes, double seconds) {
    GPUVET_TRY(auto data, CollectiveData::make(context_, communicator_, op, bytes));
    Point out;
    out.bytes = bytes;
    GPUVET_TRY(double wrong, data.wrong(communicator_, op));
    if (context_.job != nullptr) {
      GPUVET_TRY(const auto all, context_.job->gather(std::span(&wrong, 1)));
      wrong = 0;
      for (const double one : all) wrong += one;
    }
    out.wrong = wrong;
    GPUVET_TRY(out.figure, timed_runs(data, op, bytes, seconds));
    GPUVET_TRY(auto ranks, data.rank_seconds(communicator_, op));
    if (context_.job != nullptr) {
      GPUVET_TRY(ranks, context_.job->gather(ranks));
    }
    out.least = *std::min_element(ranks.begin(), ranks.end());
    out.most = *std::max_element(ranks.begin(), ranks.end());
    rank_seconds_ = std::move(ranks);
    return out;
  }

  /// As nccl-tests: several in a row, then wait; the time of one is the mean of the row.
  Result<Figure> timed_runs(CollectiveData& data, Collective op, std::uint64_t bytes,
                            double seconds) {
    const int row = bytes < (1U << 20) ? 20 : bytes < (64U << 20) ? 5 : 1;
    const auto once = [&]() -> Result<double> {
      if (context_.job != nullptr) GPUVET_CHECK(context_.job->barrier());
      auto& clock = *context_.devices.front();
      const double begin = clock.now();
      for (int i = 0; i < row; ++i) GPUVET_CHECK(data.enqueue(communicator_, op));
      GPUVET_CHECK(data.synchronize());
      return (clock.now() - begin) / row;
    };
    if (context_.job == nullptr)
      return sample(context_, *context_.devices.front(), {.seconds = seconds, .most = 100}, once);
    // Processes must not disagree on how often they run: the first run decides for all.
    GPUVET_CHECK(once());
    GPUVET_TRY(const double first, once());
    GPUVET_TRY(const double slowest, longest(first));
    const auto rounds =
        static_cast<int>(std::clamp(seconds / std::max(slowest * row, 1e-9), 3.0, 100.0));
    std::vector<double> own;
    for (int i = 0; i < rounds; ++i) {
      GPUVET_TRY(const double one, once());
      own.push_back(one);
    }
    GPUVET_TRY(const auto all, context_.job->gather(own));
    std::vector<double> latest(own.size());
    for (std::size_t i = 0; i < all.size(); ++i)
      latest[i % own.size()] = std::max(latest[i % own.size()], all[i]);
    return figure_of_seconds(std::move(latest));
  }

  [[nodiscard]] double nodes() const {
    if (context_.job == nullptr) return 1;
    auto names = context_.job->hosts();
    std::sort(names.begin(), names.end());
    return static_cast<double>(std::unique(names.begin(), names.end()) - names.begin());
  }

  void record(Collective op, const std::vector<Point>& points) {
    if (context_.job != nullptr && context_.job->rank() != 0) return;
    const std::string operation(name(op));
    const double n = communicator_.ranks();
    Where where{{"gpus", n}, {"nodes", nodes()}};
    const auto last = communicator_.transport(op, points.empty() ? 8 : points.back().bytes);
    const auto stem = prefix(last) + operation;
    const Id busbw = *find_id(stem + ".busbw"), wrong = *find_id(stem + ".wrong");
    auto& out = *context_.out;
    if (points.empty()) {
      out.absent(busbw, "node", Absence::not_asked, "no figure in the time given", where);
      return;
    }
    Table table{.name = stem,
                .subject = "node",
                .where = where,
                .columns = {{"bytes", Unit::byte, {}},
                            {"time", Unit::second, {}},
                            {"algbw", Unit::byte_per_second, {}},
                            {"busbw", Unit::byte_per_second, {}},
                            {"wrong", Unit::none, {}},
                            {"fastest_rank", Unit::second, {}},
                            {"slowest_rank", Unit::second, {}}},
                .provenance = {}};
    double all_wrong = 0;
    for (const auto& p : points) {
      const double algbw = static_cast<double>(p.bytes) / p.figure.median;
      const std::array cells = {static_cast<double>(p.bytes),
                                p.figure.median,
                                algbw,
                                algbw * device::bus_factor(op, communicator_.ranks()),
                                p.wrong,
                                p.least,
                                p.most};
      for (std::size_t i = 0; i < cells.size(); ++i) table.columns[i].values.push_back(cells[i]);
      all_wrong += p.wrong;
    }
    out.number(wrong, "node", all_wrong, where);
    out.detail("8-byte words");
    const auto& top = points.back();
    where["bytes"] = static_cast<double>(top.bytes);
    Where typed = where;
    typed["datatype"] = "float";
    out.number(busbw, "node", table.columns[3].values.back(), typed);
    out.detail(top.figure.quality());
    where["operation"] = operation;
    out.text(
        "collective.transport"_id, "node",
        fmt::format("{}{}{}", last.library, last.algorithm.empty() ? "" : ", " + last.algorithm,
                    last.protocol.empty() ? "" : ", " + last.protocol),
        where);
    where["library"] = last.library;
    for (std::size_t r = 0; r < rank_seconds_.size(); ++r)
      out.number("collective.rank.time"_id, fmt::format("rank:{}", r), rank_seconds_[r], where);
    out.table(std::move(table));
  }

  Context& context_;
  device::Communicator& communicator_;
  std::uint64_t most_;
  std::vector<double> rank_seconds_;  ///< at the size measured last
};

}  // namespace

Result<std::uint64_t> largest_buffer(const Context& context) {
  std::uint64_t out = std::numeric_limits<std::uint64_t>::max();
  for (auto* device : context.devices) {
    GPUVET_TRY(const auto free, device->free_memory());
    out = std::min(out, free / 4);
  }
  return out;
}

void culprits_not_sought(Context& context, Absence why, const std::string& detail,
                         const Where& where) {
  for (const Id id : {"collective.gpu.speedup_without"_id, "collective.gpu.spoils"_id})
    context.out->absent(id, "node", why, detail, where);
}

Result<void> sweep_collectives(Context& context, device::Communicator& communicator,
                               std::uint64_t most) {
  return Sweep(context, communicator, most).run();
}

}  // namespace gpuvet::probe
