// SPDX-License-Identifier: Apache-2.0
// declared.toml: what only documents say, each answer with its document. An answer left as the form
// came is not asked, never 0; an answer without a document is refused, and so is a key that the
// form doesn't have, since a typo would otherwise lose an answer.
#include "ingest/declared.hpp"

#include <fmt/format.h>
#include <toml++/toml.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/text.hpp"
#include "core/toml_text.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t largest_file = std::size_t{256} << 10;
constexpr std::size_t longest_text = 200;
constexpr std::size_t most_gpus = 64;

enum class Kind : std::uint8_t { text, cooling, count, number, management, matrix };

struct Question {
  std::string_view key;
  Id id;
  Kind kind;
  double factor;  ///< from the form's unit, which the key names, to the base unit
  std::string_view blank;
  std::string_view hint;
};

constexpr double year = 365. * 24 * 3600;

// clang-format off
constexpr std::array questions{
    Question{"certification", "node.certification"_id, Kind::text, 1, "\"\"", "e.g. NVIDIA-Certified, with the listing's address as document"},
    Question{"hot_swap_bays", "node.bays.hot_swap"_id, Kind::count, 1, "0", "of any kind"},
    Question{"hot_swap_nvme_bays", "node.bays.nvme"_id, Kind::count, 1, "0", ""},
    Question{"free_pcie4_x16_slots", "node.riser.slots"_id, Kind::count, 1, "0", "PCIe 4.0 or newer, with all GPUs and adapters of the offer in place"},
    Question{"dimm_slots", "node.dimm.slots"_id, Kind::count, 1, "0", ""},
    Question{"dimms_populated", "node.dimm.populated"_id, Kind::count, 1, "0", ""},
    Question{"cooling", "node.cooling"_id, Kind::cooling, 1, "\"\"", "air, liquid-to-air, liquid"},
    Question{"inlet_temperature_c", "node.temperature.inlet"_id, Kind::number, 1, "0.0", "air at the server's inlet where it will stand"},
    Question{"rack_power_kw", "node.rack.power"_id, Kind::number, 1e3, "0.0", "what the rack position can feed and cool"},
    Question{"bmc", "bmc.redfish.version"_id, Kind::management, 1, "\"\"", "IPMI 2.0, Redfish 1.15: protocols with their versions"},
    Question{"upgrade_path", "node.upgrade.path"_id, Kind::text, 1, "\"\"", "which GPUs can follow, what must be exchanged"},
    Question{"warranty_years", "node.warranty"_id, Kind::number, year, "0", ""},
    Question{"gpu_to_gpu", "node.gpu_to_gpu.matrix"_id, Kind::matrix, 1e9, "[[0, 0], [0, 0]]", "bandwidth in GB/s from GPU (row) to GPU (column), if the vendor publishes it"},
};
// clang-format on

/// What identifies the server that the form is about; needs no document.
struct Named {
  std::string_view key;
  Id id;
};
constexpr std::array names{Named{"vendor", "node.vendor"_id}, Named{"model", "node.model"_id}};

std::size_t line_of(const toml::node& node) { return node.source().begin.line; }

tl::unexpected<Error> wrong(const toml::node& node, std::string_view key, std::string_view what) {
  return fail(Errc::malformed, fmt::format("{}: {}", key, what), line_of(node));
}

std::optional<double> number_in(const toml::node& node) {
  if (!node.is_number()) return {};
  const auto value = node.value<double>();
  return value && std::isfinite(*value) ? value : std::nullopt;
}

std::string shown(std::string_view text) { return printable(trim(text).substr(0, longest_text)); }

/// Whether the value is what the form came with.
bool is_blank(const toml::node& value) {
  if (const auto text = value.value_exact<std::string_view>()) return trim(*text).empty();
  if (const auto number = number_in(value)) return *number == 0;
  const toml::array* list = value.as_array();
  return list != nullptr && std::all_of(list->begin(), list->end(), is_blank);
}

using Rows = std::vector<std::vector<double>>;

