// SPDX-License-Identifier: Apache-2.0
// nvbandwidth, as text or with -j as JSON. Titles repeat between tests and their arrows mislead, so
// the test's name says what a matrix means; excerpts may start at any "Running ...".
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "ingest/gpu_matrix.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvbandwidth_results.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t largest_json = std::size_t{16} << 20;

/// What follows `prefix`; nothing when `line` starts otherwise.
std::optional<std::string_view> after(std::string_view line, std::string_view prefix) {
  if (!line.starts_with(prefix)) return {};
  return trim(line.substr(prefix.size()));
}

/// "memcpy CE CPU(row) -> GPU(column) bandwidth (GB/s)", "... Latency SM ... (ns)".
bool is_title(std::string_view line) {
  return contains(line, "GPU(column)") && (line.ends_with("(GB/s)") || line.ends_with("(ns)"));
}

/// "Running host_to_device_memcpy_ce." -> the test's name.
std::optional<std::string_view> announced(std::string_view line) {
  const auto name = after(line, "Running ");
  if (!name || !name->ends_with('.') || name->find(' ') != std::string_view::npos) return {};
  return name->substr(0, name->size() - 1);
}

class TextReader {
 public:
  TextReader(ByteSource& source, Recorder& out) : lines_{source}, results_{out} {}

  Result<void> read() {
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      GPUVET_CHECK(read_line(trim(line)));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (columns_ > 0) return cut_off();
    if (test_line_ > 0 && !done_ && last_words_.empty())
      return fail(Errc::malformed,
                  fmt::format("the file ends where the figures of {} are due",
                              printable(matrix_.test.substr(0, 80))),
                  lines_.line());
    end_of_test();
    return results_.finish(error_, error_line_ > 0 ? error_line_ : lines_.line());
  }

 private:
  Result<void> read_line(std::string_view line) {
    if (title_line_ > 0 && columns_ == 0) return read_header(line);
    if (columns_ > 0) return read_row(line);
    if (const auto version = after(line, "nvbandwidth Version:")) {
      end_of_test();
      results_.start(*version, lines_.line());
    } else if (const auto driver = after(line, "Driver Version:")) {
      results_.driver(*driver, lines_.line());
    } else if (const auto test = announced(line)) {
      end_of_test();
      matrix_.test = *test;
      test_line_ = lines_.line();
      done_ = false;
    } else if (is_title(line) && test_line_ > 0) {
      matrix_.title = line;
      title_line_ = lines_.line();
    } else if (contains(line, "Invalid value when checking the pattern") && test_line_ > 0) {
      results_.corrupt(matrix_.test, line, lines_.line());
      last_words_ = line;
    } else if (line.starts_with("Waived:")) {
      results_.waived_unnamed(lines_.line());
    } else {
      read_device(line);
      if (error_line_ == 0 && contains(line, "ERROR")) {
        error_ = line.substr(0, 200);
        error_line_ = lines_.line();
      }
      // What a test says before it dies is the reason why it has no figures.
      if (!line.empty() && test_line_ > 0 && !done_ && last_words_.empty())
        last_words_ = line.substr(0, 200);
    }
    return {};
  }

  void read_device(std::string_view line) {
    const auto rest = after(line, "Device ");
    if (!rest) return;
    const auto colon = rest->find(": ");
    const auto ordinal = parse_integer(rest->substr(0, colon));
    if (colon == std::string_view::npos || !ordinal || *ordinal < 0) return;
    results_.device(static_cast<std::size_t>(*ordinal), rest->substr(colon + 2), lines_.line());
  }

  /// "0 1 2 3": tests that we do not read may have other labels.
  Result<void> read_header(std::string_view line) {
    const auto labels = words(line.substr(0, 4096));
    title_line_ = 0;
    done_ = true;
    const std::size_t due = NvbandwidthResults::rows_due(matrix_.test, labels.size());
    if (due == 0) return results_.matrix(matrix_);
    GPUVET_TRY(columns_, matrix_columns(line, lines_.line()));
    rows_due_ = due;
    matrix_.rows.clear();
    matrix_.line = lines_.line() + 1;
    return {};
  }

  Result<void> read_row(std::string_view line) {
    GPUVET_TRY(auto row, matrix_row(line, matrix_.rows.size(), columns_, lines_.line()));
    matrix_.rows.push_back(std::move(row));
    if (matrix_.rows.size() < rows_due_) return {};
    columns_ = 0;
    return results_.matrix(matrix_);
  }

  Result<void> cut_off() const {
    return fail(Errc::malformed,
                fmt::format("the file ends inside the matrix of {}: it has {} of {} rows",
                            printable(matrix_.test.substr(0, 80)), matrix_.rows.size(), rows_due_),
                lines_.line());
  }

  /// A test that was announced and printed nothing died, or the file ends there.
  void end_of_test() {
    if (test_line_ > 0 && !done_)
      results_.missing(matrix_.test, Absence::malformed,
                       last_words_.empty() ? "started and printed no figures" : last_words_,
                       test_line_);
    test_line_ = 0;
    title_line_ = 0;
    last_words_.clear();
  }

  LineReader lines_;
  NvbandwidthResults results_;
  NvbandwidthMatrix matrix_;
  std::size_t test_line_ = 0, title_line_ = 0, columns_ = 0, rows_due_ = 0;
  bool done_ = false;
  std::string last_words_, error_;
  std::size_t error_line_ = 0;
};

using Json = nlohmann::json;

