// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q -x`: one report of every GPU, in the schemas nvsmi_device v10 to v13 and in logs
// that lost their DOCTYPE. Schemas are not told apart: an element goes by the name that it has in
// the newest one.
#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <pugixml.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nvidia_smi_fields.hpp"
#include "ingest/nvidia_smi_report.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_xml();

namespace {

constexpr std::size_t largest_file = std::size_t{32} << 20;
constexpr std::size_t most_gpus = 1024;
constexpr std::size_t deepest = 64;            // nvidia-smi needs 7
constexpr std::size_t most_nodes = 1'000'000;  // 8 GPUs need 10,000

/// Elements that were renamed from one schema to the next, by the name that the table uses.
std::string_view common_name(std::string_view element) {
  struct Renamed {
    std::string_view prefix, common;
    bool whole;
  };
  constexpr std::array renamed{
      Renamed{"ecc_errors", "ecc", true},
      // v10's board number; from v11 on the chip's, which comes second and so doesn't count.
      Renamed{"gpu_part_number", "board_part_number", true},
      Renamed{"gpu_power_readings", "power", true},
      Renamed{"power_readings", "power", true},
      Renamed{"clocks_event_reasons_counters", "counters", true},
      Renamed{"clocks_event_reasons", "reasons", true},
      Renamed{"clocks_throttle_reasons", "reasons", true},
      Renamed{"clocks_event_reasons_counters_", "", false},
      Renamed{"clocks_event_reason_", "", false},
      Renamed{"clocks_throttle_reason_", "", false},
  };
  for (const auto& r : renamed) {
    if (r.whole && element == r.prefix) return r.common;
    if (!r.whole && element.substr(0, r.prefix.size()) == r.prefix)
      return element.substr(r.prefix.size());
  }
  return element;
}

/// Byte offset -> line, over the text as it was before pugixml wrote into it.
class Lines {
 public:
  explicit Lines(std::string_view text) {
    for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
      ends_.push_back(at);
  }
  [[nodiscard]] std::size_t at(std::ptrdiff_t offset) const {
    const auto found = std::ranges::lower_bound(
        ends_, static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
    return static_cast<std::size_t>(found - ends_.begin()) + 1;
  }
  [[nodiscard]] std::size_t of(pugi::xml_node node) const { return at(node.offset_debug()); }

 private:
  std::vector<std::size_t> ends_;
};

/// The offset behind `token` from `from` on; the end when it never comes.
std::size_t behind(std::string_view text, std::string_view token, std::size_t from) {
  const auto at = text.find(token, from);
  return at == text.npos ? text.size() : at + token.size();
}

/// Refuses a tree that would be too deep or too big before there is one. What isn't XML passes
/// here and fails in the parser.
Result<void> check_shape(std::string_view text, const Lines& lines) {
  std::size_t open = 0, nodes = 0;
  for (auto at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const auto here = text.substr(at, 9);
    if (here.substr(0, 4) == "<!--")
      at = behind(text, "-->", at + 4);
    else if (here == "<![CDATA[")
      at = behind(text, "]]>", at + 9);
    else if (here.substr(0, 2) == "<?")
      at = behind(text, "?>", at + 2);
    else if (here.substr(0, 2) == "<!")
      at += 2;
    else if (here.substr(0, 2) == "</") {
      open -= open > 0 ? 1 : 0;
      at += 2;
    } else {
      const auto start = static_cast<std::ptrdiff_t>(at);
      char quote = 0;
      for (++at; at < text.size() && (quote != 0 || text[at] != '>'); ++at) {
        if (quote != 0)
          quote = text[at] == quote ? '\0' : quote;
        else if (text[at] == '"' || text[at] == '\'')
          quote = text[at];
        else if (text[at] == '=')
          ++nodes;
      }
      if (text[at - 1] != '/') ++open;
      if (++nodes > most_nodes)
        return fail(Errc::too_large, "more than a million elements and attributes",
                    lines.at(start));
      if (open > deepest)
        return fail(Errc::malformed, "more than 64 elements inside each other", lines.at(start));
    }
  }
  return {};
}

/// One walk over a <gpu>: keeps the cells that the table asks for, and looks at all for a lost GPU.
class GpuCells final : public pugi::xml_tree_walker {
 public:
  explicit GpuCells(const Lines& lines) : lines_{lines} {}

