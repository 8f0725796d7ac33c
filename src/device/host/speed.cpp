// SPDX-License-Identifier: Apache-2.0
#include "device/host/speed.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <time.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <thread>
#include <utility>

#include "device/host/team.hpp"
#include "device/memory.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device::host {
namespace {

constexpr std::size_t line = 8;  ///< words

double processor_seconds() {
  timespec now{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// Memory of the kernel's for as long as this lives.
class Mapping {
 public:
  explicit Mapping(std::uint64_t bytes)
      : bytes_{bytes},
        at_{::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)} {}
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() {
    if (*this) ::munmap(at_, bytes_);
  }
  explicit operator bool() const { return at_ != MAP_FAILED; }
  [[nodiscard]] void* at() const { return at_; }

 private:
  std::uint64_t bytes_;
  void* at_;
};

tl::unexpected<Error> refused(const char* what, int error) {
  const bool may_not = error == EPERM || error == ENOMEM || error == EAGAIN;
  return fail(may_not ? Errc::permission : Errc::not_supported,
              std::string(what) + ": " + std::strerror(error));
}

/// Enough work that reading a clock does not count.
std::uint64_t work(std::uint64_t x) {
  constexpr int rounds = 4096;
  for (int i = 0; i < rounds; ++i) x = Pattern::mix(x + 1);
  return x;
}

}  // namespace

void link_cycle(std::span<std::uint64_t> memory, std::uint64_t seed) {
  // Sattolo's shuffle gives every cycle through all elements with the same odds.
  const std::uint64_t count = memory.size() / line;
  for (std::uint64_t i = 0; i < count; ++i) memory[i * line] = i;
  for (std::uint64_t i = count; i-- > 1;) {
    const std::uint64_t other = (Pattern::mix(seed + i) >> 32U) * i >> 32U;  // below i
    std::swap(memory[i * line], memory[other * line]);
  }
}

double chase(std::span<const std::uint64_t> memory, std::uint64_t& at, std::uint64_t steps) {
  std::uint64_t next = at;
  const double begin = platform::monotonic_seconds();
  for (std::uint64_t i = 0; i < steps; ++i) next = memory[next * line];
  const double took = platform::monotonic_seconds() - begin;
  at = next;
  return took / static_cast<double>(steps);
}

std::vector<ProcessorRate> rates(const std::vector<int>& processors, double seconds) {
  std::vector<ProcessorRate> out(processors.size());
  std::vector<std::uint64_t> kept(processors.size());
  Team team(processors);
  team.run([&](std::size_t member) {
    const double begin = platform::monotonic_seconds(), own = processor_seconds();
    double done = 0, now = begin;
    std::uint64_t x = member;
    do {
      x = work(x);
      ++done;
      now = platform::monotonic_seconds();
    } while (now < begin + seconds);
    const double used = processor_seconds() - own;
    kept[member] = x;
    out[member] = {processors[member], used > 0 ? done / used : 0, used / (now - begin)};
  });
  asm volatile("" : : "r"(kept.data()) : "memory");  // all of the work is of use
  return out;
}

std::vector<int> usable_processors() {
  std::vector<int> out;
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) == 0) {
    for (int i = 0; i < CPU_SETSIZE; ++i)
      if (CPU_ISSET(static_cast<std::size_t>(i), &set)) out.push_back(i);
  } else {  // more processors than such a set holds
    for (unsigned i = 0; i < std::thread::hardware_concurrency(); ++i)
      out.push_back(static_cast<int>(i));
  }
  return out;
}

Result<double> touch_pages(std::uint64_t bytes) {
  const Mapping memory(bytes);
  if (!memory) return refused("memory", errno);
  ::madvise(memory.at(), bytes, MADV_NOHUGEPAGE);
  auto* byte = static_cast<volatile char*>(memory.at());
  const double begin = platform::monotonic_seconds();
  for (std::uint64_t i = 0; i < bytes; i += page_bytes) byte[i] = 1;
  return platform::monotonic_seconds() - begin;
}

Result<double> lock_pages(std::uint64_t bytes) {
  const double begin = platform::monotonic_seconds();
  const Mapping memory(bytes);
  if (!memory) return refused("memory", errno);
  if (::mlock(memory.at(), bytes) != 0) return refused("mlock", errno);
  return platform::monotonic_seconds() - begin;
}

}  // namespace gpuvet::device::host
