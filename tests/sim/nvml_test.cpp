// SPDX-License-Identifier: Apache-2.0
// The simulated library as a client sees it: by its names, through dlopen.
#include <gtest/gtest.h>
#include <stdlib.h>

#include <array>
#include <cstring>
#include <map>

#include "platform/nvml.hpp"
#include "sim/nvml/exports.hpp"

namespace gpuvet {
namespace {

using nvml::Return;
using platform::call;

constexpr std::array all_names = {
#define X(name) #name,
#include "sim/nvml/names.inc"
#undef X
};

class SimulatedNvml : public ::testing::Test {
 protected:
  void begin(const char* scenario, const char* faults = "") {
    ::setenv("GPUVET_SIM", scenario, 1);
    ::setenv("GPUVET_SIM_FAULTS", faults, 1);
    ASSERT_EQ(nvml_->nvmlInit_v2(), Return::success);
  }
  void SetUp() override {
    auto opened = platform::Nvml::open(GPUVET_NVML_LIBRARY);
    ASSERT_TRUE(opened) << opened.error().what;
    nvml_.emplace(std::move(*opened));
    auto library = platform::Library::open({GPUVET_NVML_LIBRARY});
    ASSERT_TRUE(library);
    library_.emplace(std::move(*library));
  }
  void TearDown() override { call(nvml_->nvmlShutdown); }

  nvml::Device gpu(unsigned index) const {
    nvml::Device device = nullptr;
    EXPECT_EQ(nvml_->nvmlDeviceGetHandleByIndex_v2(index, &device), Return::success);
    return device;
  }
  template <class Function>
  Function* older(const char* name) const {
    auto* found = library_->symbol<Function>(name);
    EXPECT_NE(found, nullptr) << name;
    return found;
  }

