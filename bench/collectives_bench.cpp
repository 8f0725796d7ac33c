// SPDX-License-Identifier: Apache-2.0
// The collectives probe over MPI beside a bare loop of MPI_Allreduce, in one job and turn by turn:
//   mpirun -n 2 build/release/bench/collectives_bench
// For each size the median of several turns of both, and the ratio of their bus bandwidths.
#include <fmt/format.h>
#include <mpi.h>

#include <algorithm>
#include <map>
#include <vector>

#include "core/statistics.hpp"
#include "device/host/host.hpp"
#include "probe/probe.hpp"

using namespace gpuvet;

namespace {

constexpr int turns = 7;

/// Seconds of one MPI_Allreduce of `bytes`: `row` of them after a barrier, the slowest rank's time.
double bare(std::uint64_t bytes) {
  const int count = static_cast<int>(bytes / sizeof(float));
  const int row = bytes < (1U << 20) ? 20 : bytes < (64U << 20) ? 5 : 1;
  const std::vector<float> send(bytes / sizeof(float), 1);
  std::vector<float> receive(send.size());
  std::vector<double> seconds;
  for (int i = 0; i < 21; ++i) {
    MPI_Barrier(MPI_COMM_WORLD);
    const double begin = MPI_Wtime();
    for (int r = 0; r < row; ++r)
      MPI_Allreduce(send.data(), receive.data(), count, MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD);
    const double own = (MPI_Wtime() - begin) / row;
    double slowest = 0;
    MPI_Allreduce(&own, &slowest, 1, MPI_DOUBLE, MPI_MAX, MPI_COMM_WORLD);
    if (i > 0) seconds.push_back(slowest);
  }
  return median(std::move(seconds));
}

/// Seconds by bytes, as the probe found them; empty on ranks that don't report.
std::map<std::uint64_t, double> probed(device::Job& job) {
  auto hosts = device::host_devices().value();
  std::vector<device::Device*> devices{hosts.front().get()};
  Evidence evidence;
  Recorder recorder(evidence, {});
  probe::Context context;
  context.devices = devices;
  context.host = devices.front();
  context.job = &job;
  context.until = devices.front()->now() + 20;
  context.out = &recorder;
  if (const auto done = probe::probe_named("collectives")->run(context); !done)
    fmt::print(stderr, "{}\n", done.error().message());
  std::map<std::uint64_t, double> out;
  for (const auto& table : evidence.tables)
    if (table.name == "collective.mpi.all_reduce")
      for (std::size_t i = 0; i < table.columns[0].values.size(); ++i)
        out[static_cast<std::uint64_t>(table.columns[0].values[i])] = table.columns[1].values[i];
  return out;
}

}  // namespace

int main() {
  const auto job = device::mpi_job();
  if (!job) {
    fmt::print(stderr, "{}\n", job.error().message());
    return 2;
  }
  constexpr std::uint64_t largest = 64U << 20;
  std::map<std::uint64_t, std::vector<double>> ours, theirs;
  for (int turn = 0; turn < turns; ++turn) {
    auto found = probed(**job);
    std::vector<double> sizes;
    for (const auto& [bytes, seconds] : found)
      if (bytes <= largest) sizes.push_back(static_cast<double>(bytes));
    double count = static_cast<double>(sizes.size());
    MPI_Bcast(&count, 1, MPI_DOUBLE, 0, MPI_COMM_WORLD);
    sizes.resize(static_cast<std::size_t>(count));
    MPI_Bcast(sizes.data(), static_cast<int>(count), MPI_DOUBLE, 0, MPI_COMM_WORLD);
    for (const double size : sizes) {
      const auto bytes = static_cast<std::uint64_t>(size);
      theirs[bytes].push_back(bare(bytes));
      ours[bytes].push_back(found[bytes]);
    }
  }
  if ((*job)->rank() != 0) return 0;
  fmt::print("{} processes, {}, median of {} turns\n", (*job)->size(), (*job)->library(), turns);
  for (auto& [bytes, seconds] : ours) {
    const double own = median(seconds), bare_loop = median(theirs[bytes]);
    fmt::print("{:>10} B  probe {:>9.2f} us  MPI_Allreduce {:>9.2f} us  ratio {:.3f}\n", bytes,
               1e6 * own, 1e6 * bare_loop, bare_loop / own);
  }
  return 0;
}
