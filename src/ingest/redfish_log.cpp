// SPDX-License-Identifier: Apache-2.0
// Event logs: how many entries, and which of them report a failed part.
#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/redfish_resources.hpp"

namespace gpuvet::ingest::bmc {
namespace {

constexpr std::size_t longest_text = 256;

bool is_true(const JsonNode* node) { return node != nullptr && node->flag; }

/// Whether an entry says that a part failed and nothing says that it was dealt with. HPE calls a
/// failed drive a warning ("Caution").
bool reports_failure(const JsonNode& entry) {
  if (is_true(entry.at("Resolved")) || is_true(entry.at("Oem/Hpe/Repaired"))) return false;
  const auto severity = entry.words("Severity");
  if (severity == "Critical") return true;
  if (severity != "Warning") return false;
  const auto message = entry.words("Message");
  return std::ranges::any_of(
      std::array<std::string_view, 4>{"failure", "failed", "uncorrectable", "should be replaced"},
      [&](std::string_view word) { return contains_ignoring_case(message, word); });
}

}  // namespace

/// A log whose members are mere links, or all of them.
void read_log(Context& context, const JsonNode& log) {
  const auto stated = log.number_at("Members@odata.count");
  const auto& members = log.list("Members");
  if (!stated && log.at("Members") == nullptr) return;
  context.out.line(log.line);
  context.out.number("bmc.sel.entries"_id, "bmc",
                     std::max(stated.value_or(0), static_cast<double>(members.size())));
  if (const auto service = address_part(log, "LogServices"); !service.empty())
    context.out.detail("log " + name_of(service));
}

void read_log_entry(Context& context, const JsonNode& entry) {
  constexpr std::size_t most = 1000;
  if (context.log_entries++ == 0) context.log_line = entry.line;
  if (!reports_failure(entry) || context.failures.size() >= most) return;
  std::string message(entry.words("Message").substr(0, longest_text));
  std::ranges::replace(message, '\n', ' ');
  message = printable(message);
  if (std::ranges::find(context.failures, message) == context.failures.end())
    context.failures.push_back(std::move(message));
}

}  // namespace gpuvet::ingest::bmc