/// A square matrix of bandwidths; the diagonal may hold anything.
Result<Rows> matrix_in(const toml::node& value, std::string_view key) {
  const toml::array* rows = value.as_array();
  if (rows == nullptr || rows->size() < 2 || rows->size() > most_gpus)
    return wrong(value, key, "must be a list of 2 to 64 rows");
  Rows out;
  for (const auto& row : *rows) {
    const toml::array* cells = row.as_array();
    if (cells == nullptr || cells->size() != rows->size())
      return wrong(row, key, fmt::format("each row must have {} figures", rows->size()));
    auto& figures = out.emplace_back();
    for (const auto& cell : *cells) {
      const auto figure = number_in(cell);
      if (!figure || *figure < 0 || *figure > 1e6)
        return wrong(cell, key, "must hold figures in GB/s");
      figures.push_back(*figure);
    }
  }
  return out;
}

/// "1.15" of "IPMI 2.0, Redfish 1.15" after `protocol`; empty when it is named without a version,
/// nothing when it isn't named.
std::optional<std::string> version_of(std::string_view text, std::string_view protocol) {
  const std::string low = lower(text);
  const auto at = low.find(protocol);
  if (at == std::string::npos) return {};
  auto rest = trim(text.substr(at + protocol.size()));
  if (rest.starts_with('v') || rest.starts_with('V')) rest.remove_prefix(1);
  auto version = rest.substr(0, rest.find_first_not_of("0123456789."));
  while (version.ends_with('.')) version.remove_suffix(1);
  return std::string(version);
}

/// An answer: { value = …, document = "…", page = 0 }.
struct Answer {
  const toml::node* value = nullptr;
  std::string source;  ///< document and page, in words; empty when the form was left blank
};

Result<Answer> answer_in(const toml::node& node, std::string_view key) {
  const toml::table* table = node.as_table();
  if (table == nullptr)
    return wrong(node, key, "must be { value = …, document = \"…\", page = … }");
  Answer out;
  for (const auto& [name, member] : *table)
    if (name != "value" && name != "document" && name != "page")
      return wrong(member, key, fmt::format("has no member {}", shown(name.str())));
  out.value = table->get("value");
  if (out.value == nullptr) return wrong(node, key, "has no value");
  const toml::node* document = table->get("document");
  if (document != nullptr && !document->is_string())
    return wrong(*document, key, "document must be text");
  const std::string title =
      document == nullptr ? std::string() : shown(document->value_or(std::string_view{}));
  std::int64_t page = 0;
  if (const toml::node* p = table->get("page")) {
    const auto number = p->value_exact<std::int64_t>();
    if (!number || *number < 0 || *number > 1'000'000)
      return wrong(*p, key, "page must be a number");
    page = *number;
  }
  if (title.empty() && !is_blank(*out.value))
    return wrong(node, key, "has a value and no document that says so");
  out.source = title;
  if (!title.empty() && page > 0) out.source += fmt::format(", page {}", page);
  return out;
}

class Form {
 public:
  explicit Form(Recorder& out) : out_{out} {}

  Result<void> read(const toml::table& root) {
    for (const auto& [key, node] : root)
      if (key != "server")
        return fail(
            Errc::malformed,
            fmt::format("unknown key {}: all answers stand below [server]", shown(key.str())),
            line_of(node));
    const toml::node* found = root.get("server");
    const toml::table* server = found == nullptr ? nullptr : found->as_table();
    if (server == nullptr) return fail(Errc::malformed, "there is no table [server]", 1);
    out_.tool("declared.toml");
    out_.how(How::claimed);
    for (const auto& [key, node] : *server) GPUVET_CHECK(read_key(key.str(), node));
    return {};
  }

 private:
  Result<void> read_key(std::string_view key, const toml::node& node) {
    out_.line(line_of(node));
    if (const auto* n = std::ranges::find(names, key, &Named::key); n != names.end()) {
      const auto text = node.value_exact<std::string_view>();
      if (!text) return wrong(node, key, "must be text");
      if (!trim(*text).empty()) out_.text(n->id, "node", shown(*text));
      return {};
    }
    const auto* q = std::ranges::find(questions, key, &Question::key);
    if (q == questions.end())
      return fail(Errc::malformed, fmt::format("unknown key {}", shown(key)), line_of(node));
    GPUVET_TRY(const Answer answer, answer_in(node, key));
    if (answer.source.empty()) {
      out_.absent(q->id, "node", Absence::not_asked, "left blank in the form");
      return {};
    }
    return read_answer(*q, answer);
  }

