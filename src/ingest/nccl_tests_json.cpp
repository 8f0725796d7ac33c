// SPDX-License-Identifier: Apache-2.0
// The report says what the table says, so it is read as the table's lines. Its traps: "devices"
// lists one GPU of each process; "root" is padded text; NaN is the text "nan"; `out_of_bounds` is
// missing when the run broke off, since the program closes the brackets all the same.
#include "ingest/nccl_tests_json.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>
#include <vector>

#include "core/text.hpp"
#include "ingest/json_tree.hpp"
#include "ingest/nccl_tests_parser.hpp"

namespace gpuvet::ingest::nccl {
namespace {

constexpr std::size_t most_variables = 100, longest_variable = 200;

constexpr std::string_view unreadable = "?";  ///< which no cell of a table holds

/// A text that is one word.
std::string word(const JsonNode& node, std::string_view path) {
  const auto said = words(node.words(path));
  return said.size() == 1 && said[0].size() <= 253 ? std::string(said[0]) : std::string(unreadable);
}

std::string figure(const JsonNode& node, std::string_view path) {
  const auto number = node.number_at(path);
  return number ? format_number(*number) : "N/A";
}

double count(const JsonNode& root, std::string_view path) {
  constexpr double most = 1024;
  return std::clamp(root.number_at(path).value_or(1), 1.0, most);
}

Result<void> read_setup(const JsonNode& root, Parser& parser) {
  const auto& args = root.list("args");
  if (!args.empty())
    GPUVET_CHECK(
        parser.line("# Collective test starting: " + printable(args[0].text), args[0].line));
  if (const auto version = root.number_at("nccl_version"))
    GPUVET_CHECK(
        parser.line("# nccl-library=" + format_number(*version), root.at("nccl_version")->line));
  const double threads = count(root, "config/nthreads"), gpus = count(root, "config/ngpus");
  const JsonNode* config = root.at("config");
  GPUVET_CHECK(parser.line(fmt::format("# nThread {} nGpus {} minBytes 0 validation: {}", threads,
                                       gpus, figure(root, "config/validation")),
                           config == nullptr ? 1 : config->line));
  for (const JsonNode& device : root.list("config/devices")) {
    const auto rank = device.number_at("rank");
    const std::string host = word(device, "hostname");
    if (!rank || *rank < 0 || host == unreadable) continue;
    // One GPU of several would pass for the only one, so then none is named.
    std::string gpu;
    if (threads * gpus == 1)
      gpu = fmt::format(" [{}] {}", word(device, "device_hex"), device.words("device_info"));
    for (double i = 0; i < threads * gpus; ++i)
      GPUVET_CHECK(parser.line(
          fmt::format("#  Rank {} Pid 0 on {} device 0{}", *rank + i, host, gpu), device.line));
  }
  return {};
}

Result<void> read_rows(const JsonNode& root, Parser& parser) {
  const JsonNode* results = root.at("results");
  GPUVET_CHECK(
      parser.line("# size count type redop root time algbw busbw #wrong time algbw busbw #wrong",
                  results == nullptr ? 1 : results->line));
  for (const JsonNode& row : root.list("results")) {
    std::string line = fmt::format("{} {} {} {} {}", figure(row, "size"), figure(row, "count"),
                                   word(row, "type"), word(row, "redop"), word(row, "root"));
    for (const std::string place : {"out_of_place/", "in_place/"}) {
      const bool on_cpu = row.number_at(place + "cpu_time").has_value();
      for (const char* cell : {on_cpu ? "cpu_time" : "time", "alg_bw", "bus_bw", "nwrong"})
        line += " " + figure(row, place + cell);
    }
    GPUVET_CHECK(parser.line(line, row.line));
  }
  return {};
}

Result<void> read_end(const JsonNode& root, Parser& parser) {
  if (const auto wrong = root.number_at("out_of_bounds/count"))
    return parser.line(fmt::format("# Out of bounds values : {} {}", *wrong,
                                   root.words("out_of_bounds/okay") == "true" ? "OK" : "FAILED"),
                       root.at("out_of_bounds")->line);
  const JsonNode* last = root.at("end_time");
  parser.failed("the report ends without its summary: the run broke off",
                last == nullptr ? root.line : last->line);
  for (const JsonNode& error : root.list("errors"))
    if (!trim(error.text).empty()) parser.failed(error.text, error.line);
  return {};
}

/// Of all the environment only what steers NCCL and its network: the rest is nobody's business.
void record_environment(const JsonNode& root, Recorder& out) {
  std::vector<std::string> variables;
  for (const JsonNode& variable : root.list("env"))
    for (const std::string_view prefix : {"NCCL_", "CUDA_VISIBLE_DEVICES=", "FI_", "OFI_NCCL_"})
      if (variable.text.starts_with(prefix) && variables.size() < most_variables)
        variables.push_back(printable(std::string_view(variable.text).substr(0, longest_variable)));
  const JsonNode* env = root.at("env");
  if (env == nullptr) return;
  out.line(env->line);
  out.texts("nccl.environment"_id, "node", std::move(variables));
}

}  // namespace

bool is_json(std::string_view head) {
  return trim(head).starts_with('{') && contains(head, "\"start_time\"") &&
         contains(head, "\"args\"") && contains(head, "_perf");
}

Result<void> read_json(std::string_view text, Recorder& out) {
  GPUVET_TRY(const JsonNode root, parse_json_tree(text));
  Parser parser;
  GPUVET_CHECK(read_setup(root, parser));
  GPUVET_CHECK(read_rows(root, parser));
  GPUVET_CHECK(read_end(root, parser));
  GPUVET_CHECK(parser.record(out));
  out.when(printable(root.words("start_time").substr(0, 80)));
  record_environment(root, out);
  return {};
}

}  // namespace gpuvet::ingest::nccl
