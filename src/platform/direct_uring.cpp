// SPDX-License-Identifier: Apache-2.0
#include <liburing.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>
#include <vector>

#include "platform/direct_run.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring() {
    if (open_) ::io_uring_queue_exit(&ring_);
  }

  /// 0, or why not. Newer kernels run what completes when we ask for it, not in an interrupt.
  int open(unsigned entries) {
    int last = 0;
    for (const unsigned flags : {unsigned{IORING_SETUP_SINGLE_ISSUER} | IORING_SETUP_DEFER_TASKRUN,
                                 unsigned{IORING_SETUP_COOP_TASKRUN}, 0U}) {
      last = ::io_uring_queue_init(entries, &ring_, flags);
      if (last == 0) {
        open_ = true;
        return 0;
      }
      if (last != -EINVAL) return -last;
    }
    return -last;
  }
  io_uring* raw() { return &ring_; }

 private:
  io_uring ring_{};
  bool open_ = false;
};

struct Slot {
  std::uint64_t offset = 0;
  double begun = 0;
};

class UringRun {
 public:
  UringRun(const ReadJob& job, int file, std::byte* memory)
      : job_{job}, file_{file}, memory_{memory}, slots_(job.depth) {}

  Result<ReadRun> go() {
    if (const int why = ring_.open(job_.depth); why != 0)
      return fail(Errc::not_supported, std::string("io_uring: ") + std::strerror(why));
    // Pages pinned once instead of for each read; limits on locked memory may forbid it.
    iovec all{memory_, job_.depth * job_.block};
    fixed_ = ::io_uring_register_buffers(ring_.raw(), &all, 1) == 0;
    out_.engine = "io_uring";
    const double begin = monotonic_seconds();
    until_ = begin + job_.seconds;
    for (unsigned slot = 0; slot < job_.depth && more(begin); ++slot) submit(slot, begin);
    // Even after an error: what is under way still writes to the memory.
    while (under_way_ > 0 && reap()) {
    }
    out_.seconds = monotonic_seconds() - begin;
    if (error_) return tl::make_unexpected(*error_);
    return std::move(out_);
  }

 private:
  [[nodiscard]] bool more(double now) const {
    return (job_.most == 0 || begun_ < job_.most) && now < until_ && !stopped_;
  }

  void submit(unsigned slot, double now) {
    auto* entry = ::io_uring_get_sqe(ring_.raw());  // never null: there are as many as slots
    auto& s = slots_[slot];
    s = {place(job_, begun_++), now};
    auto* to = memory_ + slot * job_.block;
    const auto bytes = static_cast<unsigned>(job_.block);
    if (fixed_)
      ::io_uring_prep_read_fixed(entry, file_, to, bytes, s.offset, 0);
    else
      ::io_uring_prep_read(entry, file_, to, bytes, s.offset);
    ::io_uring_sqe_set_data64(entry, slot);
    ++under_way_;
  }

  /// Waits for one block at least and takes all that have come; false when the kernel won't.
  bool reap() {
    const int entered = ::io_uring_submit_and_wait(ring_.raw(), 1);
    if (entered < 0 && entered != -EINTR) {
      stop(std::string("io_uring: ") + std::strerror(-entered));
      return false;
    }
    stopped_ = stopped_ || job_.cancelled();
    io_uring_cqe* entry = nullptr;
    while (::io_uring_peek_cqe(ring_.raw(), &entry) == 0) {
      const auto slot = static_cast<unsigned>(::io_uring_cqe_get_data64(entry));
      const int result = entry->res;
      ::io_uring_cqe_seen(ring_.raw(), entry);
      --under_way_;
      taken(slot, result);
    }
    return true;
  }

  void taken(unsigned slot, int result) {
    const auto& s = slots_[slot];
    if (result != static_cast<int>(job_.block)) {
      stop(result < 0 ? std::string("reading: ") + std::strerror(-result)
                      : std::string("a read came back short"));
      return;
    }
    const double now = monotonic_seconds();
    const bool right = job_.visit(slot, s.offset, {memory_ + slot * job_.block, job_.block});
    account(out_, right, s.offset, now - s.begun);
    if (more(now)) submit(slot, now);
  }

  void stop(std::string why) {
    if (!error_) error_ = Error{Errc::vendor_failure, std::move(why), 0, {}, {}};
    stopped_ = true;
  }

  const ReadJob& job_;
  int file_;
  std::byte* memory_;
  std::vector<Slot> slots_;
  Ring ring_;
  ReadRun out_;
  std::uint64_t begun_ = 0;
  unsigned under_way_ = 0;
  double until_ = 0;
  bool fixed_ = false, stopped_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<ReadRun> read_by_uring(const ReadJob& job, int file, std::byte* memory) {
  return UringRun(job, file, memory).go();
}

}  // namespace gpuvet::platform
