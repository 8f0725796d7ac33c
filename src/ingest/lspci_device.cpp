// SPDX-License-Identifier: Apache-2.0
#include "ingest/lspci_device.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::string_view hex_digits = "0123456789abcdefABCDEF";
constexpr std::size_t longest_name = 120;

bool is_hex(std::string_view s, std::size_t digits) {
  return s.size() == digits && s.find_first_not_of(hex_digits) == std::string_view::npos;
}

/// Cuts " (rev a1)" and the like off the end, and says what stood in the parentheses.
std::string_view cut_parenthesis(std::string_view& text, std::string_view key) {
  const auto begin = text.rfind(key);
  if (begin == std::string_view::npos) return {};
  const auto close = text.find(')', begin);
  if (close == std::string_view::npos) return {};
  const auto inside = text.substr(begin + key.size(), close - begin - key.size());
  text = trim(text.substr(0, begin));
  return inside;
}

}  // namespace

PciName read_pci_name(std::string_view text) {
  PciName out;
  text = trim(text);
  cut_parenthesis(text, " (prog-if ");
  out.gone = cut_parenthesis(text, " (rev ") == "ff";
  constexpr std::size_t ids = 11;  // "[10de:20b2]"
  if (text.size() >= ids && text.back() == ']') {
    const auto inside = text.substr(text.size() - ids + 1, ids - 2);
    if (text[text.size() - ids] == '[' && is_hex(inside.substr(0, 4), 4) && inside[4] == ':' &&
        is_hex(inside.substr(5), 4)) {
      out.vendor = lower(inside.substr(0, 4));
      out.device = lower(inside.substr(5));
      text = trim(text.substr(0, text.size() - ids));
    }
  } else if (text.size() == 9 && text[4] == ':' && is_hex(text.substr(0, 4), 4) &&
             is_hex(text.substr(5), 4)) {  // lspci -n: ids only
    out.vendor = lower(text.substr(0, 4));
    out.device = lower(text.substr(5));
  }
  // lspci writes "Device 20b2" for what its list of ids lacks, and with -nn "Device [10de:20b2]".
  // One spelling for both, or the two listings of a machine would contradict each other.
  constexpr std::string_view unknown = "Device";
  out.text = printable(text.substr(0, longest_name));
  if (text == unknown || text.ends_with(" Device")) {
    if (!out.device.empty()) out.text += " " + out.device;
  } else if (const auto last = text.rfind(' '); last != std::string_view::npos) {
    if (text.substr(0, last).ends_with(unknown) && is_hex(text.substr(last + 1), 4))
      out.device = lower(text.substr(last + 1));
  }
  return out;
}

bool is_nvidia(const PciName& name) {
  if (!name.vendor.empty()) return name.vendor == "10de";
  return lower(std::string_view(name.text).substr(0, 7)) == "nvidia ";
}

std::string read_pci_address(std::string_view text) {
  if (auto address = pci_address(text)) return text.find('.') == text.npos ? "" : *address;
  // Intel's VMD puts its drives into domains from 10000 on.
  const auto colon = text.find(':');
  if (colon == std::string_view::npos || colon < 5 || colon > 8) return {};
  if (!is_hex(text.substr(0, colon), colon) || !pci_address(text.substr(colon + 1))) return {};
  return lower(text);
}

void record_gpu_path(Recorder& out, const std::string& gpu, const PciPath& path) {
  if (path.bridges.empty()) {
    // Hypervisors show a GPU beside the host bridge, whatever really lies in between.
    for (const Id id : {"gpu.pci.root"_id, "gpu.pci.upstream"_id, "gpu.pci.switches"_id})
      out.absent(id, gpu, Absence::not_supported,
                 "no port above the GPU is shown: a virtual machine hides the real tree");
    return;
  }
  out.text("gpu.pci.root"_id, gpu, path.root);
  // Root port, then an upstream and a downstream port for each switch.
  const std::size_t ports = path.bridges.size();
  out.text("gpu.pci.upstream"_id, gpu, path.bridges[ports > 1 ? ports - 2 : 0]);
  out.number("gpu.pci.switches"_id, gpu, static_cast<double>((ports - 1) / 2));
}

}  // namespace gpuvet::ingest
