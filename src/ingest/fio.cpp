// SPDX-License-Identifier: Apache-2.0
// fio with --output-format=json. Remarks may stand before the document. What a figure means lies in
// the options: a job's own, and those that all jobs share.
#include <fmt/format.h>

#include <array>
#include <cmath>
#include <optional>
#include <string>

#include "core/text.hpp"
#include "ingest/drive_name.hpp"
#include "ingest/importer.hpp"
#include "ingest/json_tree.hpp"

namespace gpuvet::ingest {

Importer fio_json();

namespace {

constexpr std::size_t largest = std::size_t{64} << 20, most_jobs = 10'000;
constexpr double nano = 1e-9, kibi = 1024, most_rate = 1e15;

/// The option `name` of the job, else of all jobs; nothing when neither has it.
std::optional<std::string_view> option(const JsonNode& document, const JsonNode& job,
                                       std::string_view name) {
  for (const auto& [node, path] : {std::pair{&job, "job options"}, {&document, "global options"}})
    if (const auto* options = node->at(path))
      for (const auto& item : options->items)
        if (item.key == name && item.is(JsonNode::Kind::text)) return trim(item.text);
  return {};
}

/// "4k", "1M", "1m", "128kb", "65536": fio counts k as 1024 unless kb_base says otherwise, and then
/// ki as 1000. Of "4k,8k" that for reads.
std::optional<double> size_of(std::string_view text, bool write, bool decimal) {
  const auto parts = split(text, ',');
  const std::string given = lower(trim(write && parts.size() > 1 ? parts[1] : parts[0]));
  const std::size_t digits = leading_digits(given);
  const auto number = parse_integer(given.substr(0, digits));
  if (!number || *number <= 0 || *number > (std::int64_t{1} << 40)) return {};
  std::string_view suffix = std::string_view(given).substr(digits);
  if (suffix.ends_with('b')) suffix.remove_suffix(1);
  if (suffix.empty()) return static_cast<double>(*number);
  const bool other = suffix.size() == 2 && suffix[1] == 'i';
  const std::size_t power = std::string_view("kmg").find(suffix[0]);
  if (power == std::string_view::npos || (suffix.size() > 1 && !other)) return {};
  const double base = other != decimal ? 1000 : kibi;
  return static_cast<double>(*number) * std::pow(base, static_cast<double>(power + 1));
}

/// What a job does, in fio's words: "read", "randread", "rw", "readwrite:8", ...
struct Order {
  bool random = false, mixed = false;
};
std::optional<Order> order_of(std::string_view rw) {
  const std::string kind = lower(rw.substr(0, rw.find(':')));
  const bool random = kind.starts_with("rand");
  const std::string rest = random ? kind.substr(4) : kind;
  if (rest == "rw" || rest == "readwrite") return Order{random, true};
  if (rest == "read" || rest == "write") return Order{random, false};
  return {};
}

/// The drive that a job reads raw; else the node.
std::string subject_of(std::optional<std::string_view> file) {
  if (!file || !file->starts_with("/dev/") || contains(*file, ":")) return "node";
  return drive_subject(*file).value_or("node");
}

Absence absence_of(double error) {
  if (error == 1 || error == 13) return Absence::permission;
  return error == 110 ? Absence::timeout : Absence::not_supported;
}

class Reader {
 public:
  Reader(const JsonNode& document, Recorder& out) : document_{document}, out_{out} {}

  Result<void> read() {
    const std::string_view version = document_.words("fio version");
    out_.tool("fio", printable(version.substr(0, 40)));
    out_.how(How::measured);
    if (const auto time = document_.words("time"); !time.empty())
      out_.when(printable(time.substr(0, 40)));
    const auto& jobs = document_.list("jobs");
    if (jobs.empty()) return fail(Errc::malformed, "no job: the file is cut off", document_.line);
    if (jobs.size() > most_jobs) return fail(Errc::too_large, "more than 10000 jobs", jobs[0].line);
    for (const auto& job : jobs) GPUVET_CHECK(read_job(job));
    if (figures_ == 0)
      return fail(Errc::malformed, "no job read or wrote anything", document_.line);
    return {};
  }

 private:
  Result<void> read_job(const JsonNode& job) {
    out_.line(job.line);
    if (!job.is(JsonNode::Kind::object))
      return fail(Errc::malformed, "a job is no object", job.line);
    const auto order =
        order_of(option(document_, job, "rw")
                     .value_or(option(document_, job, "readwrite").value_or("read")));
    if (!order) return {};  // trims drives: nothing that we ask
    for (const bool write : {false, true}) GPUVET_CHECK(side(job, *order, write));
    return {};
  }

