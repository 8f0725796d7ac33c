// SPDX-License-Identifier: Apache-2.0
// How fast files are read, and whether they hold what was written (docs/method/storage.md). Never
// touches a raw device.
#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "platform/terminal.hpp"
#include "probe/harness.hpp"
#include "probe/stored_file.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {
namespace {

constexpr std::uint64_t quick_bytes = std::uint64_t{2} << 30,
                        thorough_bytes = std::uint64_t{16} << 30;

platform::ReadJob job_on(const Context& context, const StoredFile& stored, double seconds) {
  platform::ReadJob job;
  job.path = stored.file.path();
  job.bytes = stored.bytes;
  job.seconds = seconds;
  job.seed = context.seed;
  job.cancelled = context.cancelled;
  return job;
}

void absent(Context& context, Id id, const Error& error) {
  context.out->absent(id, "node", absence_of(error), error.what);
}

/// Reads all of the file once and looks at every word.
void verify(Context& context, const StoredFile& stored, double seconds) {
  constexpr Id id = "storage.read.wrong"_id;
  auto job = job_on(context, stored, seconds);
  job.most = stored.bytes / job.block;
  job.visit = [&](unsigned, std::uint64_t offset, auto seen) { return stored.holds(offset, seen); };
  const auto run = platform::read_directly(job);
  if (!run) return absent(context, id, run.error());
  if (run->reads == 0) return absent(context, id, {Errc::timeout, "no time was left", 0, {}, {}});
  const Where where{{"backend", "gpuvet"},
                    {"engine", run->engine},
                    {"bytes", static_cast<double>(job.block)},
                    {"filesystem", stored.filesystem}};
  context.out->number(id, "node", static_cast<double>(run->wrong), where);
  context.out->detail(fmt::format(
      "{} of {} blocks looked at{}", run->reads, job.most,
      run->wrong > 0 ? fmt::format(", the first wrong at {:#x}", run->first_wrong) : ""));
}

/// Times our own reader.
void read_by_own(Context& context, const StoredFile& stored, bool random, double seconds) {
  const Id id = random ? "storage.read.random"_id : "storage.read.sequential"_id;
  auto job = job_on(context, stored, seconds);
  job.random = random;
  job.block = random ? small_block : large_block;
  job.depth = random ? small_depth : large_depth;
  job.visit = [&](unsigned, std::uint64_t offset, auto seen) {
    return stored.stamped(offset, seen);
  };
  auto run = platform::read_directly(job);
  if (!run) return absent(context, id, run.error());
  if (run->reads == 0 || run->seconds <= 0)
    return absent(context, id, {Errc::timeout, "no read ended in time", 0, {}, {}});
  Where where{{"backend", "gpuvet"},
              {"engine", run->engine},
              {"bytes", static_cast<double>(job.block)},
              {"depth", static_cast<double>(job.depth)},
              {"jobs", 1.0},
              {"direct", "yes"},
              {"filesystem", stored.filesystem}};
  const double reads = static_cast<double>(run->reads) / run->seconds;
  context.out->number(id, "node", random ? reads : reads * static_cast<double>(job.block), where);
  context.out->detail(fmt::format("{} reads in {:.2f} s{}{}", run->reads, run->seconds,
                                  run->remark.empty() ? "" : "; not io_uring: " + run->remark,
                                  run->wrong > 0 ? fmt::format("; {} wrong", run->wrong) : ""));
  where.emplace("order", random ? "random" : "sequential");
  auto& times = run->latencies;
  const double sum = std::accumulate(times.begin(), times.end(), 0.0);
  context.out->number("storage.read.latency"_id, "node", sum / static_cast<double>(times.size()),
                      where);
  const auto p99 = times.begin() + static_cast<std::ptrdiff_t>(times.size() * 99 / 100);
  std::nth_element(times.begin(), p99, times.end());
  context.out->number("storage.read.latency.p99"_id, "node", static_cast<double>(*p99), where);
}

}  // namespace

Result<void> storage(Context& context) {
  if (simulated(context)) return fail(Errc::not_supported, "a simulated server has no drives");
  const double seconds = context.left();
  context.progress(0, "writing a file");
  const auto stored =
      store(context, context.thorough ? thorough_bytes : quick_bytes, 0.35 * seconds);
  if (!stored) {
    for (const Id id : {"storage.read.sequential"_id, "storage.read.random"_id,
                        "storage.read.wrong"_id, "storage.read.gds"_id, "storage.read.bounce"_id})
      absent(context, id, stored.error());
    if (stored.error().code == Errc::cancelled) return tl::make_unexpected(stored.error());
    return {};
  }
  if (const auto space = platform::folder_space(context.folder))
    context.out->number("storage.free"_id, "node", static_cast<double>(space->free),
                        {{"filesystem", space->filesystem}});
  context.progress(0.35, "reading it back");
  verify(context, *stored, 0.15 * seconds);
  context.publish();
  for (const bool random : {false, true}) {
    if (context.over()) break;
    context.progress(random ? 0.65 : 0.5, random ? "random reads" : "sequential reads");
    const auto by_fio = read_by_fio(context, *stored, random, 0.12 * seconds);
    if (!by_fio) {
      read_by_own(context, *stored, random, 0.12 * seconds);
      context.out->absent(random ? "storage.read.random"_id : "storage.read.sequential"_id, "node",
                          absence_of(by_fio.error()), by_fio.error().what, {{"backend", "fio"}});
    }
    context.publish();
  }
  context.progress(0.8, "reading into GPUs");
  read_to_gpus(context, *stored, 0.18 * seconds);
  context.publish();
  return {};
}

}  // namespace gpuvet::probe