  bool for_each(pugi::xml_node& node) override {
    if (node.type() != pugi::node_element) {
      lost_ = lost_ || says_lost(node.value());
      return true;
    }
    const auto level = static_cast<std::size_t>(depth());
    ends_.resize(level + 1);
    path_.resize(level == 0 ? 0 : ends_[level - 1]);
    if (level > 0) path_ += '/';
    path_ += common_name(node.name());
    ends_[level] = path_.size();
    if (report_wants(path_)) cells_.try_emplace(path_, node);
    return true;
  }

  [[nodiscard]] std::optional<Cell> find(std::string_view name) const {
    const auto found = cells_.find(std::string(name));
    if (found != cells_.end())
      return Cell{found->second.text().get(), {}, lines_.of(found->second)};
    // <remapped_rows>N/A</remapped_rows>: a group that isn't there says so in place of its
    // elements.
    for (auto end = name.rfind('/'); end != name.npos; end = name.substr(0, end).rfind('/')) {
      const auto group = cells_.find(std::string(name.substr(0, end)));
      if (group == cells_.end()) continue;
      const std::string_view said = trim(group->second.text().get());
      if (said.empty() || !absence_in(said)) return {};
      return Cell{said, {}, lines_.of(group->second)};
    }
    return {};
  }

  [[nodiscard]] bool lost() const { return lost_; }

