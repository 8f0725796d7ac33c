// SPDX-License-Identifier: Apache-2.0
// Our host kernels against likwid-bench and a plain AVX-512 loop, our memory test against
// stressapptest and memtester, by turns: host_memory_bench [PASSES]. Ratios are medians over the
// passes; a peer that is not installed is left out and named.
#include <fmt/format.h>
#include <immintrin.h>
#include <stdlib.h>

#include <cstdlib>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "device/host/host.hpp"
#include "platform/process.hpp"
#include "platform/terminal.hpp"

namespace {

using namespace gpuvet;
using device::StreamKernel;

constexpr std::uint64_t MiB = std::uint64_t{1} << 20;
constexpr std::uint64_t array = 512 * MiB;
constexpr int times = 4;  // passes over the arrays that one figure is the mean of
constexpr double limit = 300;

struct Kernel {
  const char* name;
  StreamKernel kernel;
  int arrays;          ///< that we move
  const char* likwid;  ///< its best kernel of that kind
  int likwid_arrays;   ///< its triad is a = b + c d
};
constexpr Kernel kernels[] = {{"read", StreamKernel::read, 1, "load_avx512", 1},
                              {"copy", StreamKernel::copy, 2, "copy_mem_avx512", 2},
                              {"triad", StreamKernel::triad, 3, "triad_mem_avx512", 4}};

struct Arrays {
  device::Buffer a, b, c;
};

/// Bytes per second of `once`, run `times` times.
Result<double> by_own(device::Stream& stream, const Arrays& arrays, const Kernel& k) {
  const double begin = platform::monotonic_seconds();
  for (int i = 0; i < times; ++i)
    GPUVET_CHECK(stream.pass(k.kernel, arrays.a.all(), arrays.b.all(), arrays.c.all()));
  GPUVET_CHECK(stream.synchronize(limit));
  return times * k.arrays * static_cast<double>(array) / (platform::monotonic_seconds() - begin);
}

[[gnu::target("avx512f")]] void plain_loop(StreamKernel kernel, double* a, const double* b,
                                           const double* c, std::uint64_t first,
                                           std::uint64_t last) {
  const __m512d factor = _mm512_set1_pd(3);
  __m512i sum[4] = {};
  for (std::uint64_t i = first; i < last; i += 32)
    for (std::uint64_t j = 0; j < 4; ++j) {
      const auto at = i + 8 * j;
      if (kernel == StreamKernel::read)
        sum[j] = _mm512_xor_si512(sum[j], _mm512_load_si512(a + at));
      else if (kernel == StreamKernel::copy)
        _mm512_stream_pd(a + at, _mm512_load_pd(b + at));
      else
        _mm512_stream_pd(a + at,
                         _mm512_fmadd_pd(factor, _mm512_load_pd(c + at), _mm512_load_pd(b + at)));
    }
  asm volatile("" : : "v"(sum[0]), "v"(sum[1]), "v"(sum[2]), "v"(sum[3]) : "memory");
}

double by_loop(device::Team& team, const Arrays& arrays, const Kernel& k) {
  const auto at = [](const device::Buffer& buffer) {
    return reinterpret_cast<double*>(buffer.all().address);
  };
  const double begin = platform::monotonic_seconds();
  for (int i = 0; i < times; ++i)
    team.run([&](std::size_t member) {
      const auto share = device::share_of(array / 256, team.size(), member);
      plain_loop(k.kernel, at(arrays.a), at(arrays.b), at(arrays.c), share.first * 32,
                 share.last * 32);
    });
  return times * k.arrays * static_cast<double>(array) / (platform::monotonic_seconds() - begin);
}

/// Runs a program and gives all that it wrote.
Result<std::string> output_of(const std::string& path, std::vector<std::string> arguments) {
  platform::Program program;
  program.path = path;
  program.arguments = std::move(arguments);
  program.limit = limit;
  GPUVET_TRY(const auto done, platform::run(program));
  return done.output + done.errors;
}

/// The number after `label`.
Result<double> number_after(const std::string& text, std::string_view label) {
  const auto found = text.find(label);
  if (found == std::string::npos) return fail(Errc::malformed, "no '" + std::string(label) + "'");
  return std::strtod(text.c_str() + found + label.size(), nullptr);
}

Result<double> by_likwid(const std::string& path, const Kernel& k, std::size_t threads) {
  GPUVET_TRY(const auto text,
             output_of(path, {"-t", k.likwid, "-i", std::to_string(times), "-w",
                              fmt::format("N:{}MB:{}", k.likwid_arrays * 512, threads)}));
  GPUVET_TRY(const double rate, number_after(text, "MByte/s:"));
  return 1e6 * rate;
}

/// Bytes verified per second of a March C-, as the probe memory.integrity runs it.
Result<double> march(device::Stream& stream, const device::Buffer& buffer) {
  const device::Pattern zero{device::PatternKind::random, 7};
  device::Pattern one = zero;
  one.inverted = true;
  const auto all = buffer.all();
  device::CheckResult found;
  const double begin = platform::monotonic_seconds();
  GPUVET_CHECK(stream.fill(all, zero));
  for (const auto order : {device::Order::ascending, device::Order::descending}) {
    GPUVET_CHECK(stream.exchange(all, zero, one, order, found));
    GPUVET_CHECK(stream.exchange(all, one, zero, order, found));
  }
  GPUVET_CHECK(stream.check(all, zero, found));
  GPUVET_CHECK(stream.synchronize(limit));
  const double took = platform::monotonic_seconds() - begin;
  if (found.wrong > 0) return fail(Errc::malformed, "the memory is faulty");
  return 8 * static_cast<double>(found.words) / took;
}

/// It prints bytes read and written; each that it reads is checked once.
Result<double> by_stressapptest(const std::string& path, std::size_t threads) {
  GPUVET_TRY(const auto text,
             output_of(path, {"-M", "1024", "-s", "5", "-m", std::to_string(threads)}));
  GPUVET_TRY(const double megabytes, number_after(text, "Stats: Memory Copy:"));
  (void)megabytes;
  GPUVET_TRY(const double rate, number_after(text.substr(text.find("Memory Copy:")), " at "));
  return rate * static_cast<double>(MiB) / 2;
}

/// One loop of memtester 4 compares the whole of its memory so many times: 16 addresses, 8 with
/// arithmetic, 64 solid bits, 256 blocks, 64 checkerboards, 128 spreads, 512 flips, 256 walks, and
/// 8- and 16-bit writes.
constexpr double compares = 16 + 8 + 64 + 256 + 64 + 128 + 512 + 256 + 2;

Result<double> by_memtester(const std::string& path) {
  const double begin = platform::monotonic_seconds();
  GPUVET_TRY(const auto text, output_of(path, {"64M", "1"}));
  if (text.find("Done") == std::string::npos) return fail(Errc::malformed, "memtester: " + text);
  return compares * 64 * static_cast<double>(MiB) / (platform::monotonic_seconds() - begin);
}

using Run = std::function<Result<double>()>;
struct Peer {
  std::string name;
  Run run;
};

/// Ours and each peer by turns; the median ratio.
void compare(std::string_view what, const Run& ours, const std::vector<Peer>& peers, int passes) {
  for (const auto& peer : peers) {
    std::vector<double> own, other, ratios;
    for (int pass = 0; pass < passes; ++pass) {
      // Who comes second finds another state of caches and clocks than who comes first.
      std::optional<Result<double>> a;
      if (pass % 2 == 0) a = ours();
      const auto b = peer.run();
      if (!a) a = ours();
      if (!*a || !b) {
        fmt::print("{:10} {:18} skipped: {}\n", what, peer.name, (*a ? b : *a).error().message());
        break;
      }
      own.push_back(**a);
      other.push_back(*b);
      ratios.push_back(**a / *b);
    }
    if (ratios.empty()) continue;
    fmt::print("{:10} {:18} ours {:6.1f} GB/s, its {:6.1f} GB/s, ratio {:.3f} (median of {})\n",
               what, peer.name, median(own) / 1e9, median(other) / 1e9, median(ratios),
               ratios.size());
    std::fflush(stdout);
  }
}

/// A run of `tool`, or why there is none.
Run with(std::string_view tool, std::function<Result<double>(const std::string&)> run) {
  return [found = platform::find_tool(tool), run = std::move(run)]() -> Result<double> {
    if (!found) return tl::make_unexpected(found.error());
    return run(*found);
  };
}

Result<void> bench(int passes) {
  GPUVET_TRY(const auto devices, device::host_devices());
  auto& host = dynamic_cast<device::HostDevice&>(*devices.front());
  GPUVET_TRY(const auto stream, host.stream());
  device::Team team(host.processors());
  double load[1] = {0};
  if (::getloadavg(load, 1) == 1)
    fmt::print("{} processors, load before {:.2f}\n", team.size(), load[0]);
  {
    Arrays arrays;
    for (auto* buffer : {&arrays.a, &arrays.b, &arrays.c}) {
      GPUVET_TRY(*buffer, host.allocate(array));
      GPUVET_CHECK(stream->fill(buffer->all(), {device::PatternKind::checkerboard}));
    }
    GPUVET_CHECK(stream->synchronize(limit));
    for (const auto& k : kernels)
      compare(
          k.name, [&] { return by_own(*stream, arrays, k); },
          {{"AVX-512 loop",
            [&]() -> Result<double> {
              if (__builtin_cpu_supports("avx512f") == 0)
                return fail(Errc::not_supported, "this processor has no AVX-512");
              return by_loop(team, arrays, k);
            }},
           {k.likwid, with("likwid-bench",
                           [&](const auto& path) { return by_likwid(path, k, team.size()); })}},
          passes);
  }
  GPUVET_TRY(const auto buffer, host.allocate(1024 * MiB));
  GPUVET_CHECK(march(*stream, buffer));
  compare(
      "integrity", [&] { return march(*stream, buffer); },
      {{"stressapptest",
        with("stressapptest",
             [&](const auto& path) { return by_stressapptest(path, team.size()); })},
       {"memtester", with("memtester", [](const auto& path) { return by_memtester(path); })}},
      passes);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = bench(argc > 1 ? std::atoi(argv[1]) : 6);
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
