// SPDX-License-Identifier: Apache-2.0
// Documents of a management controller's Redfish service: one resource, a list of them, or a whole
// tree keyed by address, as mock-up tools dump it. Each object with a known @odata.type is read
// where it stands, so expanded collections need nothing special.
#include <algorithm>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/redfish_resources.hpp"

namespace gpuvet::ingest {
namespace {

using bmc::Context;

constexpr std::size_t largest_file = std::size_t{64} << 20;
constexpr std::size_t most_failures = 200;

/// "Thermal" of "#Thermal.v1_5_2.Thermal". Empty for a part of another resource, such as
/// "#Power.v1_7_1.PowerSupply", which the reader of the whole looks at.
std::string_view resource_type(const JsonNode& node) {
  std::string_view type = node.words("@odata.type");
  if (!type.starts_with('#')) return {};
  type.remove_prefix(1);
  const auto space = type.substr(0, type.find('.'));
  return type.substr(type.rfind('.') + 1) == space ? space : std::string_view{};
}

bool is_opening(char c) { return c == '{' || c == '['; }

/// Where the JSON starts: at the first line that begins with a bracket. What stands above may be a
/// prompt, the fence of a paste or the headers that `curl -i` prints.
std::optional<std::size_t> json_begin(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const auto first = text.find_first_not_of(" \t\r\xef\xbb\xbf", at);
    if (first != std::string_view::npos && is_opening(text[first])) return first;
    const auto end = text.find('\n', at);
    if (end == std::string_view::npos) break;
    at = end + 1;
  }
  return {};
}

bool recognises(std::string_view head) {
  const auto begin = json_begin(head);
  if (!begin) return false;
  const auto json = head.substr(*begin);
  return contains(json, "\"@odata.type\"") || contains(json, "\"@Message.ExtendedInfo\"") ||
         (contains(json, "\"@odata.id\"") && contains(json, "/redfish/v1"));
}

class Tree {
 public:
  explicit Tree(Recorder& out) : context_{out} {}

  Result<void> read(const JsonNode& root) {
    if (const JsonNode* error = root.at("error")) return refuse_answer(*error);
    visit(root);
    if (!known_)
      return fail(Errc::malformed, "no Redfish resource: nothing in it has an @odata.type",
                  root.line);
    finish();
    return {};
  }

 private:
  /// The controller's own error in place of a resource.
  static Result<void> refuse_answer(const JsonNode& error) {
    std::string said(error.words("message"));
    for (const JsonNode& info : error.list("@Message.ExtendedInfo")) {
      const auto message = info.words("Message");
      const auto id = info.words("MessageId");
      if (!message.empty() || !id.empty()) said = std::string(message.empty() ? id : message);
      break;
    }
    return fail(Errc::vendor_failure,
                "the management controller answered with an error instead of a resource: " +
                    bmc::name_of(said),
                error.line);
  }

  // The parser bounds the depth.
  void visit(const JsonNode& node) {
    const auto type = resource_type(node);
    if (!type.empty()) {
      known_ = true;
      if (const auto reader = bmc::reader_of(type)) reader(context_, node);
    }
    for (const JsonNode& item : node.items) visit(item);
  }

  void finish() {
    Recorder& out = context_.out;
    out.tool("Redfish", context_.version);
    if (context_.log_entries > 0) {
      out.line(context_.log_line);
      if (context_.failures.size() > most_failures) context_.failures.resize(most_failures);
      out.texts("bmc.sel.critical"_id, "bmc", std::move(context_.failures));
    }
    // One processor's cores are the server's only when no other processor is missing.
    if (context_.cores_stated || !context_.sockets || context_.cpus.empty() ||
        static_cast<double>(context_.cpus.size()) != *context_.sockets)
      return;
    if (context_.cores > 0) out.number("node.cpu.cores"_id, "node", context_.cores);
    if (context_.threads > 0) out.number("node.cpu.threads"_id, "node", context_.threads);
  }

  Context context_;
  bool known_ = false;
};

Result<void> read(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string text, read_all(source, largest_file));
  const auto begin = json_begin(text);
  if (!begin) return fail(Errc::malformed, "no JSON: no line starts with a bracket", 1);
  std::string_view json = std::string_view(text).substr(*begin);
  if (json.size() > 3 && trim(json).ends_with("```")) json = json.substr(0, json.rfind("```"));
  const auto above =
      static_cast<std::size_t>(std::ranges::count(std::string_view(text).substr(0, *begin), '\n'));
  GPUVET_TRY(const JsonNode root, parse_json_tree(json, above + 1));
  return Tree(out).read(root);
}

}  // namespace

Importer redfish() {
  return {"redfish", "Redfish", "curl -ks -u USER https://BMC/redfish/v1/Systems/1 > system.json",
          recognises, read};
}

}  // namespace gpuvet::ingest