 private:
  const Lines& lines_;
  std::string path_;
  std::vector<std::size_t> ends_;  // of the path, by depth
  std::unordered_map<std::string, pugi::xml_node> cells_;
  bool lost_ = false;
};

/// How many compute processes a <gpu> lists; nothing when it says N/A in place of a list.
std::optional<ReportGpu::Count> count_processes(pugi::xml_node gpu, const Lines& lines) {
  const auto list = gpu.child("processes");
  const std::string_view said = trim(list.text().get());
  if (!list || (!said.empty() && said != "None")) return {};
  ReportGpu::Count count{0, lines.of(list)};
  for (const auto process : list.children("process_info"))
    count.number += type_computes(process.child("type").text().get()) ? 1U : 0U;
  return count;
}

std::optional<ReportGpu::Count> count_mig_instances(pugi::xml_node gpu, const Lines& lines) {
  const auto list = gpu.child("mig_devices");
  if (!list) return {};
  const auto instances = list.children("mig_device");
  return ReportGpu::Count{
      static_cast<std::size_t>(std::distance(instances.begin(), instances.end())), lines.of(list)};
}

ReportGpu gpu_in(pugi::xml_node node, std::size_t index, const Lines& lines) {
  const auto cells = std::make_shared<GpuCells>(lines);
  node.traverse(*cells);
  const auto bus = node.child("pci").child("pci_bus_id").text();
  const auto uuid = node.child("uuid");
  ReportGpu gpu;
  gpu.pci = gpuvet::pci_address(bus ? bus.get() : node.attribute("id").value()).value_or("");
  gpu.uuid = trim(uuid.text().get());
  gpu.line = lines.of(node);
  gpu.uuid_line = uuid ? lines.of(uuid) : 0;
  gpu.index = index;
  gpu.lost = cells->lost();
  gpu.mig_instances = count_mig_instances(node, lines);
  gpu.compute_processes = count_processes(node, lines);
  gpu.find = [cells](std::string_view name) { return cells->find(name); };
  return gpu;
}

Result<void> record_node(pugi::xml_node root, std::size_t gpus, const Lines& lines, Recorder& out) {
  out.tool("nvidia-smi -q -x");
  out.when(printable(trim(root.child("timestamp").text().get()).substr(0, 80)));
  const FindCell find = [&](std::string_view name) -> std::optional<Cell> {
    const auto node = root.child(std::string(name).c_str());
    if (!node) return {};
    return Cell{node.text().get(), {}, lines.of(node)};
  };
  GPUVET_CHECK(record_report_node(out, find));

  std::optional<double> attached;
  if (const auto cell = find("attached_gpus")) {
    GPUVET_TRY(attached, read_number("node.gpu.attached"_id, *cell));
  }
  const auto shown = static_cast<double>(gpus);
  if (gpus == 0 && attached != 0.0)
    return fail(Errc::malformed, "no <gpu> element", lines.of(root));
  if (attached == shown) return {};
  out.line(lines.of(root));
  out.number("node.gpu.attached"_id, "node", shown);
  out.detail("<gpu> elements counted");
  return {};
}

/// The warnings that nvidia-smi writes before its prolog or behind its root element, where no XML
/// belongs.
std::vector<ReportNote> notes_in(std::string_view text) {
  std::vector<ReportNote> notes;
  std::size_t line = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto here = trim(text.substr(0, end));
    ++line;
    if (!here.empty() && here.front() != '<' && notes.size() < most_gpus)
      if (auto note = report_note(here, line)) notes.push_back(*std::move(note));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return notes;
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(std::string text, read_all(source, largest_file));
  const auto bom = text.substr(0, 2);
  if (bom == "\xff\xfe" || bom == "\xfe\xff")
    return fail(Errc::malformed, "UTF-16 text (written by PowerShell?): save it as UTF-8", 1);
  const Lines lines{text};
  if (const auto nul = text.find('\0'); nul != text.npos)
    return fail(Errc::malformed, "holds a NUL byte: a binary or UTF-16 file, not text",
                lines.at(static_cast<std::ptrdiff_t>(nul)));
  GPUVET_CHECK(check_shape(text, lines));
  const auto notes = notes_in(text);

  pugi::xml_document document;
  const auto parsed = document.load_buffer_inplace(text.data(), text.size(), pugi::parse_default,
                                                   pugi::encoding_utf8);
  if (!parsed) return fail(Errc::malformed, parsed.description(), lines.at(parsed.offset));
  const auto root = document.document_element();
  if (std::string_view(root.name()) != "nvidia_smi_log")
    return fail(Errc::malformed, "the root element is not <nvidia_smi_log>", lines.of(root));
  if (const auto second = root.next_sibling("nvidia_smi_log"))
    return fail(Errc::malformed, "a second <nvidia_smi_log>: give one report a file",
                lines.of(second));

  std::vector<ReportGpu> gpus;
  for (const auto node : root.children("gpu")) {
    if (gpus.size() == most_gpus)
      return fail(Errc::too_large, "more than 1024 GPUs", lines.of(node));
    gpus.push_back(gpu_in(node, gpus.size(), lines));
  }
  GPUVET_CHECK(record_node(root, gpus.size(), lines, out));
  return record_report_gpus(out, gpus, notes);
}

/// The root element's name comes first, after BOM, prolog, comments and DOCTYPE.
bool recognises(std::string_view head) {
  if (head.substr(0, 3) == "\xef\xbb\xbf") head.remove_prefix(3);
  for (;;) {
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    if (head.substr(0, 4) == "<!--")
      head.remove_prefix(behind(head, "-->", 4));
    else if (head.substr(0, 2) == "<?")
      head.remove_prefix(behind(head, "?>", 2));
    else if (head.substr(0, 9) == "<!DOCTYPE") {
      const auto subset = head.find('[');
      const bool has_subset = subset < head.find('>');
      head.remove_prefix(has_subset ? behind(head, "]", subset) : 0);
      head.remove_prefix(behind(head, ">", 0));
    } else if (head.substr(0, 8) == "WARNING:")
      head.remove_prefix(behind(head, "\n", 8));
    else
      break;
  }
  constexpr std::string_view root = "<nvidia_smi_log";
  return head.substr(0, root.size()) == root && head.size() > root.size() &&
         std::string_view(" \t\r\n/>").find(head[root.size()]) != std::string_view::npos;
}

}  // namespace

Importer nvidia_smi_xml() {
  return {"nvidia_smi_xml", "nvidia-smi -q -x", "nvidia-smi -q -x > nvidia-smi.xml", recognises,
          read};
}

}  // namespace gpuvet::ingest