  Result<void> read_answer(const Question& q, const Answer& answer) {
    const toml::node& value = *answer.value;
    out_.line(line_of(value));
    if (q.kind == Kind::matrix) return read_matrix(q, answer);
    if (q.kind == Kind::count || q.kind == Kind::number) {
      const auto number = number_in(value);
      if (!number) return wrong(value, q.key, "must be a number");
      if (*number < 0 || *number > 1e6) return wrong(value, q.key, "cannot be that number");
      if (q.kind == Kind::count && std::nearbyint(*number) != *number)
        return wrong(value, q.key, "must be a whole number");
      out_.number(q.id, "node", *number * q.factor);
      out_.detail(answer.source);
      return {};
    }
    const auto text = value.value_exact<std::string_view>();
    if (!text) return wrong(value, q.key, "must be text");
    if (trim(*text).empty()) return wrong(value, q.key, "names a document and no answer");
    if (q.kind == Kind::management) return read_management(q, value, shown(*text), answer);
    const std::string said = q.kind == Kind::cooling ? lower(shown(*text)) : shown(*text);
    if (q.kind == Kind::cooling && said != "air" && said != "liquid-to-air" && said != "liquid")
      return wrong(value, q.key, "must be air, liquid-to-air or liquid");
    out_.text(q.id, "node", said);
    out_.detail(answer.source);
    return {};
  }

  Result<void> read_management(const Question& q, const toml::node& value, std::string_view text,
                               const Answer& answer) {
    bool named = false;
    for (const auto& [protocol, id] :
         {std::pair<std::string_view, Id>{"ipmi", "bmc.ipmi.version"_id},
          std::pair<std::string_view, Id>{"redfish", q.id}}) {
      const auto version = version_of(text, protocol);
      if (!version) continue;
      named = true;
      if (version->empty()) {
        out_.absent(id, "bmc", Absence::malformed, answer.source + " names no version");
        continue;
      }
      out_.text(id, "bmc", *version);
      out_.detail(answer.source);
    }
    return named ? Result<void>{} : wrong(value, q.key, "names neither IPMI nor Redfish");
  }

  Result<void> read_matrix(const Question& q, const Answer& answer) {
    GPUVET_TRY(const Rows rows, matrix_in(*answer.value, q.key));
    Column from{"from", Unit::none, {}}, to{"to", Unit::none, {}};
    Column bandwidth{"bandwidth", Unit::byte_per_second, {}};
    for (std::size_t i = 0; i < rows.size(); ++i)
      for (std::size_t j = 0; j < rows.size(); ++j) {
        if (i == j) continue;
        from.values.push_back(static_cast<double>(i));
        to.values.push_back(static_cast<double>(j));
        bandwidth.values.push_back(rows[i][j] * q.factor);
      }
    Table table;
    table.name = "gpu_to_gpu";
    table.subject = "node";
    table.columns = {std::move(from), std::move(to), std::move(bandwidth)};
    out_.table(std::move(table));
    out_.flag(q.id, "node", true);
    out_.detail(answer.source);
    return {};
  }

  Recorder& out_;
};

bool recognises(std::string_view head) {
  bool server = false;
  for (const auto raw : split(head, '\n')) {
    const auto line = trim(raw);
    if (line.starts_with("[server]")) server = true;
    if (!server) continue;
    const auto key = trim(line.substr(0, line.find('=')));
    if (std::ranges::find(questions, key, &Question::key) != questions.end() ||
        std::ranges::find(names, key, &Named::key) != names.end())
      return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string text, read_all(source, largest_file));
  GPUVET_CHECK(check_toml(text));
  const toml::parse_result parsed = toml::parse(std::string_view(text));
  if (!parsed)
    return fail(Errc::malformed, "not TOML: " + shown(parsed.error().description()),
                parsed.error().source().begin.line);
  return Form(out).read(parsed.table());
}

}  // namespace

std::string declared_form() {
  std::string out =
      "# What only documents say. Leave out what does not apply, or leave it as it is; give the\n"
      "# document and, where it has pages, the page for each answer. Only a 0 with a document is a "
      "0.\n"
      "\n[server]\n";
  for (const Named& n : names) out += fmt::format("{} = \"\"\n", n.key);
  for (const Question& q : questions)
    out +=
        fmt::format("\n{}{} = {{ value = {}, document = \"\", page = 0 }}\n",
                    q.hint.empty() ? std::string() : fmt::format("# {}\n", q.hint), q.key, q.blank);
  return out;
}

Importer declared() {
  return {"declared", "declared.toml", "gpuvet request --out FOLDER, then fill in declared.toml",
          recognises, read};
}

}  // namespace gpuvet::ingest