std::string text_at(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Result<MatrixRow> json_row(const Json& cells) {
  MatrixRow out;
  for (const auto& cell : cells) {
    const std::string text = cell.is_string() ? cell.get<std::string>() : std::string();
    const auto value = cell.is_number() ? std::optional(cell.get<double>()) : parse_number(text);
    if (!value && text != "N/A")
      return fail(Errc::malformed,
                  fmt::format("\"{}\" is no figure", printable(text.substr(0, 40))));
    out.push_back(value);
  }
  return out;
}

Result<void> read_testcase(const Json& test, NvbandwidthResults& results) {
  NvbandwidthMatrix matrix;
  matrix.test = text_at(test, "name");
  matrix.title = text_at(test, "bandwidth_description");
  const std::string status = text_at(test, "status"), error = text_at(test, "error");
  const auto rows = test.find("bandwidth_matrix");
  if (rows == test.end() || !rows->is_array() || rows->empty() || status != "Passed") {
    if (status == "Waived")
      results.waived(matrix.test, 0);
    else
      results.missing(matrix.test, Absence::malformed, fmt::format("status {}: {}", status, error),
                      0);
    return {};
  }
  const std::string name = printable(matrix.test.substr(0, 80));
  const std::size_t columns = rows->front().is_array() ? rows->front().size() : 0;
  const std::size_t due = NvbandwidthResults::rows_due(matrix.test, columns);
  if (due == 0) return results.matrix(matrix);
  if (columns > CudaDevices::most)
    return fail(Errc::too_large, fmt::format("{}: more than {} GPUs", name, CudaDevices::most));
  // Since v0.6 a bidirectional test appends its three matrices to one; the last is the total.
  const bool ragged = std::ranges::any_of(
      *rows, [&](const Json& row) { return !row.is_array() || row.size() != columns; });
  if (ragged || (rows->size() != due && rows->size() != 3 * due))
    return fail(Errc::malformed,
                fmt::format("{}: {} rows for {} GPUs, or rows that differ in length", name,
                            rows->size(), columns));
  for (std::size_t i = rows->size() - due; i < rows->size(); ++i) {
    GPUVET_TRY(auto row, in_context(json_row((*rows)[i]), name));
    matrix.rows.push_back(std::move(row));
  }
  return results.matrix(matrix);
}

Result<void> read_json(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string text, read_all(source, largest_json));
  const auto begin = std::min(text.find('{'), text.size());
  const auto end = std::max(text.find_last_of('}') + 1, begin);
  const Json document =
      Json::parse(text.begin() + static_cast<std::ptrdiff_t>(begin),
                  text.begin() + static_cast<std::ptrdiff_t>(end), nullptr, false);
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  if (document.is_discarded() || !document.is_object() || !document.contains("nvbandwidth"))
    return fail(Errc::malformed, "not JSON, or the file is cut off", lines);
  const Json& root = document["nvbandwidth"];
  if (!root.is_object()) return fail(Errc::malformed, "\"nvbandwidth\" is no object", 1);
  NvbandwidthResults results{out};
  results.start(text_at(root, "version"), 0);
  if (const auto driver = text_at(root, "Driver Version"); !driver.empty())
    results.driver(driver, 0);
  if (const auto list = root.find("GPU Device list"); list != root.end() && list->is_array())
    for (const auto& entry : *list) {
      // "0: Tesla T4 (00000000:3b:00): (hostname)", the host name since v0.8.
      std::string device = entry.is_string() ? entry.get<std::string>() : std::string();
      if (const auto host = device.rfind("): ("); host != std::string::npos)
        device.resize(host + 1);
      const auto colon = device.find(": ");
      const auto ordinal = parse_integer(std::string_view(device).substr(0, colon));
      if (colon != std::string::npos && ordinal && *ordinal >= 0)
        results.device(static_cast<std::size_t>(*ordinal),
                       std::string_view(device).substr(colon + 2), 0);
    }
  const auto tests = root.find("testcases");
  if (tests == root.end() || !tests->is_array() || tests->empty())
    return results.finish(text_at(root, "error"), lines);
  for (const auto& test : *tests)
    if (test.is_object()) GPUVET_CHECK(read_testcase(test, results));
  return results.finish(text_at(root, "error"), lines);
}

bool is_json(std::string_view head) {
  const auto open = head.find('{');
  if (open == std::string_view::npos) return false;
  return trim(head.substr(open + 1, 200)).starts_with("\"nvbandwidth\"");
}

bool recognises(std::string_view head) {
  if (contains(head, "nvbandwidth Version:") || is_json(head)) return true;
  // An excerpt: a test is announced and a matrix is titled.
  bool named = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, std::min<std::size_t>(end, 512)));
    if (announced(line)) named = true;
    if (named && is_title(line)) return true;
    head.remove_prefix(std::min(end + 1, head.size()));
  }
  return false;
}

/// Gives back the bytes that were looked at to tell text from JSON, then the rest.
class Rejoined final : public ByteSource {
 public:
  Rejoined(std::string head, ByteSource& rest) : head_{std::move(head)}, rest_{rest} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    if (given_ == head_.size()) return rest_.read(to, room);
    const std::size_t n = head_.copy(to, room, given_);
    given_ += n;
    return n;
  }

 private:
  std::string head_;
  std::size_t given_ = 0;
  ByteSource& rest_;
};

Result<void> read(ByteSource& source, Recorder& out) {
  std::string head(4096, '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    GPUVET_TRY(const std::size_t n, source.read(head.data() + filled, head.size() - filled));
    if (n == 0) break;
    filled += n;
  }
  head.resize(filled);
  const bool json = is_json(head);
  Rejoined all{std::move(head), source};
  out.tool("nvbandwidth");
  out.how(How::measured);
  return json ? read_json(all, out) : TextReader(all, out).read();
}

}  // namespace

Importer nvbandwidth() {
  return {"nvbandwidth", "nvbandwidth", "nvbandwidth > nvbandwidth.txt", recognises, read};
}

}  // namespace gpuvet::ingest
