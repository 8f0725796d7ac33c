// SPDX-License-Identifier: Apache-2.0
// The library itself, the driver's versions, and how handles are come by.
#include <fmt/format.h>

#include "core/text.hpp"
#include "sim/nvml/exports.hpp"
#include "sim/nvml/state.hpp"

namespace sim = gpuvet::sim;
using gpuvet::nvml::Device;
using gpuvet::nvml::Return;
using sim::ask;
using sim::Gpu;
using sim::put_text;
using sim::World;

Return nvmlInit_v2() {
  auto& state = sim::State::get();
  const std::scoped_lock lock(state.mutex);
  const auto started = state.start();
  return started == Return::success ? state.enter(__func__) : started;
}
Return nvmlInit() { return nvmlInit_v2(); }
Return nvmlInitWithFlags(unsigned) { return nvmlInit_v2(); }

Return nvmlShutdown() {
  auto& state = sim::State::get();
  const std::scoped_lock lock(state.mutex);
  if (const auto refused = state.enter(__func__); refused != Return::success) return refused;
  return state.stop();
}

const char* nvmlErrorString(Return result) {
  switch (result) {
    case Return::success:
      return "Success";
    case Return::uninitialized:
      return "Uninitialized";
    case Return::invalid_argument:
      return "Invalid Argument";
    case Return::not_supported:
      return "Not Supported";
    case Return::no_permission:
      return "Insufficient Permissions";
    case Return::not_found:
      return "Not Found";
    case Return::insufficient_size:
      return "Insufficient Size";
    case Return::driver_not_loaded:
      return "Driver Not Loaded";
    case Return::timeout:
      return "Timeout";
    case Return::function_not_found:
      return "Function Not Found";
    case Return::gpu_is_lost:
      return "GPU is lost";
    default:
      return "Unknown Error";
  }
}

Return nvmlSystemGetDriverVersion(char* to, unsigned room) {
  return ask(__func__, [&](const World& w) { return put_text(w.driver, to, room); });
}
Return nvmlSystemGetNVMLVersion(char* to, unsigned room) {
  return ask(__func__, [&](const World& w) {
    return put_text(fmt::format("{}.{}", w.made.cuda / 1000, w.driver), to, room);
  });
}
Return nvmlSystemGetCudaDriverVersion_v2(int* to) {
  return ask(__func__, [&](const World& w) { return sim::put(to, w.made.cuda); });
}
Return nvmlSystemGetCudaDriverVersion(int* to) { return nvmlSystemGetCudaDriverVersion_v2(to); }
Return nvmlSystemGetProcessName(unsigned pid, char* to, unsigned room) {
  return ask(__func__, [&](const World& w) {
    for (const auto& gpu : w.gpus)
      for (const auto& process : gpu.processes)
        if (process.pid == pid) return put_text(process.name, to, room);
    return Return::not_found;
  });
}
Return nvmlUnitGetCount(unsigned* to) {
  return ask(__func__, [&](const World&) { return sim::put(to, 0); });
}
Return nvmlGetExcludedDeviceCount(unsigned* to) {
  return ask(__func__, [&](const World&) { return sim::put(to, 0); });
}

Return nvmlDeviceGetCount_v2(unsigned* to) {
  return ask(__func__, [&](const World& w) { return sim::put(to, w.gpus.size()); });
}
Return nvmlDeviceGetCount(unsigned* to) { return nvmlDeviceGetCount_v2(to); }

namespace {

/// The first GPU that `is` the one asked for.
template <class Is>
Return find(const char* function, Device* to, Is is) {
  return ask(function, [&](const World& w) {
    for (const auto& gpu : w.gpus)
      if (is(gpu))
        return gpu.lost ? Return::gpu_is_lost : sim::put(to, sim::State::handle(gpu.index));
    return Return::not_found;
  });
}

}  // namespace

Return nvmlDeviceGetHandleByIndex_v2(unsigned index, Device* to) {
  const auto found =
      find(__func__, to, [&](const Gpu& g) { return g.index == static_cast<int>(index); });
  return found == Return::not_found ? Return::invalid_argument : found;
}
Return nvmlDeviceGetHandleByIndex(unsigned index, Device* to) {
  return nvmlDeviceGetHandleByIndex_v2(index, to);
}
Return nvmlDeviceGetHandleByUUID(const char* uuid, Device* to) {
  if (uuid == nullptr) return Return::invalid_argument;
  return find(__func__, to, [&](const Gpu& g) { return g.uuid == uuid; });
}
Return nvmlDeviceGetHandleBySerial(const char* serial, Device* to) {
  if (serial == nullptr) return Return::invalid_argument;
  return find(__func__, to, [&](const Gpu& g) { return g.serial == serial; });
}
Return nvmlDeviceGetHandleByPciBusId_v2(const char* bus_id, Device* to) {
  if (bus_id == nullptr) return Return::invalid_argument;
  const auto address = gpuvet::pci_address(bus_id);
  return find(__func__, to, [&](const Gpu& g) { return address && g.place.address() == *address; });
}
Return nvmlDeviceGetHandleByPciBusId(const char* bus_id, Device* to) {
  return nvmlDeviceGetHandleByPciBusId_v2(bus_id, to);
}
