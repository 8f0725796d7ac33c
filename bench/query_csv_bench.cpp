// SPDX-License-Identifier: Apache-2.0
// How fast a 48-hour telemetry log of 8 GPUs at 1 Hz is read, in how much memory, and, with
// --duckdb PATH/libduckdb.so, how that compares with DuckDB's CSV reader on one thread, in the same
// process, over the same file and columns.
#include <dlfcn.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
Importer nvidia_smi_query_csv();
}

namespace {

namespace fs = std::filesystem;
using namespace gpuvet;

struct Options {
  std::size_t hours = 48, gpus = 8, runs = 3;
  fs::path file, duckdb;
  bool units = true;  // as nvidia-smi prints by default; --nounits is the better case for DuckDB
};

/// Writes the log, unless one of the same shape is there from an earlier run.
fs::path generate(const Options& options) {
  const fs::path path =
      fs::temp_directory_path() / fmt::format("gpuvet-bench-{}h-{}gpus-{}.csv", options.hours,
                                              options.gpus, options.units ? "units" : "nounits");
  if (fs::exists(path)) return path;
  const fs::path partial = path.string() + fmt::format(".{}", ::getpid());
  std::FILE* file = std::fopen(partial.c_str(), "w");
  if (file == nullptr) throw std::runtime_error("cannot write " + partial.string());
  fmt::print(file,
             "timestamp, index, uuid, name, temperature.gpu, temperature.memory, utilization.gpu "
             "[%], power.draw [W], clocks.current.sm [MHz], clocks_event_reasons.active\n");
  const char* percent = options.units ? " %" : "";
  const char* watt = options.units ? " W" : "";
  const char* megahertz = options.units ? " MHz" : "";
  std::uint32_t noise = 1;
  for (std::size_t second = 0; second < options.hours * 3600; ++second)
    for (std::size_t gpu = 0; gpu < options.gpus; ++gpu) {
      noise = noise * 1664525U + 1013904223U;
      const bool capped = noise % 7 == 0;
      fmt::print(file,
                 "2026/07/{:02} {:02}:{:02}:{:02}.{:03}, {}, "
                 "GPU-{:08x}-1111-2222-3333-444444444444, NVIDIA H100 80GB HBM3, {}, {}, {}{}, "
                 "{}.{:02}{}, {}{}, 0x{:016x}\n",
                 14 + second / 86400, second / 3600 % 24, second / 60 % 60, second % 60,
                 100 + gpu * 3, gpu, 0xb1000000U + gpu, 55 + (noise >> 24) % 12,
                 60 + (noise >> 16) % 9, 96 + noise % 5, percent, 600 + (noise >> 8) % 95,
                 noise % 100, watt, capped ? 1845 : 1980, megahertz, capped ? 4 : 0);
    }
  std::fclose(file);
  fs::rename(partial, path);
  return path;
}

class FileSource final : public ByteSource {
 public:
  explicit FileSource(const fs::path& path) : descriptor_{::open(path.c_str(), O_RDONLY)} {}
  ~FileSource() override { ::close(descriptor_); }
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  Result<std::size_t> read(char* to, std::size_t room) override {
    const auto n = ::read(descriptor_, to, room);
    if (n < 0) return fail(Errc::not_found, "cannot read the log");
    return static_cast<std::size_t>(n);
  }

 private:
  int descriptor_;
};

/// "VmRSS" or "VmHWM" of this process, in MiB.
double memory(std::string_view field) {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.compare(0, field.size(), field) == 0)
      return parse_number(words(line).at(1)).value_or(0) / 1024;
  return 0;
}

