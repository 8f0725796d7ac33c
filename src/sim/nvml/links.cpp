// SPDX-License-Identifier: Apache-2.0
// NVLinks, and how near two GPUs are.
#include <algorithm>
#include <cctype>
#include <cstring>
#include <vector>

#include "core/text.hpp"
#include "sim/nvml/exports.hpp"
#include "sim/nvml/state.hpp"

namespace nvml = gpuvet::nvml;
namespace sim = gpuvet::sim;
using nvml::Device;
using nvml::Return;
using sim::ask;
using sim::Gpu;
using sim::NvLink;
using sim::put;

namespace {

template <class Answer>
Return ask_link(const char* function, Device d, unsigned number, Answer answer) {
  return ask(function, d, [&](const Gpu& g) {
    if (g.links.empty()) return Return::not_supported;
    if (number >= g.links.size()) return Return::invalid_argument;
    return answer(g, g.links[number]);
  });
}

template <class Info>
Return fill_remote(const NvLink& link, Info* to) {
  if (to == nullptr) return Return::invalid_argument;
  if (!link.up) return Return::not_supported;
  std::string address = link.remote;
  for (auto& c : address) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  const auto part = [&](std::size_t at, std::size_t digits) {
    return static_cast<unsigned>(gpuvet::parse_integer(address.substr(at, digits), 16).value_or(0));
  };
  std::memset(to, 0, sizeof *to);
  to->domain = part(0, 4);
  to->bus = part(5, 2);
  to->device = part(8, 2);
  to->device_id = link.to_switch ? 0x1af110deU : 0x20b210deU;
  std::memcpy(to->bus_id_legacy, address.c_str(), address.size() + 1);
  if constexpr (sizeof(Info) > sizeof(nvml::PciInfo2)) {
    const auto wide = "0000" + address;
    std::memcpy(to->bus_id, wide.c_str(), wide.size() + 1);
  }
  return Return::success;
}

}  // namespace

Return nvmlDeviceGetNvLinkState(Device d, unsigned number, unsigned* to) {
  return ask_link(__func__, d, number,
                  [&](const Gpu&, const NvLink& link) { return put(to, link.up); });
}
Return nvmlDeviceGetNvLinkVersion(Device d, unsigned number, unsigned* to) {
  constexpr unsigned third = 4, fourth = 6, fifth = 7;
  return ask_link(__func__, d, number, [&](const Gpu& g, const NvLink&) {
    return put(to, g.architecture == "Hopper"      ? fourth
                   : g.architecture == "Blackwell" ? fifth
                                                   : third);
  });
}
Return nvmlDeviceGetNvLinkCapability(Device d, unsigned number, unsigned capability, unsigned* to) {
  constexpr unsigned valid = 5;  // of peer access, system memory and atomics over both
  return ask_link(__func__, d, number, [&](const Gpu&, const NvLink& link) {
    return put(to, link.up && capability <= valid && capability != 1 && capability != 3);
  });
}
Return nvmlDeviceGetNvLinkRemotePciInfo_v2(Device d, unsigned number, nvml::PciInfo* to) {
  return ask_link(__func__, d, number,
                  [&](const Gpu&, const NvLink& link) { return fill_remote(link, to); });
}
Return nvmlDeviceGetNvLinkRemotePciInfo(Device d, unsigned number, nvml::PciInfo2* to) {
  return ask_link(__func__, d, number,
                  [&](const Gpu&, const NvLink& link) { return fill_remote(link, to); });
}
Return nvmlDeviceGetNvLinkRemoteDeviceType(Device d, unsigned number, unsigned* to) {
  return ask_link(__func__, d, number, [&](const Gpu&, const NvLink& link) {
    return link.up ? put(to, link.to_switch ? nvml::link_switch : nvml::link_gpu)
                   : Return::not_supported;
  });
}
Return nvmlDeviceGetNvLinkErrorCounter(Device d, unsigned number, unsigned counter,
                                       unsigned long long* to) {
  return ask_link(__func__, d, number, [&](const Gpu&, const NvLink& link) {
    switch (counter) {
      case nvml::replay:
        return put(to, link.replay);
      case nvml::recovery:
        return put(to, link.recovery);
      case nvml::crc_flit:
        return put(to, link.crc_flit);
      case nvml::crc_data:
        return put(to, link.crc_data);
      case nvml::ecc_data:
        return put(to, link.ecc);
      default:
        return Return::invalid_argument;
    }
  });
}

namespace {

/// Answers about a pair; the second may be lost too.
template <class Answer>
Return ask_pair(const char* function, Device a, Device b, Answer answer) {
  return ask(function, a, [&](const Gpu& one) {
    const auto* other = sim::State::get().gpu(b);
    if (other == nullptr) return Return::invalid_argument;
    return other->lost ? Return::gpu_is_lost : answer(one, *other);
  });
}

bool joined(const Gpu& a, const Gpu& b) {
  const auto reaches = [](const Gpu& from, const Gpu& to) {
    return std::any_of(from.links.begin(), from.links.end(), [&](const NvLink& l) {
      return l.up && (l.to_switch || l.remote == to.place.address());
    });
  };
  return reaches(a, b) && reaches(b, a);
}

}  // namespace

Return nvmlDeviceGetP2PStatus(Device a, Device b, unsigned capability, unsigned* to) {
  constexpr unsigned nvlink = 2, ok = 0, not_supported = 5;
  return ask_pair(__func__, a, b, [&](const Gpu& one, const Gpu& other) {
    return put(to, capability != nvlink || joined(one, other) ? ok : not_supported);
  });
}
Return nvmlDeviceGetTopologyCommonAncestor(Device a, Device b, unsigned* to) {
  return ask_pair(__func__, a, b, [&](const Gpu& one, const Gpu& other) {
    return put(to, sim::common_ancestor(one.place, other.place));
  });
}
Return nvmlDeviceGetTopologyNearestGpus(Device d, unsigned level, unsigned* count, Device* to) {
  return ask(__func__, d, [&](const Gpu& g) {
    std::vector<Device> near;
    for (const auto& other : sim::State::get().world().gpus)
      if (!other.lost && other.index != g.index &&
          sim::common_ancestor(g.place, other.place) == level)
        near.push_back(sim::State::handle(other.index));
    if (to == nullptr) return put(count, near.size());
    return sim::put_list(near, count, to);
  });
}
