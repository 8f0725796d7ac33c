// SPDX-License-Identifier: Apache-2.0
// `rdma link`: a line for each port, "link mlx5_0/1 state ACTIVE physical_state LINK_UP netdev
// ib0", or "0/1: mlx5_0/1: ..." from older versions.
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

struct Link {
  std::string_view device, port;
  std::vector<std::string_view> pairs;  ///< key, value, key, value
};

std::optional<Link> link_in(std::string_view line) {
  constexpr std::size_t longest = 512;
  if (line.size() > longest) return {};
  auto word = words(line);
  std::string_view name;
  if (word.size() >= 6 && word[0] == "link")
    name = word[1];
  else if (word.size() >= 6 && word[0].ends_with(':') && word[1].ends_with(':'))
    name = word[1].substr(0, word[1].size() - 1);
  const auto slash = name.find('/');
  if (slash == std::string_view::npos) return {};
  if (std::find(word.begin(), word.end(), "state") == word.end()) return {};
  Link link{name.substr(0, slash), name.substr(slash + 1), {word.begin() + 2, word.end()}};
  return link;
}

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto link = link_in(trim(head.substr(0, end)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (link && is_rdma_device(link->device)) return true;
  }
  return false;
}

Result<void> read_link(const Link& link, Recorder& out, std::size_t line) {
  const std::int64_t port = link.port.size() > 3 ? 0 : parse_integer(link.port).value_or(0);
  if (!is_rdma_device(link.device) || port < 1)
    return fail(Errc::malformed,
                fmt::format("\"{}/{}\" is no port of a device", printable(link.device),
                            printable(link.port)),
                line);
  const auto device = rdma_subject(link.device, 1), subject = rdma_subject(link.device, port);
  out.line(line);
  if (port == 1) out.flag("nic.rdma"_id, device, true);
  // "lid" and "state" stand in the same row of pairs; what we don't know is passed over.
  bool physical = false;
  for (std::size_t i = 0; i + 1 < link.pairs.size(); i += 2) {
    GPUVET_CHECK(record_rdma(out, device, subject, link.pairs[i], link.pairs[i + 1], line));
    physical = physical || link.pairs[i] == "physical_state";
  }
  if (!physical) return fail(Errc::malformed, "the row is cut off before physical_state", line);
  return {};
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("rdma link");
  LineReader lines{source};
  std::size_t links = 0;
  while (const auto raw = lines.next()) {
    const auto line = trim(*raw);
    const auto link = link_in(line);
    if (!link && line.starts_with("link "))
      return fail(Errc::malformed, "the row of a link lacks its state", lines.line());
    if (!link) continue;
    if (++links > most_rdma_ports)
      return fail(Errc::too_large, fmt::format("more than {} links", most_rdma_ports),
                  lines.line());
    GPUVET_CHECK(read_link(*link, out, lines.line()));
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (links == 0) return fail(Errc::malformed, "no row of a link", lines.line());
  return {};
}

}  // namespace

Importer rdma_link() {
  return {"rdma_link", "rdma link", "rdma link > rdma_link.txt", recognises, read};
}

}  // namespace gpuvet::ingest
