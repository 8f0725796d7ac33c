// SPDX-License-Identifier: Apache-2.0
#include "platform/watch.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

volatile std::sig_atomic_t interrupt_came = 0;

void note_interrupt(int) { interrupt_came = 1; }

/// The status of a child that ends within `seconds`; -1 where it does not.
int reap(pid_t child, double seconds) {
  const double until = monotonic_seconds() + seconds;
  do {
    int raw = 0;
    const pid_t got = ::waitpid(child, &raw, WNOHANG);
    if (got == child) return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw);
    if (got < 0 && errno != EINTR) return 0;
    ::usleep(2000);
  } while (monotonic_seconds() < until);
  return -1;
}

[[noreturn]] void be_child(const std::function<void(int)>& work, int fd, pid_t parent) {
  ::setpgid(0, 0);  // ^C at the terminal is the parent's to hear
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(1);  // it died before the line above
  interrupt_came = 0;
  work(fd);
  ::_exit(0);
}

}  // namespace

Result<Watched> watched(const std::function<void(int fd)>& work, const Watch& watch) {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0)
    return fail(Errc::vendor_failure, std::string("pipe: ") + std::strerror(errno));
  const pid_t parent = ::getpid(), child = ::fork();
  if (child < 0) {
    ::close(ends[0]);
    ::close(ends[1]);
    return fail(Errc::vendor_failure, std::string("fork: ") + std::strerror(errno));
  }
  if (child == 0) {
    ::close(ends[0]);
    be_child(work, ends[1], parent);
  }
  ::setpgid(child, child);
  ::close(ends[1]);
  Watched out;
  std::array<char, 1 << 16> buffer{};
  double until = monotonic_seconds() + watch.quiet;
  for (;;) {
    if (!out.stopped && watch.stop && watch.stop()) {
      out.stopped = true;
      ::kill(child, SIGTERM);
      until = monotonic_seconds() + watch.grace;
    }
    const double left = until - monotonic_seconds();
    if (left <= 0) {
      out.silent = true;
      break;
    }
    constexpr double look_up = 0.1;
    pollfd waiting{ends[0], POLLIN, 0};
    const int ready = ::poll(&waiting, 1, static_cast<int>(std::min(left, look_up) * 1000) + 1);
    if (ready <= 0) continue;
    const auto n = ::read(ends[0], buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) break;
    if (watch.heard) watch.heard({buffer.data(), static_cast<std::size_t>(n)});
    if (!out.stopped) until = monotonic_seconds() + watch.quiet;
  }
  ::close(ends[0]);
  const double patience = out.silent ? 0 : watch.grace;
  out.status = reap(child, patience);
  if (out.status >= 0) return out;
  ::kill(-child, SIGKILL);
  out.silent = true;
  out.status = reap(child, 1);
  if (out.status < 0) out.status = 128 + SIGKILL;
  return out;
}

void catch_interrupts() {
  struct sigaction action {};
  action.sa_handler = note_interrupt;
  ::sigaction(SIGINT, &action, nullptr);
  ::sigaction(SIGTERM, &action, nullptr);
}

bool interrupted() { return interrupt_came != 0; }

}  // namespace gpuvet::platform
