// SPDX-License-Identifier: Apache-2.0
// `ibv_devinfo`: one block for each device, one below it for each port. Without -v it says no rate;
// with it, lanes and the rate of one lane.
#include <fmt/format.h>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/rdma_port.hpp"

namespace gpuvet::ingest {
namespace {

bool recognises(std::string_view head) {
  bool device = false;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = trim(head.substr(0, end));
    head.remove_prefix(std::min(end + 1, head.size()));
    if (line == "No IB devices found") return true;
    if (line.starts_with("hca_id:")) device = true;
    if (device && line.starts_with("transport:")) return true;
  }
  return false;
}

class Reader {
 public:
  explicit Reader(Recorder& out) : blocks_{out} {}

  Result<void> line(std::string_view line, std::size_t number) {
    if (line == "No IB devices found")
      return fail(Errc::not_found, "ibv_devinfo found no RDMA device: is the driver loaded?",
                  number);
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) return {};
    const auto key = line.substr(0, colon), value = trim(line.substr(colon + 1));
    if (key == "hca_id") return device(value, number);
    if (key == "port") return blocks_.port(value, number);
    if (key == "vendor_id") mellanox_ = value == "0x02c9" || value == "0x2c9";
    // ibstat and sysfs name NVIDIA's adapters so, and this tool gives only the number.
    if (key == "vendor_part_id" && mellanox_)
      return blocks_.fact("CA type", fmt::format("MT{}", value.substr(0, 8)), number);
    if (key == "active_width") lanes_ = parse_number(value.substr(0, value.find_first_of("Xx")));
    if (key == "active_speed" && lanes_) {
      const auto each = parse_number(value.substr(0, value.find(' ')));
      if (!each || !contains(value, "Gbps"))
        return fail(Errc::malformed, "active_speed is no rate in Gbps", number);
      return blocks_.fact("rate", format_number(*lanes_ * *each), number);
    }
    return blocks_.fact(key, value, number);
  }

  Result<void> finish(std::size_t line) { return blocks_.finish("ibv_devinfo", line); }

 private:
  Result<void> device(std::string_view name, std::size_t number) {
    mellanox_ = false;
    lanes_.reset();
    return blocks_.device(name, number);
  }

  RdmaBlocks blocks_;
  std::optional<double> lanes_;
  bool mellanox_ = false;
};

Result<void> read(ByteSource& source, Recorder& out) {
  out.tool("ibv_devinfo");
  LineReader lines{source};
  Reader reader{out};
  while (const auto raw = lines.next()) GPUVET_CHECK(reader.line(trim(*raw), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return reader.finish(lines.line());
}

}  // namespace

Importer ibv_devinfo() {
  return {"ibv_devinfo", "ibv_devinfo", "ibv_devinfo -v > ibv_devinfo.txt", recognises, read};
}

}  // namespace gpuvet::ingest
