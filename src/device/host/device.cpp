// SPDX-License-Identifier: Apache-2.0
#include "device/host/host.hpp"

#include <sched.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include "core/text.hpp"
#include "platform/root.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device {
namespace {

std::byte* pointer(std::uint64_t address) { return reinterpret_cast<std::byte*>(address); }

/// "0-3,8" of /sys.
std::vector<int> processors_in(std::string_view list) {
  std::vector<int> out;
  for (const auto part : split(list, ',')) {
    const auto dash = part.find('-');
    const auto first = parse_integer(trim(part.substr(0, dash)));
    const auto last = dash == std::string_view::npos ? first : parse_integer(part.substr(dash + 1));
    if (!first || !last || *last - *first > 4096) continue;
    for (auto i = *first; i <= *last; ++i) out.push_back(static_cast<int>(i));
  }
  return out;
}

/// Those of `processors` that this process may use.
std::vector<int> allowed(const std::vector<int>& processors) {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return processors;
  std::vector<int> out;
  for (const int i : processors)
    if (i < CPU_SETSIZE && CPU_ISSET(static_cast<std::size_t>(i), &set)) out.push_back(i);
  return out;
}

/// One thread of each core: a second one adds no bandwidth.
std::vector<int> one_of_each_core(const platform::Root& root, const std::vector<int>& processors) {
  std::vector<int> out;
  for (const int i : processors) {
    const auto siblings = root.line("/sys/devices/system/cpu/cpu" + std::to_string(i) +
                                    "/topology/thread_siblings_list");
    const auto first = siblings ? processors_in(*siblings) : std::vector<int>{};
    if (first.empty() || first.front() == i) out.push_back(i);
  }
  return out;
}

std::string processor_name(const platform::Root& root) {
  const auto text = root.read("/proc/cpuinfo");
  if (text)
    for (const auto line : split(*text, '\n'))
      if (line.starts_with("model name")) return std::string(trim(line.substr(line.find(':') + 1)));
  return "host";
}

std::uint64_t cache_bytes(const platform::Root& root) {
  std::uint64_t out = 0;
  for (int i = 0; i < 8; ++i) {
    const auto size =
        root.line("/sys/devices/system/cpu/cpu0/cache/index" + std::to_string(i) + "/size");
    if (!size) continue;
    const auto number = parse_integer(std::string_view(*size).substr(0, leading_digits(*size)));
    const std::uint64_t unit = size->ends_with('M') ? 1U << 20 : 1U << 10;
    if (number) out = std::max(out, static_cast<std::uint64_t>(*number) * unit);
  }
  return out;
}

}  // namespace

Result<std::vector<std::unique_ptr<Device>>> host_devices() {
  const platform::Root root;
  const auto pages = static_cast<std::uint64_t>(::sysconf(_SC_PHYS_PAGES));
  const auto free_pages = static_cast<std::uint64_t>(::sysconf(_SC_AVPHYS_PAGES));
  const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
  Properties common;
  common.name = processor_name(root);
  common.subject = "node";
  common.cache = cache_bytes(root);
  std::vector<std::unique_ptr<Device>> out;
  const auto nodes = root.list("/sys/devices/system/node");
  // What is found is the node's, unless there are several and it matters which.
  const auto add = [&](int numa, const std::vector<int>& processors, std::uint64_t share) {
    auto mine = one_of_each_core(root, allowed(processors));
    if (mine.empty()) return;
    Properties own = common;
    own.index = static_cast<int>(out.size());
    own.numa = numa;
    if (share > 1) own.subject = "numa:" + std::to_string(numa);
    own.processors = static_cast<int>(mine.size());
    own.memory = pages * page / share;
    out.push_back(std::make_unique<HostDevice>(own, std::move(mine), free_pages * page / share));
  };
  std::vector<std::pair<int, std::vector<int>>> found;
  for (const auto& node : nodes ? *nodes : std::vector<std::string>{}) {
    if (!node.starts_with("node")) continue;
    const auto number = parse_integer(node.substr(4));
    const auto list = root.line("/sys/devices/system/node/" + node + "/cpulist");
    if (number && list) found.emplace_back(static_cast<int>(*number), processors_in(*list));
  }
  for (const auto& [numa, processors] : found) add(numa, processors, found.size());
  if (out.empty()) {
    std::vector<int> all(std::max(1U, std::thread::hardware_concurrency()));
    for (std::size_t i = 0; i < all.size(); ++i) all[i] = static_cast<int>(i);
    add(-1, all, 1);
  }
  return out;
}

HostDevice::HostDevice(Properties properties, std::vector<int> processors, std::uint64_t memory)
    : properties_{std::move(properties)},
      processors_{std::move(processors)},
      team_{processors_},
      left_{memory} {}

Result<std::uint64_t> HostDevice::free_memory() {
  const std::lock_guard lock(mutex_);
  return left_;
}

double HostDevice::now() const { return platform::monotonic_seconds(); }

void HostDevice::idle(double seconds) {
  std::this_thread::sleep_for(std::chrono::duration<double>(seconds));
}

Result<std::unique_ptr<Stream>> HostDevice::stream() { return std::make_unique<HostStream>(*this); }

Result<void> HostDevice::read(Range from, std::span<std::byte> to) {
  std::memcpy(to.data(), pointer(from.address), std::min<std::size_t>(to.size(), from.bytes));
  return {};
}

Result<void> HostDevice::write(Range to, std::span<const std::byte> from) {
  std::memcpy(pointer(to.address), from.data(), std::min<std::size_t>(from.size(), to.bytes));
  return {};
}

Result<bool> HostDevice::reach(Device& peer) { return dynamic_cast<HostDevice*>(&peer) != nullptr; }

Result<std::uint64_t> HostDevice::allocate_bytes(std::uint64_t bytes, Placement) {
  const std::lock_guard lock(mutex_);
  if (bytes > left_)
    return fail(Errc::too_large, "host memory: " + std::to_string(bytes) + " bytes asked, " +
                                     std::to_string(left_) + " left");
  // Huge pages: otherwise address translation, not memory, sets the pace.
  void* at = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED)
    return fail(Errc::too_large, std::string("host memory: ") + std::strerror(errno));
  ::madvise(at, bytes, MADV_HUGEPAGE);
  const auto address = reinterpret_cast<std::uint64_t>(at);
  left_ -= bytes;
  allocations_[address] = bytes;
  return address;
}

void HostDevice::free_bytes(std::uint64_t address, Placement) noexcept {
  const std::lock_guard lock(mutex_);
  const auto found = allocations_.find(address);
  if (found == allocations_.end()) return;
  ::munmap(pointer(address), found->second);
  left_ += found->second;
  allocations_.erase(found);
}

}  // namespace gpuvet::device
