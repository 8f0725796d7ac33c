// SPDX-License-Identifier: Apache-2.0
// `ibdev2netdev`: "mlx5_0 port 1 ==> ib0 (Up)"; with -v, PCI address, part, firmware and the port's
// state come before the arrow. The state behind it is the network interface's, not the port's.
#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

struct Row {
  std::string_view pci, device, port, state, netdev;
};

std::optional<Row> row_in(std::string_view line) {
  constexpr std::size_t longest = 512;
  if (line.size() > longest) return {};
  const auto word = words(line);
  const auto arrow = std::find(word.begin(), word.end(), "==>");
  const auto port = std::find(word.begin(), arrow, "port");
  if (arrow == word.end() || arrow - port < 2 || word.end() - arrow < 3) return {};
  Row row;
  const bool verbose = pci_address(word[0]).has_value();
  if (verbose) row.pci = word[0];
  row.device = word[verbose ? 1 : 0];
  row.port = *(port + 1);
  if (arrow - port > 2) row.state = *(port + 2);
  row.netdev = *(arrow + 1);
  // "(Up)" or "(Down)" ends the row; without it the name before may be cut.
  const bool whole = *(arrow + 2) == "(Up)" || *(arrow + 2) == "(Down)";
  return whole && is_rdma_device(row.device) ? std::optional(row) : std::nullopt;
}

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (contains(line, " ==> ") && row_in(line)) return true;
  }
  return false;
}

Result<void> read_row(const Row& row, Recorder& out, std::size_t line) {
  const auto port = row.port.size() > 3 ? std::nullopt : parse_integer(row.port);
  if (!port || *port < 1)
    return fail(Errc::malformed, fmt::format("\"{}\" is no port", printable(row.port)), line);
  const auto device = rdma_subject(row.device, 1), subject = rdma_subject(row.device, *port);
  out.line(line);
  if (*port == 1) out.flag("nic.rdma"_id, device, true);
  if (const auto pci = pci_address(row.pci); pci && *port == 1)
    out.text("nic.pci.address"_id, device, *pci);
  if (row.state.size() > 2)
    GPUVET_CHECK(record_rdma(out, device, subject, "state",
                             row.state.substr(1, row.state.size() - 2), line));
  return record_rdma(out, device, subject, "netdev", row.netdev, line);
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("ibdev2netdev");
  LineReader lines{source};
  std::size_t rows = 0;
  while (const auto raw = lines.next()) {
    const auto row = row_in(trim(*raw));
    if (!row && contains(raw->substr(0, 512), " ==>"))
      return fail(Errc::malformed, "the row of a device is cut off", lines.line());
    if (!row) continue;
    if (++rows > most_rdma_ports)
      return fail(Errc::too_large, fmt::format("more than {} ports", most_rdma_ports),
                  lines.line());
    GPUVET_CHECK(read_row(*row, out, lines.line()));
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (rows == 0) return fail(Errc::malformed, "no row of a device", lines.line());
  return {};
}

}  // namespace

Importer ibdev2netdev() {
  return {"ibdev2netdev", "ibdev2netdev", "ibdev2netdev -v > ibdev2netdev.txt", recognises, read};
}

}  // namespace gpuvet::ingest
