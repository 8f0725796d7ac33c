// SPDX-License-Identifier: Apache-2.0
// `perfquery`: the counters of a port, "LinkDownedCounter:...............0". The port is known by
// its LID only: it goes by the alias "nic:lid#133".
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view details = "PortRcvErrorDetails";

/// "# Port extended counters: Lid 133 port 1 (CapMask: ...)", "# Port counters: Lid 5 port 1".
struct Header {
  std::string_view title;
  std::int64_t lid = 0, port = 0;
};

std::optional<Header> header_in(std::string_view line) {
  constexpr std::size_t longest = 256;
  if (!line.starts_with("# ") || line.size() > longest) return {};
  const auto colon = line.find(": Lid ");
  if (colon == std::string_view::npos) return {};
  const auto word = words(line.substr(colon + 2));
  if (word.size() < 4 || word[2] != "port") return {};
  const auto lid = parse_integer(word[1]), port = parse_integer(word[3]);
  if (!lid || !port || *lid < 0 || *port < 0 || *port > 255) return {};
  return Header{line.substr(2, colon - 2), *lid, *port};
}

bool recognises(std::string_view head) {
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (header_in(line)) return true;
    if (line.starts_with("PortSelect:....")) return true;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(Recorder& out) : out_{out} {}

  Result<void> line(std::string_view line, std::size_t number) {
    if (const auto header = header_in(line)) {
      GPUVET_CHECK(close(number));
      if (header->title.starts_with(details))
        return fail(Errc::not_supported,
                    "details of receive errors (perfquery -E) without the counters: "
                    "give the output of perfquery -x",
                    number);
      if (++ports_ > most_rdma_ports)
        return fail(Errc::too_large, fmt::format("more than {} ports", most_rdma_ports), number);
      device_ = fmt::format("nic:lid#{}", header->lid);
      // Port 255 asks for all ports of the device together.
      port_ = header->port <= 1 || header->port == 255
                  ? device_
                  : fmt::format("{}/{}", device_, header->port);
      waits_ = false;
      return {};
    }
    const auto colon = line.find(':');
    if (port_.empty() || colon == std::string_view::npos) return {};
    const auto key = line.substr(0, colon);
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of('.'), value.size()));
    waits_ = waits_ || key == "PortXmitWait";
    return record_rdma(out_, device_, port_, key, value, number);
  }

  /// The last of the counters that we keep; a figure above it may be cut.
  Result<void> close(std::size_t line) const {
    if (port_.empty() || waits_) return {};
    return fail(Errc::malformed,
                fmt::format("the counters of {} end before PortXmitWait: the file is cut off",
                            port_.substr(4)),
                line);
  }

  Result<void> finish(std::size_t line) const {
    GPUVET_CHECK(close(line));
    if (ports_ == 0) return fail(Errc::malformed, "no line says whose counters these are", line);
    return {};
  }

 private:
  Recorder& out_;
  std::string device_, port_;
  std::size_t ports_ = 0;
  bool waits_ = false;
};

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("perfquery");
  LineReader lines{source};
  Reader reader{out};
  while (const auto raw = lines.next()) GPUVET_CHECK(reader.line(trim(*raw), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.finish(lines.line());
}

}  // namespace

Importer perfquery() {
  return {"perfquery", "perfquery", "perfquery -x > perfquery.txt", recognises, read};
}

}  // namespace gpuvet::ingest
