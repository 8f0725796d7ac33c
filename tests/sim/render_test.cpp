// SPDX-License-Identifier: Apache-2.0
// Rendered files against the importers that read real tools: each is recognised as what it is, and
// the world's facts come back.
#include "sim/render.hpp"

#include <gmock/gmock.h>

#include <map>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "sim/servers.hpp"

namespace gpuvet::sim {
namespace {

using testing::number;
using testing::server;
using testing::text;

/// What the importer that recognises `file` makes of it; its kind, too.
Evidence imported(const Rendered& file, std::string* kind = nullptr) {
  const auto* importer = ingest::recognise(std::string_view(file.text).substr(0, 65536));
  EXPECT_NE(importer, nullptr) << file.name << "\n" << file.text.substr(0, 400);
  if (importer == nullptr) return {};
  if (kind != nullptr) *kind = importer->kind;
  Evidence evidence;
  Recorder recorder(evidence, Provenance{});
  MemorySource source(file.text);
  const auto read = importer->read(source, recorder);
  EXPECT_TRUE(read) << file.name << ": " << (read ? "" : read.error().message()) << " in line "
                    << (read ? 0 : read.error().input_line);
  return evidence;
}

class EveryRendering : public ::testing::TestWithParam<std::string> {};
INSTANTIATE_TEST_SUITE_P(Render, EveryRendering, ::testing::ValuesIn(testing::all_scenarios()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryRendering, EachFileIsReadAsWhatItIs) {
  const std::map<std::string, std::string> kinds = {{"lscpu.txt", "lscpu"},
                                                    {"numactl.txt", "numactl"},
                                                    {"infiniband.txt", "infiniband_sysfs"},
                                                    {"lspci.txt", "lspci"},
                                                    {"dmesg.txt", "kernel_log"},
                                                    {"chronyc.txt", "chronyc_tracking"},
                                                    {"meminfo.txt", "memory_usage"},
                                                    {"ibstat.txt", "ibstat"},
                                                    {"nvme.txt", "nvme_list"},
                                                    {"ipmi-mc.txt", "ipmi_info"},
                                                    {"ipmi-fru.txt", "ipmi_info"},
                                                    {"ipmi-sdr.txt", "ipmi_sensors"},
                                                    {"ipmi-sel.txt", "ipmi_sel"},
                                                    {"nvidia-smi.txt", "nvidia_smi_q"},
                                                    {"nvidia-smi.xml", "nvidia_smi_xml"},
                                                    {"topo.txt", "nvidia_smi_topo"},
                                                    {"nvlink-s.txt", "nvidia_smi_nvlink"},
                                                    {"nvlink-e.txt", "nvidia_smi_nvlink"},
                                                    {"thermal.csv", "nvidia_smi_query_csv"}};
  const auto world = server(GetParam());
  auto later = world;
  later.time += 60;
  for (const auto& file : render_files({world, later})) {
    std::string kind;
    imported(file, &kind);
    ASSERT_TRUE(kinds.contains(file.name)) << file.name;
    EXPECT_EQ(kind, kinds.at(file.name));
  }
}

TEST_P(EveryRendering, ReportAndXmlSayTheSame) {
  const auto world = server(GetParam());
  if (world.gpus.empty()) GTEST_SKIP() << "no GPU to report";
  const auto plain = imported({"q", render_report(world)});
  const auto xml = imported({"x", render_report_xml(world)});
  std::map<std::pair<std::string, std::string>, decltype(Observation::value)> said;
  for (const auto& o : plain.observations)
    said[{std::string(o.id.info().name), o.subject}] = o.value;
  EXPECT_GT(said.size(), world.gpus.size() * 60);
  for (const auto& o : xml.observations) {
    const auto found = said.find({std::string(o.id.info().name), o.subject});
    ASSERT_NE(found, said.end()) << o.id.info().name << " of " << o.subject;
    EXPECT_EQ(found->second, o.value) << o.id.info().name << " of " << o.subject;
  }
  EXPECT_EQ(plain.observations.size(), xml.observations.size());
}

TEST_P(EveryRendering, TheReportHoldsWhatTheWorldHolds) {
  const auto world = server(GetParam());
  if (world.gpus.empty()) GTEST_SKIP() << "no GPU to report";
  const auto found = imported({"x", render_report_xml(world)});
  for (const auto& gpu : world.gpus) {
    const std::string subject = "gpu:" + gpu.uuid;
    EXPECT_EQ(text(found, "gpu.name"_id, subject), gpu.name);
    EXPECT_NEAR(number(found, "gpu.temperature.core"_id, subject), gpu.temperature, 0.5);
    EXPECT_NEAR(number(found, "gpu.power.limit"_id, subject), gpu.power_limit, 0.01);
    EXPECT_NEAR(number(found, "gpu.clock.sm.max"_id, subject), gpu.clock_max, 1e6);
    EXPECT_EQ(number(found, "gpu.memory.total"_id, subject),
              static_cast<double>(gpu.memory >> 20U << 20U));
    EXPECT_EQ(number(found, "gpu.pcie.width"_id, subject), gpu.pcie.width);
    EXPECT_EQ(number(found, "gpu.pcie.generation.max"_id, subject), gpu.pcie.generation_max);
    const auto* remapped = testing::find(found, "gpu.remap.pending"_id, subject);
    ASSERT_NE(remapped, nullptr);
    EXPECT_EQ(remapped->flag() != nullptr, gpu.remaps_rows);
  }
}

TEST(Render, TopologyOfTheUsualServers) {
  EXPECT_TRUE(contains(render_topo(server("dgx-a100")), "GPU0\t X \tNV12\tNV12"));
  EXPECT_TRUE(contains(render_topo(server("hgx-a100-4")), "GPU0\t X \tNV4\tNV4\tNV4"));
  EXPECT_TRUE(contains(render_topo(server("dgx-h100")), "GPU0\t X \tNV18"));
  EXPECT_TRUE(contains(render_topo(server("a100-pcie-bridged")), "GPU0\t X \tNV12"));
  EXPECT_FALSE(contains(render_topo(server("l40s-8")).substr(0, 400), "NV1"));
  // One link down: seven pairs have one less.
  EXPECT_TRUE(
      contains(render_topo(server("dgx-a100", {"nvlink-down:0"})), "GPU0\t X \tNV11\tNV11"));
}

TEST(Render, ALostGpuIsNamedAndCounted) {
  const auto world = server("dgx-a100", {"gpu-lost:3"});
  const std::string subject = "gpu:" + world.gpus[3].place.address();
  for (const auto& file :
       {Rendered{"q", render_report(world)}, Rendered{"x", render_report_xml(world)}}) {
    const auto found = imported(file);
    const auto* lost = testing::find(found, "gpu.lost"_id, subject);
    ASSERT_NE(lost, nullptr) << file.name;
    EXPECT_TRUE(*lost->flag());
  }
}

TEST(Render, TheControllersRowsShowFaults) {
  const auto fan = server("dgx-a100", {"fan-failed"});
  const auto sensors = imported({"sdr", render_ipmi_sensors(fan)});
  std::size_t stopped = 0;
  for (const auto& o : sensors.observations)
    if (o.id == "fan.health"_id && o.text() != nullptr && *o.text() != "ok") ++stopped;
  EXPECT_EQ(stopped, 1U);
  const auto supply = imported({"sdr", render_ipmi_sensors(server("dgx-a100", {"supply-lost"}))});
  std::size_t failed = 0;
  for (const auto& o : supply.observations)
    if (o.id == "psu.health"_id && o.text() != nullptr && *o.text() != "ok") ++failed;
  EXPECT_EQ(failed, 1U);
  const auto log = imported({"sel", render_ipmi_log(server("dgx-a100", {"sel-entries"}))});
  EXPECT_FALSE(
      testing::find(log, "bmc.sel.critical"_id, "bmc")->as<std::vector<std::string>>()->empty());
}

TEST(Render, ALogHasARowForEachGpuAndMoment) {
  auto world = server("hgx-a100-4");
  std::vector<World> log;
  for (int minute = 0; minute < 5; ++minute) {
    log.push_back(world);
    world.time += 60;
  }
  const auto csv = render_query_log(log);
  EXPECT_EQ(std::count(csv.begin(), csv.end(), '\n'), 1 + 5 * 4);
  const auto found = imported({"csv", csv});
  ASSERT_EQ(found.tables.size(), 4U);
}

}  // namespace
}  // namespace gpuvet::sim
