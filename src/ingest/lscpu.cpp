// SPDX-License-Identifier: Apache-2.0
// lscpu, and the table of `lscpu -e`. Newer versions indent what older ones print flush left. NUMA
// nodes without processors (the GPUs' memory of a POWER9 or Grace server) are in the count of nodes
// and have an empty list.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>

#include "core/text.hpp"
#include "ingest/cpu_list.hpp"
#include "ingest/importer.hpp"
#include "ingest/watched_source.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t longest_model = 120, most_nodes = 1024;

struct Value {
  std::string text;
  std::size_t line = 0;
};

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : source_{source}, lines_{source_}, out_{out} {}

  Result<void> read() {
    out_.tool("lscpu");
    while (auto line = lines_.next()) {
      if (lines_.line() == 1 && line->starts_with("\xef\xbb\xbf")) line->remove_prefix(3);
      GPUVET_CHECK(columns_.empty() ? take(*line) : take_row(*line));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    return columns_.empty() ? record() : record_table();
  }

 private:
  Result<void> take(std::string_view line) {
    const auto text = trim(line);
    if (text.starts_with("CPU ") && contains(text, " CORE")) {
      for (const auto word : words(text)) columns_.emplace_back(word.substr(0, 32));
      header_line_ = lines_.line();
      return {};
    }
    if (text.starts_with("lscpu: ") || contains(text, "lscpu: command not found"))
      return fail(Errc::not_supported,
                  fmt::format("lscpu printed an error: {}", printable(text.substr(0, 120))),
                  lines_.line());
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) {  // on a terminal lscpu wraps the flags
      if (in_flags_ && names_hypervisor(text)) values_["Flags"].text = "hypervisor";
      return {};
    }
    const auto name = text.substr(0, colon), value = trim(text.substr(colon + 1));
    if (name.starts_with("NUMA node") && name.ends_with(" CPU(s)")) return take_node(name, value);
    in_flags_ = name == "Flags";
    static constexpr std::array names{"Architecture",        "CPU(s)",
                                      "On-line CPU(s) list", "Thread(s) per core",
                                      "Core(s) per socket",  "Core(s) per cluster",
                                      "Cluster(s)",          "Socket(s)",
                                      "NUMA node(s)",        "Model name",
                                      "Hypervisor vendor",   "Flags"};
    if (std::ranges::find(names, name) == names.end()) return {};
    // One word of the long list of flags is all that counts.
    const std::string_view kept = !in_flags_ ? value : names_hypervisor(value) ? "hypervisor" : "-";
    if (!values_
             .try_emplace(std::string(name),
                          Value{std::string(kept.substr(0, 4096)), lines_.line()})
             .second)
      return fail(Errc::malformed,
                  fmt::format("\"{}\" stands twice: give one machine's output a file", name),
                  lines_.line());
    return {};
  }

  static bool names_hypervisor(std::string_view flags) {
    const auto all = words(flags);
    return std::ranges::find(all, "hypervisor") != all.end();
  }

  Result<void> take_node(std::string_view name, std::string_view value) {
    constexpr std::size_t prefix = 9, suffix = 7;
    const auto node = parse_integer(name.substr(prefix, name.size() - prefix - suffix));
    const auto cpus = read_cpu_list(value);
    if (!node || *node < 0 || *node > 1'000'000 || !cpus || nodes_.size() == most_nodes)
      return fail(Errc::malformed, "the processors of a NUMA node are unreadable", lines_.line());
    nodes_[static_cast<int>(*node)] = *cpus;
    nodes_line_ = lines_.line();
    return {};
  }

  [[nodiscard]] const Value* find(std::string_view name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }

  /// A positive count; nothing for "-", which stands for "doesn't apply".
  [[nodiscard]] std::optional<double> count(std::string_view name) const {
    const Value* const value = find(name);
    const auto number = value == nullptr ? std::nullopt : parse_integer(value->text);
    constexpr std::int64_t most = 1 << 20;
    if (!number || *number < 1 || *number > most) return {};
    return static_cast<double>(*number);
  }

  void number(Id id, std::optional<double> value, std::string_view named) {
    const Value* const from = find(named);
    out_.line(from == nullptr ? 0 : from->line);
    if (value)
      out_.number(id, "node", *value);
    else
      out_.absent(id, "node", Absence::not_supported,
                  from == nullptr ? "" : printable(from->text.substr(0, 80)));
  }

  Result<void> record() {
    if (find("Architecture") == nullptr || find("CPU(s)") == nullptr)
      return fail(Errc::malformed,
                  "no \"Architecture:\" and \"CPU(s):\" line: rerun lscpu with LC_ALL=C",
                  lines_.line());
    // What follows the processors' counts are the nodes; a number may have lost its last digits.
    const auto nodes = count("NUMA node(s)");
    const bool cut =
        source_.ends_inside_line() &&
        (nodes_line_ == lines_.line() || std::ranges::any_of(values_, [&](const auto& v) {
           return v.second.line == lines_.line() && v.first != "Flags";
         }));
    const bool counted = find("Socket(s)") != nullptr || find("Cluster(s)") != nullptr;
    if (cut || !counted || (nodes && static_cast<double>(nodes_.size()) < *nodes))
      return fail(Errc::malformed, "the file ends early: not all of lscpu's output is here",
                  lines_.line());
    out_.line(find("Architecture")->line);
    out_.text("node.cpu.architecture"_id, "node",
              printable(find("Architecture")->text.substr(0, longest_model)));
    record_model();
    record_counts();
    if (!nodes_.empty()) {
      out_.line(nodes_line_);
      record_numa_cpus(out_, nodes_);
    }
    record_hypervisor();
    return {};
  }

  void record_model() {
    const Value* const model = find("Model name");
    if (model == nullptr) return;
    out_.line(model->line);
    if (model->text.empty() || model->text == "-")
      out_.absent("node.cpu.model"_id, "node", Absence::not_supported, model->text);
    else
      out_.text("node.cpu.model"_id, "node", printable(model->text.substr(0, longest_model)));
  }

  void record_counts() {
    const auto sockets = count("Socket(s)");
    // On ARM without a socket count cores come in clusters.
    const auto groups = sockets ? sockets : count("Cluster(s)");
    const auto each = sockets && count("Core(s) per socket") ? count("Core(s) per socket")
                                                             : count("Core(s) per cluster");
    number("node.cpu.sockets"_id, sockets, "Socket(s)");
    number("node.cpu.cores"_id, groups && each ? std::optional(*groups * *each) : std::nullopt,
           sockets ? "Core(s) per socket" : "Core(s) per cluster");
    const auto threads = count("CPU(s)");
    const Value* const list = find("On-line CPU(s) list");
    const auto online = list == nullptr ? std::nullopt : read_cpu_list(list->text);
    out_.line(find("CPU(s)")->line);
    if (threads && online && static_cast<double>(online->size()) > *threads)
      out_.absent("node.cpu.threads"_id, "node", Absence::malformed,
                  fmt::format("{} CPUs, of which {} are on-line", *threads, online->size()));
    else
      number("node.cpu.threads"_id, threads, "CPU(s)");
    if (threads && online && static_cast<double>(online->size()) < *threads)
      out_.detail(fmt::format("{} of them on-line", online->size()));
  }

  /// x86 processors have a flag that every hypervisor sets; others don't tell.
  void record_hypervisor() {
    const Value* const vendor = find("Hypervisor vendor");
    const Value* const flags = find("Flags");
    const bool x86 = find("Architecture")->text == "x86_64";
    if (vendor != nullptr && !vendor->text.empty()) {
      out_.line(vendor->line);
      out_.text("node.virtualization"_id, "node", printable(vendor->text.substr(0, 80)));
    } else if (x86 && flags != nullptr && !(in_flags_ && source_.ends_inside_line())) {
      out_.line(flags->line);
      const bool hypervisor = flags->text == "hypervisor";
      out_.text("node.virtualization"_id, "node", hypervisor ? "unnamed hypervisor" : "none");
    }
  }

  Result<void> take_row(std::string_view line) {
    const auto cells = words(line);
    if (cells.empty() || ended_) return {};
    const auto cpu = parse_integer(cells[0]);
    if (!cpu) {  // the next prompt
      ended_ = true;
      return {};
    }
    if (cells.size() != columns_.size() || *cpu != static_cast<std::int64_t>(cpus_))
      return fail(Errc::malformed,
                  fmt::format("row of {} cells where CPU {} with {} is due: the table was cut",
                              cells.size(), cpus_, columns_.size()),
                  lines_.line());
    if (++cpus_ > (1U << 16)) return fail(Errc::too_large, "more than 65536 CPUs", lines_.line());
    for (std::size_t i = 0; i < cells.size(); ++i) {
      const auto number = parse_integer(cells[i]);
      if (!number || *number < 0 || *number > 1'000'000) continue;
      if (columns_[i] == "SOCKET") sockets_.insert(*number);
      if (columns_[i] == "CORE") cores_.insert(*number);
      if (columns_[i] == "NODE")
        nodes_[static_cast<int>(*number)].push_back(static_cast<int>(*cpu));
    }
    return {};
  }

  Result<void> record_table() {
    if (cpus_ == 0 || (source_.ends_inside_line() && !ended_))
      return fail(Errc::malformed, "the file ends early: the table of CPUs is cut", lines_.line());
    out_.line(header_line_);
    out_.number("node.cpu.threads"_id, "node", static_cast<double>(cpus_));
    if (!cores_.empty())
      out_.number("node.cpu.cores"_id, "node", static_cast<double>(cores_.size()));
    if (!sockets_.empty())
      out_.number("node.cpu.sockets"_id, "node", static_cast<double>(sockets_.size()));
    if (!nodes_.empty()) record_numa_cpus(out_, nodes_);
    return {};
  }

  WatchedSource source_;
  LineReader lines_;
  Recorder& out_;
  std::map<std::string, Value, std::less<>> values_;
  std::map<int, std::vector<int>> nodes_;
  std::vector<std::string> columns_;  ///< of `lscpu -e`; empty for the usual output
  std::set<std::int64_t> sockets_, cores_;
  std::size_t nodes_line_ = 0, header_line_ = 0, cpus_ = 0;
  bool ended_ = false, in_flags_ = false;
};

bool recognises(std::string_view head) {
  head = head.substr(0, 4096);
  if (contains(head, "CPU(s):") && contains(head, "Architecture:")) return true;
  if (contains(head, "On-line CPU(s) list:")) return true;
  const auto table = head.find("CPU NODE SOCKET CORE");
  if (table != std::string_view::npos && (table == 0 || head[table - 1] == '\n')) return true;
  return contains(head.substr(0, 256), "lscpu: command not found") || head.starts_with("lscpu: ");
}

Result<void> read(ByteSource& source, Recorder& out) { return Reader(source, out).read(); }

}  // namespace

Importer lscpu() {
  return {.kind = "lscpu",
          .title = "lscpu",
          .obtain = "LC_ALL=C lscpu > lscpu.txt",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
