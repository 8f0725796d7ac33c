// SPDX-License-Identifier: Apache-2.0
// How fast each importer reads, next to what reading the same bytes line by line costs at least.
//   importers_bench [FOLDER…]
// takes the largest file of each kind below the folders (default: tests/fuzz/corpus and, where it
// is set, GPUVET_CAPTURES) and reads it from memory again and again.
#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "core/statistics.hpp"
#include "ingest/importer.hpp"
#include "platform/terminal.hpp"

namespace {

namespace fs = std::filesystem;
using namespace gpuvet;

struct Sample {
  std::string name, bytes;
};

std::string bytes_of(const fs::path& file) {
  std::ifstream in{file, std::ios::binary};
  return {std::istreambuf_iterator<char>{in}, {}};
}

bool understood(const ingest::Importer& importer, std::string_view bytes) {
  MemorySource source{bytes};
  Evidence evidence;
  Recorder recorder{evidence, {}};
  return importer.read(source, recorder).has_value();
}

/// The largest file of each kind that is understood.
std::map<std::string_view, Sample> samples_below(const std::vector<fs::path>& folders) {
  constexpr std::size_t head = std::size_t{1} << 16;
  std::map<std::string_view, Sample> out;
  for (const auto& folder : folders)
    for (const auto& entry : fs::recursive_directory_iterator{folder}) {
      if (!entry.is_regular_file()) continue;
      Sample sample{entry.path().filename(), bytes_of(entry.path())};
      const auto* importer = ingest::recognise(std::string_view(sample.bytes).substr(0, head));
      if (importer == nullptr || !understood(*importer, sample.bytes)) continue;
      auto& best = out[importer->kind];
      if (sample.bytes.size() > best.bytes.size()) best = std::move(sample);
    }
  return out;
}

/// Median seconds of one call, of runs that last long enough to time.
template <class Work>
double seconds_of(Work work) {
  constexpr double whole = 0.25;
  std::vector<double> times;
  for (const double start = platform::monotonic_seconds();
       times.size() < 5 || platform::monotonic_seconds() - start < whole;) {
    const double before = platform::monotonic_seconds();
    work();
    times.push_back(platform::monotonic_seconds() - before);
  }
  return median(std::move(times));
}

std::size_t lines_in(std::string_view bytes) {
  MemorySource source{bytes};
  LineReader lines{source};
  std::size_t count = 0;
  while (lines.next()) ++count;
  return count;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<fs::path> folders(argv + 1, argv + argc);
  if (folders.empty()) {
    folders.emplace_back("tests/fuzz/corpus");
    if (const char* captures = std::getenv("GPUVET_CAPTURES")) folders.emplace_back(captures);
  }
  const auto samples = samples_below(folders);
  fmt::print("{:<22} {:>10} {:>10} {:>9} {:>8}  {}\n", "kind", "bytes", "us", "MB/s", "x lines",
             "file");
  for (const auto& importer : ingest::all()) {
    const auto found = samples.find(importer.kind);
    if (found == samples.end()) {
      fmt::print("{:<22} no file\n", importer.kind);
      continue;
    }
    const std::string& bytes = found->second.bytes;
    const double read = seconds_of([&] { understood(importer, bytes); });
    std::size_t lines = 0;
    const double least = seconds_of([&] { lines += lines_in(bytes); });
    fmt::print("{:<22} {:>10} {:>10.1f} {:>9.1f} {:>8.1f}  {}\n", importer.kind, bytes.size(),
               read * 1e6, static_cast<double>(bytes.size()) / read / 1e6, read / least,
               found->second.name);
  }
  return 0;
}