  Result<void> side(const JsonNode& job, Order order, bool write) {
    const auto* figures = job.at(write ? "write" : "read");
    if (figures == nullptr || !figures->is(JsonNode::Kind::object)) return {};
    const double error = job.number_at("error").value_or(0);
    const double bytes = figures->number_at("io_bytes").value_or(0);
    if (bytes <= 0 && (error == 0 || write)) return {};
    out_.line(figures->line);
    const std::string subject = subject_of(option(document_, job, "filename"));
    const Id id = write ? (order.random ? "storage.write.random"_id : "storage.write.sequential"_id)
                        : (order.random ? "storage.read.random"_id : "storage.read.sequential"_id);
    const Where where = where_of(job, *figures, order, write);
    ++figures_;
    if (error != 0) {
      out_.absent(id, subject, absence_of(error),
                  fmt::format("fio ended with error {}", format_number(error)), where);
      return {};
    }
    auto value = figures->number_at(order.random ? "iops" : "bw_bytes");
    if (!value && !order.random)
      if (const auto bw = figures->number_at("bw")) value = *bw * kibi;
    if (!value || *value <= 0 || *value > most_rate)
      return fail(Errc::malformed, fmt::format("no rate of job {}", name_of(job)), figures->line);
    out_.number(id, subject, *value, where);
    out_.detail(fmt::format("job {}, {:.1f} s", name_of(job),
                            figures->number_at("runtime").value_or(0) / 1000));
    if (!write) latency(*figures, subject, order, where);
    return {};
  }

  void latency(const JsonNode& figures, const std::string& subject, Order order, Where where) {
    where.emplace("order", order.random ? "random" : "sequential");
    if (const auto mean = figures.number_at("lat_ns/mean"); mean && *mean > 0 && *mean < 1e15)
      out_.number("storage.read.latency"_id, subject, *mean * nano, where);
    if (const auto p99 = figures.number_at("clat_ns/percentile/99.000000");
        p99 && *p99 > 0 && *p99 < 1e15)
      out_.number("storage.read.latency.p99"_id, subject, *p99 * nano, where);
  }

  /// What makes two figures comparable.
  Where where_of(const JsonNode& job, const JsonNode& figures, Order order, bool write) const {
    Where where{{"backend", "fio"}};
    const auto find = [&](std::string_view name) { return option(document_, job, name); };
    where.emplace("engine", printable(find("ioengine").value_or("psync").substr(0, 40)));
    where.emplace("direct", find("direct").value_or("0") == "0" ? "no" : "yes");
    for (const auto& [key, name] : {std::pair{"depth", "iodepth"}, {"jobs", "numjobs"}})
      if (const auto n = parse_integer(find(name).value_or("1")); n && *n > 0 && *n < 1'000'000)
        where.emplace(key, static_cast<double>(*n));
    if (order.mixed) where.emplace("mixed", "reads and writes");
    const auto given = find("bs") ? find("bs") : find("blocksize");
    std::optional<double> block;
    if (given) block = size_of(*given, write, find("kb_base").value_or("1024") == "1000");
    // Without the option, what was moved tells the size of a block, where all were alike.
    const auto count = figures.number_at("total_ios"), bytes = figures.number_at("io_bytes");
    if (!block && !find("bssplit") && !find("bsrange") && count && bytes && *count > 0)
      if (const double mean = *bytes / *count; mean == std::floor(mean)) block = mean;
    if (block) where.emplace("bytes", *block);
    return where;
  }

  static std::string name_of(const JsonNode& job) {
    return printable(job.words("jobname").substr(0, 40));
  }

  const JsonNode& document_;
  Recorder& out_;
  std::size_t figures_ = 0;
};

bool recognises(std::string_view head) {
  return contains(head, "\"fio version\"") && contains(head, "\"jobs\"");
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string text, read_all(source, largest));
  const std::size_t begin = text.starts_with('{') ? 0 : text.find("\n{") + 1;
  const std::size_t end = text.rfind('}');
  if (begin >= text.size() || text[begin] != '{' || end == std::string::npos || end < begin)
    return fail(Errc::malformed, "no whole JSON document in it");
  const auto before = std::string_view(text).substr(0, begin);
  const auto lines = static_cast<std::size_t>(std::count(before.begin(), before.end(), '\n'));
  GPUVET_TRY(const JsonNode document,
             parse_json_tree(std::string_view(text).substr(begin, end - begin + 1), lines + 1));
  return Reader(document, out).read();
}

}  // namespace

Importer fio_json() {
  return {
      "fio_json", "fio --output-format=json",
      "fio --name=read --filename=FILE --readonly --rw=read --bs=1M --iodepth=32 "
      "--ioengine=io_uring --direct=1 --runtime=30 --time_based --output-format=json > fio.json",
      recognises, read};
}

}  // namespace gpuvet::ingest