  std::optional<platform::Nvml> nvml_;
  std::optional<platform::Library> library_;
};

TEST_F(SimulatedNvml, ExportsEveryPublicName) {
  EXPECT_EQ(all_names.size(), 412U);
  for (const auto* name : all_names) EXPECT_NE(library_->symbol<Return()>(name), nullptr) << name;
  EXPECT_NE(library_->symbol<const char*(Return)>("nvmlErrorString"), nullptr);
}

TEST_F(SimulatedNvml, SaysNotSupportedWhereItHasNoAnswer) {
  begin("dgx-a100");
  EXPECT_EQ(older<Return()>("nvmlVgpuTypeGetName")(), Return::not_supported);
}

TEST_F(SimulatedNvml, AnswersNothingBeforeItWasStarted) {
  unsigned count = 0;
  EXPECT_EQ(nvml_->nvmlDeviceGetCount_v2(&count), Return::uninitialized);
}

TEST_F(SimulatedNvml, RefusesAServerThatItDoesNotKnow) {
  ::setenv("GPUVET_SIM", "no-such-server", 1);
  EXPECT_EQ(nvml_->nvmlInit_v2(), Return::driver_not_loaded);
  ::setenv("GPUVET_SIM", "gpu-less", 1);
  ::setenv("GPUVET_SIM_FAULTS", "", 1);
  EXPECT_EQ(nvml_->nvmlInit_v2(), Return::driver_not_loaded);
}

TEST_F(SimulatedNvml, VersionedStructsAreHeldToTheirVersion) {
  begin("dgx-h100");
  nvml::Memory2 memory{};
  EXPECT_EQ(nvml_->nvmlDeviceGetMemoryInfo_v2(gpu(0), &memory), Return::argument_version_mismatch);
  memory.version = nvml::version_of<nvml::Memory2>(2);
  ASSERT_EQ(nvml_->nvmlDeviceGetMemoryInfo_v2(gpu(0), &memory), Return::success);
  EXPECT_EQ(memory.total, memory.reserved + memory.free + memory.used);
  nvml::FabricInfo3 fabric{};
  fabric.version = nvml::version_of<nvml::FabricInfo3>(3);
  ASSERT_EQ(nvml_->nvmlDeviceGetGpuFabricInfoV(gpu(0), &fabric), Return::success);
  EXPECT_EQ(fabric.state, 3);
  EXPECT_EQ(fabric.health_summary, 1);
  fabric.version = 36U | 2U << 24U;
  fabric.health_summary = 77;
  ASSERT_EQ(nvml_->nvmlDeviceGetGpuFabricInfoV(gpu(0), &fabric), Return::success);
  EXPECT_EQ(fabric.health_summary, 77) << "the second version has no such field";
  fabric.version = 12;
  EXPECT_EQ(nvml_->nvmlDeviceGetGpuFabricInfoV(gpu(0), &fabric), Return::argument_version_mismatch);
}

TEST_F(SimulatedNvml, OlderNamesFillNoMoreThanTheirStructHolds) {
  begin("dgx-a100", "gpu-busy:0");
  std::array<unsigned char, 128> bytes{};
  bytes.fill(0xa5);
  auto* info = reinterpret_cast<nvml::PciInfo2*>(bytes.data());
  for (const auto* name : {"nvmlDeviceGetPciInfo", "nvmlDeviceGetPciInfo_v2"}) {
    ASSERT_EQ(older<nvml::function::nvmlDeviceGetPciInfo>(name)(gpu(1), info), Return::success);
    EXPECT_EQ(bytes[sizeof(nvml::PciInfo2)], 0xa5) << name;
  }
  EXPECT_EQ(sizeof(nvml::PciInfo2), 36U);
  EXPECT_EQ(sizeof(nvml::PciInfo), 68U);
  nvml::PciInfo wide{};
  ASSERT_EQ(nvml_->nvmlDeviceGetPciInfo_v3(gpu(1), &wide), Return::success);
  EXPECT_EQ(std::string(wide.bus_id), "0000" + std::string(info->bus_id_legacy));
  EXPECT_EQ(wide.device_id, 0x20b210deU);

  std::array<nvml::Process1, 2> old{};
  unsigned count = 2;
  old[1].pid = 99;
  ASSERT_EQ(nvml_->nvmlDeviceGetComputeRunningProcesses(gpu(0), &count, old.data()),
            Return::success);
  EXPECT_EQ(count, 1U);
  EXPECT_EQ(old[0].pid, 31337U);
  EXPECT_EQ(old[1].pid, 99U) << "sixteen bytes each before the second version";
  count = 0;
  EXPECT_EQ(nvml_->nvmlDeviceGetComputeRunningProcesses_v3(gpu(0), &count, nullptr),
            Return::insufficient_size);
  EXPECT_EQ(count, 1U);
}

TEST_F(SimulatedNvml, ALostGpuIsLostForEveryCall) {
  begin("dgx-a100", "gpu-lost:5");
  unsigned count = 0;
  ASSERT_EQ(nvml_->nvmlDeviceGetCount_v2(&count), Return::success);
  EXPECT_EQ(count, 8U);
  nvml::Device device = nullptr;
  EXPECT_EQ(nvml_->nvmlDeviceGetHandleByIndex_v2(5, &device), Return::gpu_is_lost);
  EXPECT_EQ(nvml_->nvmlDeviceGetHandleByIndex_v2(6, &device), Return::success);
  EXPECT_EQ(nvml_->nvmlDeviceGetHandleByIndex_v2(8, &device), Return::invalid_argument);
}

TEST_F(SimulatedNvml, AMissingFunctionSaysSo) {
  begin("dgx-a100", "symbol-missing");
  std::array<unsigned, 4> rows{};
  EXPECT_EQ(nvml_->nvmlDeviceGetRemappedRows(gpu(0), &rows[0], &rows[1], &rows[2], &rows[3]),
            Return::function_not_found);
}

TEST_F(SimulatedNvml, HandlesAreFoundByAnyName) {
  begin("dgx-a100");
  char uuid[96] = {};
  ASSERT_EQ(nvml_->nvmlDeviceGetUUID(gpu(3), uuid, sizeof uuid), Return::success);
  nvml::Device device = nullptr;
  ASSERT_EQ(nvml_->nvmlDeviceGetHandleByUUID(uuid, &device), Return::success);
  EXPECT_EQ(device, gpu(3));
  nvml::PciInfo info{};
  ASSERT_EQ(nvml_->nvmlDeviceGetPciInfo_v3(device, &info), Return::success);
  ASSERT_EQ(nvml_->nvmlDeviceGetHandleByPciBusId_v2(info.bus_id, &device), Return::success);
  EXPECT_EQ(device, gpu(3));
  EXPECT_EQ(nvml_->nvmlDeviceGetUUID(device, uuid, 8), Return::insufficient_size);
  EXPECT_EQ(nvml_->nvmlDeviceGetUUID(nullptr, uuid, sizeof uuid), Return::invalid_argument);
}

TEST_F(SimulatedNvml, LinksLeadToSwitchesThatTheTreeHas) {
  begin("dgx-a100", "nvlink-down:0");
  unsigned up = 1;
  ASSERT_EQ(nvml_->nvmlDeviceGetNvLinkState(gpu(0), 0, &up), Return::success);
  EXPECT_EQ(up, 0U);
  nvml::PciInfo remote{};
  std::map<std::string, int> ends;
  for (unsigned link = 0; link < 12; ++link)
    if (nvml_->nvmlDeviceGetNvLinkRemotePciInfo_v2(gpu(1), link, &remote) == Return::success)
      ++ends[remote.bus_id];
  EXPECT_EQ(ends.size(), 6U);
  for (const auto& [end, links] : ends) EXPECT_EQ(links, 2) << end;
  EXPECT_EQ(nvml_->nvmlDeviceGetNvLinkState(gpu(0), 12, &up), Return::invalid_argument);
}

}  // namespace
}  // namespace gpuvet
