// SPDX-License-Identifier: Apache-2.0
// From a file into a GPU's memory: straight, and by way of host memory.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <mutex>
#include <optional>
#include <thread>

#include "platform/cufile.hpp"
#include "platform/terminal.hpp"
#include "probe/harness.hpp"
#include "probe/stored_file.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {
namespace {

constexpr unsigned gds_threads = 8, bounce_depth = 16;
constexpr std::uint64_t nowhere = ~std::uint64_t{0};

Where where_of(const StoredFile& stored, std::string engine, unsigned depth) {
  return {{"backend", "gpuvet"},
          {"engine", std::move(engine)},
          {"bytes", static_cast<double>(large_block)},
          {"depth", static_cast<double>(depth)},
          {"direct", "yes"},
          {"filesystem", stored.filesystem}};
}

/// What lies in each slot of `buffer` is what the file holds where it came from. Checked by the
/// device, after the time was taken.
Result<std::uint64_t> wrong_words(Context& context, device::Stream& stream,
                                  const device::Buffer& buffer, const StoredFile& stored,
                                  const std::vector<std::uint64_t>& offsets) {
  device::CheckResult seen;
  for (std::size_t slot = 0; slot < offsets.size(); ++slot)
    if (offsets[slot] != nowhere)
      GPUVET_CHECK(stream.check(buffer.part(slot * large_block, large_block),
                                stored.pattern(offsets[slot]), seen));
  GPUVET_CHECK(stream.synchronize(context.call_limit));
  return seen.wrong;
}

void record(Context& context, Id id, const std::string& subject, std::uint64_t blocks,
            double seconds, std::uint64_t wrong, const Where& where) {
  context.out->number(id, subject, static_cast<double>(blocks * large_block) / seconds, where);
  context.out->detail(fmt::format("{} blocks in {:.2f} s{}", blocks, seconds,
                                  wrong > 0 ? fmt::format("; {} words wrong", wrong) : ""));
  if (wrong == 0) return;
  Where of_wrong;
  for (const char* kept : {"backend", "engine", "bytes", "filesystem"})
    of_wrong.emplace(kept, where.at(kept));
  context.out->number("storage.read.wrong"_id, subject, static_cast<double>(wrong), of_wrong);
}

Result<void> read_straight(Context& context, const platform::CuFile& library,
                           const StoredFile& stored, device::Device& device, double seconds) {
  GPUVET_TRY(const auto file, library.file(stored.file.path()));
  GPUVET_TRY(const auto buffer, device.allocate(gds_threads * large_block));
  GPUVET_TRY(const auto stream, device.stream());
  std::vector<std::uint64_t> offsets(gds_threads, nowhere);
  std::atomic<std::uint64_t> next = 0, done = 0;
  std::atomic<bool> stopped = false;
  std::mutex mutex;
  std::optional<Error> error;
  const double begin = platform::monotonic_seconds();
  const auto work = [&](unsigned slot) {
    // Makes the device's context this thread's: the library reads into the current one.
    (void)device.free_memory();
    while (!stopped && !context.cancelled() && platform::monotonic_seconds() < begin + seconds) {
      const std::uint64_t offset =
          next++ * large_block % (stored.bytes / large_block * large_block);
      if (auto read =
              file.read(buffer.part(slot * large_block, large_block).address, large_block, offset);
          !read) {
        const std::lock_guard lock(mutex);
        if (!error) error = read.error();
        stopped = true;
        return;
      }
      offsets[slot] = offset;
      ++done;
    }
  };
  std::vector<std::thread> threads;
  for (unsigned slot = 0; slot < gds_threads; ++slot) threads.emplace_back(work, slot);
  for (auto& thread : threads) thread.join();
  const double took = platform::monotonic_seconds() - begin;
  if (error) return tl::make_unexpected(*error);
  if (done == 0) return fail(Errc::timeout, "no read ended in time");
  GPUVET_TRY(const auto wrong, wrong_words(context, *stream, buffer, stored, offsets));
  record(context, "storage.read.gds"_id, device.properties().subject, done, took, wrong,
         where_of(stored, "cufile", gds_threads));
  return {};
}

}  // namespace

Result<void> read_by_bounce(Context& context, const StoredFile& stored, device::Device& device,
                            double seconds) {
  GPUVET_TRY(const auto host,
             device.allocate(bounce_depth * large_block, device::Placement::pinned));
  GPUVET_TRY(const auto buffer, device.allocate(bounce_depth * large_block));
  GPUVET_TRY(const auto stream, device.stream());
  std::vector<std::uint64_t> offsets(bounce_depth, nowhere);
  std::mutex mutex;
  std::optional<Error> error;
  platform::ReadJob job;
  job.path = stored.file.path();
  job.bytes = stored.bytes;
  job.depth = bounce_depth;
  job.seconds = seconds;
  job.memory = {reinterpret_cast<std::byte*>(host.all().address), host.size()};
  job.cancelled = [&] {
    const std::lock_guard lock(mutex);
    return error.has_value() || context.cancelled();
  };
  // One block is copied on while the others are still being read.
  job.visit = [&](unsigned slot, std::uint64_t offset, auto) {
    const std::lock_guard lock(mutex);
    if (error) return false;
    auto copied =
        stream->copy(buffer.part(slot * large_block, large_block),
                     host.part(slot * large_block, large_block), device::Engine::copy_engine);
    if (copied) copied = stream->synchronize(context.call_limit);
    if (!copied) error = copied.error();
    offsets[slot] = offset;
    return copied.has_value();
  };
  GPUVET_TRY(const auto run, platform::read_directly(job));
  if (error) return tl::make_unexpected(*error);
  if (run.reads == 0) return fail(Errc::timeout, "no read ended in time");
  GPUVET_TRY(const auto wrong, wrong_words(context, *stream, buffer, stored, offsets));
  record(context, "storage.read.bounce"_id, device.properties().subject, run.reads, run.seconds,
         wrong, where_of(stored, run.engine, bounce_depth));
  return {};
}

void read_to_gpus(Context& context, const StoredFile& stored, double seconds) {
  std::vector<device::Device*> gpus;
  for (auto* device : context.devices)
    if (device->properties().backend == device::Backend::cuda) gpus.push_back(device);
  constexpr Id gds = "storage.read.gds"_id, bounce = "storage.read.bounce"_id;
  if (gpus.empty()) {
    for (const Id id : {gds, bounce})
      context.out->absent(id, "node", Absence::not_supported, "no GPU under test");
    return;
  }
  const auto library = platform::CuFile::open();
  const double share = seconds / static_cast<double>(2 * gpus.size());
  for (auto* gpu : gpus) {
    const auto& subject = gpu->properties().subject;
    const auto note = [&](Id id, const Error& error) {
      context.out->absent(id, subject, absence_of(error), error.what);
    };
    if (!library)
      note(gds, library.error());
    else if (const auto read = read_straight(context, *library, stored, *gpu, share); !read)
      note(gds, read.error());
    if (const auto read = read_by_bounce(context, stored, *gpu, share); !read)
      note(bounce, read.error());
    context.publish();
  }
}

}  // namespace gpuvet::probe
