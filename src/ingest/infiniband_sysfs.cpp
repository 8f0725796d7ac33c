// SPDX-License-Identifier: Apache-2.0
// /sys/class/infiniband as text, one file a line: "mlx5_0/ports/1/state: 4: ACTIVE", or with the
// whole path and no blank, as `grep -r . /sys/class/infiniband/*/` prints it.
#include <fmt/format.h>

#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

struct Entry {
  std::string_view device, port, key, value;
};

std::optional<Entry> entry_in(std::string_view line) {
  constexpr std::string_view root = "/sys/class/infiniband/", ports = "ports/";
  constexpr std::size_t longest_path = 256;
  if (line.starts_with(root)) line.remove_prefix(root.size());
  const auto colon = line.substr(0, longest_path).find(':');
  const auto slash = line.substr(0, longest_path).find('/');
  if (colon == std::string_view::npos || slash == std::string_view::npos || slash > colon)
    return {};
  Entry entry{line.substr(0, slash),
              {},
              line.substr(slash + 1, colon - slash - 1),
              trim(line.substr(colon + 1))};
  if (!is_rdma_device(entry.device)) return {};
  if (entry.key.starts_with(ports)) {
    const auto end = entry.key.find('/', ports.size());
    if (end == std::string_view::npos) return {};
    entry.port = entry.key.substr(ports.size(), end - ports.size());
    entry.key.remove_prefix(end + 1);
  }
  return entry;
}

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto entry = entry_in(trim(head.substr(0, end)));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (!entry || entry->port.empty() || !parse_integer(entry->port.substr(0, 3))) continue;
    if (entry->key == "state" || entry->key == "rate" || entry->key.starts_with("counters/") ||
        entry->key == "link_layer" || entry->key.starts_with("gid_attrs/"))
      return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("/sys/class/infiniband");
  LineReader lines{source};
  std::set<std::string, std::less<>> devices, ports;
  while (const auto raw = lines.next()) {
    const auto entry = entry_in(trim(*raw));
    if (!entry) continue;
    const auto device = rdma_subject(entry->device, 1);
    std::string port;
    if (!entry->port.empty()) {
      const auto number = entry->port.size() > 3 ? std::nullopt : parse_integer(entry->port);
      if (!number || *number < 1)
        return fail(Errc::malformed, fmt::format("\"{}\" is no port", printable(entry->port)),
                    lines.line());
      port = rdma_subject(entry->device, *number);
      ports.insert(port);
    }
    out.line(lines.line());
    if (devices.insert(device).second) out.flag("nic.rdma"_id, device, true);
    if (devices.size() + ports.size() > 2 * most_rdma_ports)
      return fail(Errc::too_large, fmt::format("more than {} ports", most_rdma_ports),
                  lines.line());
    // Facts of a port have keys of their own, except that both have a state of their own kind.
    const bool fits = !port.empty() || entry->key == "fw_ver" || entry->key == "hca_type" ||
                      entry->key == "node_guid" || entry->key == "device/numa_node";
    if (fits) GPUVET_CHECK(record_rdma(out, device, port, entry->key, entry->value, lines.line()));
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (ports.empty()) return fail(Errc::malformed, "no file of a port", lines.line());
  return {};
}

}  // namespace

Importer infiniband_sysfs() {
  return {"infiniband_sysfs", "/sys/class/infiniband",
          "grep -r . /sys/class/infiniband/*/ > infiniband.txt", recognises, read};
}

}  // namespace gpuvet::ingest
