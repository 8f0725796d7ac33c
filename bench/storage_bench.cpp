// SPDX-License-Identifier: Apache-2.0
// Our direct reader and fio on the same file, by turns: storage_bench FOLDER [PASSES]. Ratios are
// medians over the passes.
#include <fmt/format.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "core/statistics.hpp"
#include "ingest/importer.hpp"
#include "platform/direct_reader.hpp"
#include "platform/process.hpp"
#include "platform/scratch_file.hpp"

namespace {

using namespace gpuvet;

constexpr std::uint64_t bytes = std::uint64_t{1} << 30;
constexpr double seconds = 2;

struct Kind {
  const char* name;
  bool random;
  std::size_t block;
  unsigned depth;
};
constexpr Kind kinds[] = {{"sequential 1 MiB, 32 deep", false, std::size_t{1} << 20, 32},
                          {"random 4 KiB, 64 deep", true, 4096, 64},
                          {"random 4 KiB, 1 deep", true, 4096, 1}};

/// Reads a second.
Result<double> by_own(const std::string& path, const Kind& kind, bool threads) {
  platform::ReadJob job;
  job.path = path;
  job.bytes = bytes;
  job.block = kind.block;
  job.depth = kind.depth;
  job.random = kind.random;
  job.seconds = seconds;
  job.threads = threads;
  GPUVET_TRY(const auto run, platform::read_directly(job));
  return static_cast<double>(run.reads) / run.seconds;
}

Result<double> by_fio(const std::string& fio, const std::string& path, const Kind& kind) {
  platform::Program program;
  program.path = fio;
  program.arguments = {"--name=bench",
                       "--filename=" + path,
                       "--readonly",
                       fmt::format("--size={}", bytes),
                       kind.random ? "--rw=randread" : "--rw=read",
                       fmt::format("--bs={}", kind.block),
                       fmt::format("--iodepth={}", kind.depth),
                       "--ioengine=io_uring",
                       "--direct=1",
                       "--norandommap",
                       fmt::format("--runtime={}", static_cast<int>(seconds)),
                       "--time_based",
                       "--output-format=json"};
  program.limit = 60;
  GPUVET_TRY(const auto done, platform::run(program));
  MemorySource source{done.output};
  const auto* importer = ingest::recognise(done.output);
  if (importer == nullptr) return fail(Errc::malformed, "fio: " + done.errors);
  Evidence evidence;
  Recorder recorder(evidence, {});
  GPUVET_CHECK(importer->read(source, recorder));
  for (const auto& o : evidence.observations) {
    if (o.id.name() == "storage.read.random") return *o.number();
    if (o.id.name() == "storage.read.sequential")
      return *o.number() / static_cast<double>(kind.block);
  }
  return fail(Errc::malformed, "fio gave no figure");
}

Result<void> bench(const std::string& folder, int passes) {
  GPUVET_TRY(const auto fio, platform::find_tool("fio"));
  GPUVET_TRY(auto file, platform::ScratchFile::create(folder));
  const auto fill = [](std::uint64_t offset, std::span<std::byte> to) {
    for (std::size_t at = 0; at < to.size(); at += 8) {
      const std::uint64_t word = (offset + at + 1) * 0x9e3779b97f4a7c15U;
      std::memcpy(to.data() + at, &word, 8);
    }
  };
  GPUVET_TRY(const auto written,
             file.write(bytes, std::size_t{4} << 20, fill, [] { return false; }));
  if (written != bytes) return fail(Errc::too_large, "the file could not be written");
  for (const auto& kind : kinds) {
    std::vector<double> uring, threads, theirs, ratio, threads_ratio;
    for (int pass = 0; pass < passes; ++pass) {
      GPUVET_TRY(const double a, by_own(file.path(), kind, false));
      GPUVET_TRY(const double b, by_fio(fio, file.path(), kind));
      GPUVET_TRY(const double c, by_own(file.path(), kind, true));
      uring.push_back(a);
      theirs.push_back(b);
      threads.push_back(c);
      ratio.push_back(a / b);
      threads_ratio.push_back(c / b);
    }
    fmt::print(
        "{:28}  io_uring {:9.0f}/s  threads {:9.0f}/s  fio {:9.0f}/s  ratio {:.3f}, {:.3f}\n",
        kind.name, median(uring), median(threads), median(theirs), median(ratio),
        median(threads_ratio));
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  const auto done = bench(argc > 1 ? argv[1] : ".", argc > 2 ? std::atoi(argv[2]) : 5);
  if (!done) fmt::print(stderr, "{}\n", done.error().message());
  return done ? 0 : 1;
}
