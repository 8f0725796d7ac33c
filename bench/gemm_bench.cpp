// SPDX-License-Identifier: Apache-2.0
// The host's own matrix products against OpenBLAS's in the same run, and what their check costs.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/statistics.hpp"
#include "device/device.hpp"

using namespace gpuvet;
using device::MatrixEngine;
using device::Precision;

namespace {

struct Bench {
  device::Device& device;
  std::unique_ptr<device::Stream> stream;
  device::Buffer a, b, c;

  explicit Bench(device::Device& d, std::uint64_t side)
      : device{d},
        stream{d.stream().value()},
        a{d.allocate(side * side * 8).value()},
        b{d.allocate(side * side * 8).value()},
        c{d.allocate(side * side * 8).value()} {}

  template <class Work>
  double seconds(Work work) {
    const auto begin = stream->record().value();
    if (!work()) std::abort();
    const auto end = stream->record().value();
    if (!stream->synchronize(600)) std::abort();
    return end->since(*begin).value();
  }
};

}  // namespace

int main(int argc, char** argv) {
  const std::int64_t side = argc > 1 ? std::atoll(argv[1]) : 2048;
  const int passes = argc > 2 ? std::atoi(argv[2]) : 7;
  const auto devices = device::host_devices().value();
  auto& device = *devices.front();
  Bench bench(device, static_cast<std::uint64_t>(side));
  const double operations =
      2.0 * static_cast<double>(side) * static_cast<double>(side) * static_cast<double>(side);
  const auto library = device.precisions(MatrixEngine::library);
  std::printf("%lld cubed on %d processors, medians of %d passes\n", static_cast<long long>(side),
              device.properties().processors, passes);
  std::printf("%-6s %12s %12s %8s %14s\n", "", "own GFLOPS", "OpenBLAS", "ratio", "check/product");
  for (const auto precision : device.precisions(MatrixEngine::own)) {
    const bool peer = std::find(library.begin(), library.end(), precision) != library.end();
    std::vector<double> own, other, ratio, share;
    device::Product p{precision, MatrixEngine::own, side,          side,
                      side,      bench.a.all(),     bench.b.all(), bench.c.all()};
    bench.seconds([&] { return bench.stream->fill_matrix(p.a, precision, {}, 1); });
    bench.seconds([&] { return bench.stream->fill_matrix(p.b, precision, {}, 2); });
    for (int pass = -1; pass < passes; ++pass) {
      device::ProductCheck check;
      p.engine = MatrixEngine::own;
      const double mine = bench.seconds([&] { return bench.stream->multiply(p); });
      const double checked = bench.seconds([&] { return bench.stream->verify(p, 3, check); });
      p.engine = MatrixEngine::library;
      const double theirs = peer ? bench.seconds([&] { return bench.stream->multiply(p); }) : mine;
      if (check.wrong != 0)
        std::printf("%llu wrong rows\n", static_cast<unsigned long long>(check.wrong));
      if (pass < 0) continue;  // warms up
      own.push_back(mine);
      other.push_back(theirs);
      ratio.push_back(theirs / mine);
      share.push_back(checked / mine);
    }
    std::printf("%-6s %12.1f ", std::string(device::name(precision)).c_str(),
                operations / median(own) / 1e9);
    if (peer)
      std::printf("%12.1f %8.2f ", operations / median(other) / 1e9, median(ratio));
    else
      std::printf("%12s %8s ", "-", "-");
    std::printf("%13.1f%%\n", 100 * median(share));
  }
}
