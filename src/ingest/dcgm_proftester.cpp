// SPDX-License-Identifier: Apache-2.0
// `dcgmproftester -t FIELD`: a load for one profiling field, with the rate that it reached. Its
// "GiB" are 10^9 bytes: it calls 320064000000 bytes "320.1 GiB".
#include <algorithm>
#include <array>
#include <map>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "ingest/dcgm_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_proftester();

namespace {

constexpr std::size_t most_series = 1024, most_samples = 100'000;

struct Load {
  std::int64_t field;
  std::string_view unit;
  Id id;
  double factor;
};

/// Field 1004 loads the tensor cores without saying in which precision.
constexpr std::array loads{
    Load{1004, "gflops)", "compute.burn"_id, 1e9},
    Load{1005, "GiB/sec)", "memory.bandwidth.copy"_id, 1e9},
    Load{1006, "gflops)", "compute.fp64"_id, 1e9},
    Load{1007, "gflops)", "compute.fp32"_id, 1e9},
    Load{1008, "gflops)", "compute.fp16"_id, 1e9},
};

struct Series {
  std::vector<double> samples;
  std::size_t line = 0;
};

using Key = std::pair<std::size_t, std::int64_t>;  // GPU, field

/// GPU and field of "Worker 0:0[1004]: ..."; nothing for a MIG slice, "Worker 0/1/0:0[1004]".
std::optional<Key> key_of(std::string_view line) {
  if (!line.starts_with("Worker ")) return {};
  const auto colon = line.find(':'), open = line.find('['), close = line.find(']');
  if (colon == line.npos || open == line.npos || close == line.npos || close < open) return {};
  const auto gpu = dcgm_gpu_id(line.substr(7, colon - 7));
  const auto field = parse_integer(line.substr(open + 1, close - open - 1));
  if (!gpu || !field) return {};
  return Key{*gpu, *field};
}

/// The number before `unit`, in "(25963.4 gflops)".
std::optional<double> figure(std::string_view line, std::string_view unit) {
  const auto end = line.find(unit);
  if (end == line.npos) return {};
  const auto open = line.substr(0, end).rfind('(');
  if (open == line.npos) return {};
  const auto number = parse_number(trim(line.substr(open + 1, end - open - 1)));
  return number && *number >= 0 ? number : std::nullopt;
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.tool("dcgmproftester");
    out_.how(How::measured);
    while (const auto raw = lines_.next()) GPUVET_CHECK(line(trim(*raw)));
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    for (const auto& load : loads) record(load);
    if (!found_) return fail(Errc::malformed, "no test came to an end", lines_.line());
    return {};
  }

 private:
  Result<void> line(std::string_view text) {
    if (const auto key = key_of(text)) {
      for (const auto& load : loads)
        if (load.field == key->second)
          if (const auto rate = figure(text, load.unit); rate && *rate > 0)
            GPUVET_CHECK(sample(*key, *rate * load.factor));
      return {};
    }
    // "GPU 0, TestField 1004 test PASSED."
    constexpr std::string_view test_field = ", TestField ";
    const auto at = text.find(test_field);
    if (!text.starts_with("GPU ") || at == text.npos) return {};
    const auto gpu = dcgm_gpu_id(text.substr(0, at));
    const auto tokens = words(text.substr(at + test_field.size(), 80));
    if (!gpu || tokens.size() < 3 || tokens[1] != "test") return {};
    const auto field = parse_integer(tokens[0]);
    const bool passed = tokens[2].starts_with("PASSED");
    if (!field || (!passed && !tokens[2].starts_with("FAILED"))) return {};
    ended_[{*gpu, *field}] = true;
    found_ = true;
    out_.line(lines_.line());
    out_.text("diag.result"_id, dcgm_gpu(*gpu), passed ? "pass" : "fail",
              {{"test", "dcgmproftester " + std::to_string(*field)}});
    return {};
  }

  Result<void> sample(const Key& key, double rate) {
    if (series_.size() > most_series)
      return fail(Errc::too_large, "more than 1024 series", lines_.line());
    Series& s = series_[key];
    if (s.samples.size() >= most_samples) return {};
    if (s.samples.empty()) s.line = lines_.line();
    s.samples.push_back(rate);
    return {};
  }

  void record(const Load& load) {
    for (const auto& [key, s] : series_) {
      if (key.second != load.field || !ended_.contains(key)) continue;
      out_.line(s.line);
      out_.number(load.id, dcgm_gpu(key.first), median(s.samples),
                  {{"backend", "dcgmproftester " + std::to_string(load.field)}});
      out_.detail("median of " + std::to_string(s.samples.size()) + " samples");
    }
  }

  LineReader lines_;
  Recorder& out_;
  std::map<Key, Series> series_;
  std::map<Key, bool> ended_;
  bool found_ = false;
};

bool recognises(std::string_view head) {
  return contains(head, "Skipping CreateDcgmGroups()") ||
         (contains(head, "Worker ") && (contains(head, "TensorEngineActive: generated") ||
                                        contains(head, "DramUtil generated")));
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer dcgm_proftester() {
  return {"dcgm_proftester", "dcgmproftester",
          "dcgmproftester12 --no-dcgm-validation -t 1005 -d 30 > dcgmproftester.txt", recognises,
          read};
}

}  // namespace gpuvet::ingest