template <class F>
double seconds_of(F work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

void report(std::string_view who, const std::vector<double>& times, double rows, double bytes) {
  for (const double t : times)
    fmt::print("{:8} {:7.3f} s  {:6.2f} M rows/s  {:7.1f} MB/s\n", who, t, rows / t / 1e6,
               bytes / t / 1e6);
}

/// The few functions of DuckDB's C API that one query takes. Results are opaque here.
struct DuckDb {
  struct alignas(16) QueryResult {
    std::array<char, 256> opaque{};
  };
  void* library = nullptr;
  void* connection = nullptr;
  int (*query)(void*, const char*, QueryResult*) = nullptr;
  const char* (*error)(QueryResult*) = nullptr;
  void (*destroy)(QueryResult*) = nullptr;
  std::int64_t (*int64)(QueryResult*, std::uint64_t, std::uint64_t) = nullptr;
  double (*real)(QueryResult*, std::uint64_t, std::uint64_t) = nullptr;

  explicit DuckDb(const fs::path& path) : library{::dlopen(path.c_str(), RTLD_NOW)} {
    if (library == nullptr) throw std::runtime_error(::dlerror());
    int (*open)(const char*, void**) = nullptr;
    int (*connect)(void*, void**) = nullptr;
    find("duckdb_open", open);
    find("duckdb_connect", connect);
    find("duckdb_query", query);
    find("duckdb_result_error", error);
    find("duckdb_destroy_result", destroy);
    find("duckdb_value_int64", int64);
    find("duckdb_value_double", real);
    void* database = nullptr;
    if (open(nullptr, &database) != 0 || connect(database, &connection) != 0)
      throw std::runtime_error("DuckDB does not open");
    run("SET threads=1", [](QueryResult&) {});
  }

  template <class F>
  void find(const char* name, F& function) {
    function = reinterpret_cast<F>(::dlsym(library, name));
    if (function == nullptr) throw std::runtime_error(::dlerror());
  }

  template <class F>
  void run(const std::string& sql, F use) {
    QueryResult result;
    if (query(connection, sql.c_str(), &result) != 0) throw std::runtime_error(error(&result));
    use(result);
    destroy(&result);
  }
};

/// Every column that the importer reads, reduced as cheaply as SQL can; types are sniffed.
std::string duckdb_query(const fs::path& file) {
  return fmt::format(
      "SELECT count(*), max(temperaturegpu), max(temperaturememory), max(\"timestamp\"), "
      "max(_index), max(uuid), max(utilizationgpu), max(powerdraw_w), "
      "max(clockscurrentsm_mhz), max(clocks_event_reasonsactive) "
      "FROM read_csv('{}', normalize_names=true)",
      file.string());
}

struct Outcome {
  double rows = 0, hottest = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome read_with_gpuvet(const fs::path& file) {
  Evidence evidence;
  Recorder recorder{evidence, Provenance{}};
  FileSource source{file};
  const auto read = ingest::nvidia_smi_query_csv().read(source, recorder);
  if (!read) throw std::runtime_error(read.error().message());
  Outcome out;
  for (const Table& table : evidence.tables)
    for (std::size_t bin = 0; bin < table.rows(); ++bin) {
      out.rows += table.column("samples")->values[bin];
      out.hottest = std::fmax(out.hottest, table.column("core_max")->values[bin]);
    }
  return out;
}

Outcome read_with_duckdb(DuckDb& duckdb, const fs::path& file) {
  Outcome out;
  duckdb.run(duckdb_query(file), [&](DuckDb::QueryResult& result) {
    out = {static_cast<double>(duckdb.int64(&result, 0, 0)), duckdb.real(&result, 1, 0)};
  });
  return out;
}

int run(const Options& options) {
  const fs::path file = options.file.empty() ? generate(options) : options.file;
  const auto bytes = static_cast<double>(fs::file_size(file));
  fmt::print("{} ({:.1f} MB)\n", file.string(), bytes / 1e6);

  // The first run warms the page cache and tells the memory, before DuckDB takes any.
  const double baseline = memory("VmRSS:");
  const Outcome ours = read_with_gpuvet(file);
  const double peak = memory("VmHWM:") - baseline;
  std::optional<DuckDb> duckdb;
  if (!options.duckdb.empty()) duckdb.emplace(options.duckdb);

  // In turns, so that a noisy neighbour slows both.
  Outcome theirs;
  std::vector<double> our_times, their_times;
  for (std::size_t i = 0; i < options.runs; ++i) {
    our_times.push_back(seconds_of([&] { read_with_gpuvet(file); }));
    if (duckdb)
      their_times.push_back(seconds_of([&] { theirs = read_with_duckdb(*duckdb, file); }));
  }
  report("gpuvet", our_times, ours.rows, bytes);
  fmt::print("{} rows, hottest {} °C, peak {:.1f} MiB above baseline\n", ours.rows, ours.hottest,
             peak);
  if (!duckdb) return 0;
  report("duckdb", their_times, ours.rows, bytes);
  fmt::print("{} rows, hottest {} °C: {}\n", theirs.rows, theirs.hottest,
             theirs == ours ? "agrees" : "DISAGREES");
  fmt::print("gpuvet / duckdb: {:.2f} of the time\n", median(our_times) / median(their_times));
  return theirs == ours ? 0 : 1;
}

Options parse(int argc, char** argv) {
  Options options;
  const auto count = [](std::string_view text) {
    return static_cast<std::size_t>(parse_integer(text).value_or(1));
  };
  for (int i = 1; i < argc; ++i) {
    const std::string_view name = argv[i];
    if (name == "--nounits") {
      options.units = false;
      continue;
    }
    if (i + 1 == argc) throw std::runtime_error("a value is missing behind " + std::string(name));
    const char* value = argv[++i];
    if (name == "--hours")
      options.hours = count(value);
    else if (name == "--gpus")
      options.gpus = count(value);
    else if (name == "--runs")
      options.runs = count(value);
    else if (name == "--file")
      options.file = value;
    else if (name == "--duckdb")
      options.duckdb = value;
    else
      throw std::runtime_error("unknown option " + std::string(name));
  }
  return options;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(parse(argc, argv));
  } catch (const std::exception& e) {
    fmt::print(stderr, "query_csv_bench: {}\n", e.what());
    return 2;
  }
}
