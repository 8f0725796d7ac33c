// SPDX-License-Identifier: Apache-2.0
#include "device/host/plain_kernels.hpp"

namespace gpuvet::device::host::plain {
namespace {

/// Keeps a loop whose result nobody uses.
void use(double value) { asm volatile("" : : "g"(value) : "memory"); }

/// From memory, not from what the compiler remembers.
std::uint64_t load(const std::uint64_t* word) {
  return *static_cast<const volatile std::uint64_t*>(word);
}

}  // namespace

void fill(std::uint64_t* to, Pattern pattern, std::uint64_t first, std::uint64_t last) {
  for (auto i = first; i < last; ++i) to[i] = pattern.word(i);
}

void check(const std::uint64_t* of, Pattern pattern, std::uint64_t first, std::uint64_t last,
           CheckResult& out) {
  for (auto i = first; i < last; ++i)
    if (const auto found = load(of + i), due = pattern.word(i); found != due)
      note(of + i, due, found, out);
  out.words += last - first;
}

void exchange(std::uint64_t* of, Pattern expected, Pattern next, Order order, std::uint64_t first,
              std::uint64_t last, CheckResult& out) {
  const auto step = [&](std::uint64_t i) {
    if (const auto found = load(of + i), due = expected.word(i); found != due)
      note(of + i, due, found, out);
    of[i] = next.word(i);
  };
  if (order == Order::ascending)
    for (auto i = first; i < last; ++i) step(i);
  else
    for (auto i = last; i-- > first;) step(i);
  out.words += last - first;
}

void pass(StreamKernel kernel, double* a, const double* b, const double* c, std::uint64_t first,
          std::uint64_t last) {
  switch (kernel) {
    case StreamKernel::read: {
      double sum = 0;
      for (auto i = first; i < last; ++i) sum += a[i];
      use(sum);
      break;
    }
    case StreamKernel::write:
      for (auto i = first; i < last; ++i) a[i] = 1.5;
      break;
    case StreamKernel::copy:
      for (auto i = first; i < last; ++i) a[i] = b[i];
      break;
    case StreamKernel::triad:
      for (auto i = first; i < last; ++i) a[i] = b[i] + 3 * c[i];
      break;
  }
}

void add(float* to, const float* from, std::uint64_t first, std::uint64_t last) {
  for (auto i = first; i < last; ++i) to[i] += from[i];
}

std::uint64_t differing(const std::uint64_t* a, const std::uint64_t* b, std::uint64_t first,
                        std::uint64_t last) {
  std::uint64_t out = 0;
  for (auto i = first; i < last; ++i) out += a[i] != b[i] ? 1U : 0U;
  return out;
}

}  // namespace gpuvet::device::host::plain
