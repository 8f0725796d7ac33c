// SPDX-License-Identifier: Apache-2.0
#include "platform/direct_reader.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <mutex>
#include <optional>
#include <thread>

#include "platform/direct_run.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

constexpr unsigned most_threads = 64;

/// One blocking read after another, in as many threads as reads are to be under way.
class Readers {
 public:
  Readers(const ReadJob& job, int file, std::byte* memory)
      : job_{job}, file_{file}, memory_{memory} {}

  Result<ReadRun> go() {
    out_.engine = "pread";
    const double begin = monotonic_seconds();
    until_ = begin + job_.seconds;
    std::vector<std::thread> threads;
    for (unsigned slot = 0; slot < std::min(job_.depth, most_threads); ++slot)
      threads.emplace_back([this, slot] { work(slot); });
    for (auto& thread : threads) thread.join();
    out_.seconds = monotonic_seconds() - begin;
    if (error_) return tl::make_unexpected(*error_);
    return std::move(out_);
  }

 private:
  void work(unsigned slot) {
    auto* to = memory_ + slot * job_.block;
    while (!stopped_ && !job_.cancelled()) {
      const double begun = monotonic_seconds();
      const auto n = next_++;
      if (begun >= until_ || (job_.most > 0 && n >= job_.most)) return;
      const auto offset = place(job_, n);
      const auto got = ::pread(file_, to, job_.block, static_cast<off_t>(offset));
      const double latency = monotonic_seconds() - begun;
      if (got != static_cast<ssize_t>(job_.block)) {
        stop(got < 0 ? std::string("reading: ") + std::strerror(errno)
                     : std::string("a read came back short"));
        return;
      }
      const bool right = job_.visit(slot, offset, {to, job_.block});
      const std::lock_guard lock(mutex_);
      account(out_, right, offset, latency);
    }
  }

  void stop(std::string why) {
    const std::lock_guard lock(mutex_);
    if (!error_) error_ = Error{Errc::vendor_failure, std::move(why), 0, {}, {}};
    stopped_ = true;
  }

  const ReadJob& job_;
  int file_;
  std::byte* memory_;
  std::mutex mutex_;
  ReadRun out_;
  std::optional<Error> error_;
  std::atomic<std::uint64_t> next_ = 0;
  std::atomic<bool> stopped_ = false;
  double until_ = 0;
};

}  // namespace

Result<ReadRun> read_directly(const ReadJob& job) {
  if (job.block == 0 || job.block % 4096 != 0 || job.bytes < job.block || job.depth == 0 ||
      (!job.memory.empty() && job.memory.size() < job.depth * job.block))
    return fail(Errc::usage, "direct reads need whole blocks of pages and room for them");
  const Descriptor file(::open(job.path.c_str(), O_RDONLY | O_DIRECT | O_CLOEXEC));
  if (file.get() < 0)
    return fail(errno == EINVAL   ? Errc::not_supported
                : errno == ENOENT ? Errc::not_found
                                  : Errc::permission,
                job.path + ": " + std::strerror(errno));
  AlignedMemory own;
  if (job.memory.empty()) own = aligned_memory(job.depth * job.block);
  auto* memory = job.memory.empty() ? own.get() : job.memory.data();
  std::string why = "threads were asked for";
  if (!job.threads) {
    auto run = read_by_uring(job, file.get(), memory);
    if (run || run.error().code != Errc::not_supported) return run;
    why = run.error().what;
  }
  auto run = Readers(job, file.get(), memory).go();
  if (run) run->remark = why;
  return run;
}

}  // namespace gpuvet::platform
