// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi -q -x` in small: each schema's spellings, absences, identities, and hostile files.
#include <gtest/gtest.h>

#include <string>

#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_xml();

namespace {

using namespace testing;

constexpr const char* gpu = "gpu:GPU-12345678-aaaa-bbbb-cccc-1234567890ab";

/// A report of one GPU with `inside` in its <gpu>; the GPU's first line is line 8.
std::string report(const std::string& inside, const std::string& attached = "1") {
  return "<?xml version=\"1.0\" ?>\n"
         "<!DOCTYPE nvidia_smi_log SYSTEM \"nvsmi_device_v13.dtd\">\n"
         "<nvidia_smi_log>\n"
         "\t<timestamp>Mon Jan  5 10:00:00 2026</timestamp>\n"
         "\t<driver_version>580.10</driver_version>\n"
         "\t<attached_gpus>" +
         attached +
         "</attached_gpus>\n"
         "\t<gpu id=\"00000000:1B:00.0\">\n"
         "<uuid>GPU-12345678-aaaa-bbbb-cccc-1234567890ab</uuid>\n" +
         inside + "\n\t</gpu>\n</nvidia_smi_log>\n";
}

Evidence facts(const std::string& inside) {
  auto read_back = read(nvidia_smi_xml(), report(inside));
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

Error refusal(std::string_view text) {
  const auto read_back = read(nvidia_smi_xml(), text);
  EXPECT_FALSE(read_back);
  return read_back ? Error{} : read_back.error();
}

std::optional<bool> flag(const Evidence& e, std::string_view id) { return value<bool>(e, id, gpu); }

TEST(NvidiaSmiXml, ReadsTheNode) {
  const auto e = read(nvidia_smi_xml(), report(""));
  ASSERT_TRUE(e);
  EXPECT_EQ(text(*e, "node.driver.version"), "580.10");
  EXPECT_EQ(number(*e, "node.gpu.attached"), 1);
  EXPECT_EQ(only(*e, "node.gpu.attached", "node")->line, 6U);
  EXPECT_EQ(only(*e, "node.cuda.version", "node"), nullptr);
  EXPECT_EQ(e->observations[0].provenance->tool, "nvidia-smi -q -x");
  EXPECT_EQ(e->observations[0].provenance->when, "Mon Jan  5 10:00:00 2026");
}

TEST(NvidiaSmiXml, ReadsUnitsIntoBaseUnits) {
  const Evidence e = facts(
      "<pci><pci_device_id>233010DE</pci_device_id>\n"
      "<pci_gpu_link_info><link_widths><max_link_width>16x</max_link_width></link_widths>"
      "</pci_gpu_link_info></pci>\n"
      "<fb_memory_usage><total>3 MiB</total></fb_memory_usage>\n"
      "<utilization><gpu_util>7 %</gpu_util></utilization>\n"
      "<clocks><sm_clock>1949 MHz</sm_clock></clocks>\n"
      "<temperature><gpu_temp> 62 C </gpu_temp><gpu_temp_tlimit>25 C</gpu_temp_tlimit>"
      "</temperature>\n"
      "<remapped_rows><row_remapper_histogram>"
      "<row_remapper_histogram_max>2560 bank(s)</row_remapper_histogram_max>"
      "</row_remapper_histogram></remapped_rows>\n"
      "<clocks_event_reasons_counters><clocks_event_reasons_counters_hw_therm_slowdown>2500000 us"
      "</clocks_event_reasons_counters_hw_therm_slowdown></clocks_event_reasons_counters>");
  EXPECT_EQ(text(e, "gpu.pci.device_id", gpu), "2330");
  EXPECT_EQ(text(e, "gpu.pci.address", gpu), "0000:1b:00.0");
  EXPECT_EQ(number(e, "gpu.pcie.width.max", gpu), 16);
  EXPECT_EQ(number(e, "gpu.memory.total", gpu), 3.0 * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.utilization", gpu), 0.07);
  EXPECT_EQ(number(e, "gpu.clock.sm", gpu), 1.949e9);
  EXPECT_EQ(number(e, "gpu.temperature.core", gpu), 62);
  EXPECT_EQ(number(e, "gpu.temperature.margin", gpu), 25);
  EXPECT_EQ(number(e, "gpu.remap.banks.max", gpu), 2560);
  EXPECT_EQ(number(e, "gpu.clock_event.hw_thermal.time", gpu), 2.5);
  EXPECT_EQ(number(e, "gpu.index", gpu), 0);
  EXPECT_EQ(only(e, "gpu.clock.sm", gpu)->line, 13U);
  EXPECT_EQ(flag(e, "gpu.lost"), false);
}

TEST(NvidiaSmiXml, TakesTheBestPowerFigureThatHasAValue) {
  const Evidence e = facts(
      "<gpu_power_readings><power_draw>N/A</power_draw><average_power_draw>90 W"
      "</average_power_draw><instant_power_draw>88.5 W</instant_power_draw>"
      "<current_power_limit>350 W</current_power_limit></gpu_power_readings>"
      "<module_power_readings><default_power_limit>2500 W</default_power_limit>"
      "</module_power_readings>");
  EXPECT_EQ(number(e, "gpu.power.draw", gpu), 88.5);
  EXPECT_EQ(number(e, "gpu.power.limit", gpu), 350);
  EXPECT_EQ(only(e, "gpu.power.limit.default", gpu), nullptr) << "a module is not a GPU";
  const Evidence older = facts(
      "<power_readings><power_draw>14.50 W</power_draw><power_limit>275 W</power_limit>"
      "<enforced_power_limit>250 W</enforced_power_limit></power_readings>");
  EXPECT_EQ(number(older, "gpu.power.draw", gpu), 14.5);
  EXPECT_EQ(number(older, "gpu.power.limit", gpu), 250);
}

TEST(NvidiaSmiXml, ReadsBothNamesOfClockEvents) {
  for (const std::string name : {"throttle", "event"}) {
    const std::string one = "clocks_" + name + "_reason";
    const std::string group = one + "s";
    const Evidence e = facts("<" + group + "><" + one + "_gpu_idle>Active</" + one + "_gpu_idle><" +
                             one + "_hw_slowdown>Not Active</" + one + "_hw_slowdown><" + one +
                             "_applications_clocks_setting>N/A</" + one +
                             "_applications_clocks_setting></" + group + ">");
    EXPECT_EQ(flag(e, "gpu.clock_event.idle"), true) << name;
    EXPECT_EQ(flag(e, "gpu.clock_event.hw_slowdown"), false) << name;
    EXPECT_EQ(absence(e, "gpu.clock_event.applications_clocks", gpu), Absence::not_supported);
  }
}

TEST(NvidiaSmiXml, ThresholdsOfMarginsAreNoLimits) {
  const Evidence e = facts(
      "<temperature><gpu_temp_max_tlimit_threshold>-8 C</gpu_temp_max_tlimit_threshold>"
      "<gpu_temp_slow_tlimit_threshold>-2 C</gpu_temp_slow_tlimit_threshold></temperature>");
  EXPECT_EQ(only(e, "gpu.temperature.limit.shutdown", gpu), nullptr);
  EXPECT_EQ(only(e, "gpu.temperature.limit.slowdown", gpu), nullptr);
  const Evidence older = facts(
      "<temperature><gpu_temp_max_threshold>100 C</gpu_temp_max_threshold>"
      "<gpu_temp_slow_threshold>97 C</gpu_temp_slow_threshold>"
      "<gpu_temp_max_gpu_threshold>88 C</gpu_temp_max_gpu_threshold></temperature>");
  EXPECT_EQ(number(older, "gpu.temperature.limit.shutdown", gpu), 100);
  EXPECT_EQ(number(older, "gpu.temperature.limit.slowdown", gpu), 97);
  EXPECT_EQ(number(older, "gpu.temperature.limit.max_operating", gpu), 88);
}

TEST(NvidiaSmiXml, AddsUpSramErrors) {
  const Evidence v10 = facts(
      "<ecc_errors><volatile><double_bit><device_memory>4</device_memory><register_file>1"
      "</register_file><l1_cache>N/A</l1_cache><l2_cache>2</l2_cache></double_bit></volatile>"
      "</ecc_errors>");
  EXPECT_EQ(number(v10, "gpu.ecc.volatile.uncorrected.dram", gpu), 4);
  EXPECT_EQ(number(v10, "gpu.ecc.volatile.uncorrected.sram", gpu), 3);
  EXPECT_EQ(only(v10, "gpu.ecc.volatile.corrected.sram", gpu), nullptr);
  const Evidence v13 = facts(
      "<ecc_errors><aggregate><sram_uncorrectable_parity>5</sram_uncorrectable_parity>"
      "<sram_uncorrectable_secded>6</sram_uncorrectable_secded></aggregate></ecc_errors>");
  EXPECT_EQ(number(v13, "gpu.ecc.aggregate.uncorrected.sram", gpu), 11);
  const Evidence half = facts(
      "<ecc_errors><aggregate><sram_uncorrectable_parity>5</sram_uncorrectable_parity>"
      "<sram_uncorrectable_secded>[Unknown Error]</sram_uncorrectable_secded></aggregate>"
      "</ecc_errors>");
  EXPECT_EQ(absence(half, "gpu.ecc.aggregate.uncorrected.sram", gpu), Absence::malformed);
}

TEST(NvidiaSmiXml, RetiredPagesAddUpOnlyWhenBothAreKnown) {
  const auto pages = [](const std::string& single, const std::string& twice) {
    return facts("<retired_pages><multiple_single_bit_retirement><retired_count>" + single +
                 "</retired_count></multiple_single_bit_retirement><double_bit_retirement>"
                 "<retired_count>" +
                 twice +
                 "</retired_count></double_bit_retirement>"
                 "<pending_retirement>Yes</pending_retirement></retired_pages>");
  };
  const Evidence both = pages("2", "3");
  EXPECT_EQ(number(both, "gpu.retired_pages", gpu), 5);
  EXPECT_EQ(number(both, "gpu.retired_pages.double_bit", gpu), 3);
  EXPECT_EQ(flag(both, "gpu.retired_pages.pending"), true);
  EXPECT_EQ(absence(pages("2", "N/A"), "gpu.retired_pages", gpu), Absence::not_supported);
}

TEST(NvidiaSmiXml, SaysWhyAValueIsAbsent) {
  const Evidence e = facts(
      "<serial>N/A</serial><performance_state>[Insufficient Permissions]</performance_state>"
      "<mig_mode>N/A</mig_mode><vbios_version></vbios_version>\n"
      "<temperature><gpu_temp>hot\x1b[31m</gpu_temp></temperature>"
      "<fabric><state>Requested functionality has been deprecated</state></fabric>");
  EXPECT_EQ(absence(e, "gpu.serial", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.performance_state", gpu), Absence::permission);
  EXPECT_EQ(absence(e, "gpu.mig.mode", gpu), Absence::not_supported) << "the group says so";
  EXPECT_EQ(absence(e, "gpu.vbios.version", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.fabric.state", gpu), Absence::not_supported);
  EXPECT_EQ(absence(e, "gpu.temperature.core", gpu), Absence::malformed);
  EXPECT_EQ(only(e, "gpu.temperature.core", gpu)->detail, "hot\\x1b[31m");
  EXPECT_EQ(only(e, "gpu.temperature.core", gpu)->line, 10U);
  EXPECT_EQ(only(e, "gpu.clock.sm", gpu), nullptr) << "not in this file at all";
}

TEST(NvidiaSmiXml, AUnitThatDoesNotFitIsMalformed) {
  const Evidence e = facts(
      "<temperature><gpu_temp>62 W</gpu_temp></temperature>"
      "<pci><replay_counter>-5</replay_counter></pci>");
  EXPECT_EQ(absence(e, "gpu.temperature.core", gpu), Absence::malformed);
  EXPECT_EQ(absence(e, "gpu.pcie.replays", gpu), Absence::malformed);
}

TEST(NvidiaSmiXml, ALostGpuIsLostWhereverItSaysSo) {
  const Evidence e = facts("<remapped_rows>GPU is lost</remapped_rows>");
  EXPECT_EQ(flag(e, "gpu.lost"), true);
  EXPECT_EQ(absence(e, "gpu.remap.failure", gpu), Absence::malformed);
  EXPECT_EQ(only(e, "gpu.remap.failure", gpu)->detail, "GPU is lost");
  EXPECT_EQ(flag(facts("<x><y>[GPU requires reset]</y></x>"), "gpu.lost"), true);
  EXPECT_EQ(flag(facts("<gpu_reset_status><reset_required>Yes</reset_required>"
                       "</gpu_reset_status>"),
                 "gpu.lost"),
            true);
}

TEST(NvidiaSmiXml, CountsProcessesThatComputeAndMigInstances) {
  const auto process = [](const std::string& type) {
    return "<process_info><pid>7</pid><type>" + type + "</type></process_info>";
  };
  const Evidence e = facts(
      "<mig_mode><current_mig>Enabled</current_mig></mig_mode><mig_devices>"
      "<mig_device><index>0</index></mig_device><mig_device><index>1</index></mig_device>"
      "</mig_devices><processes>" +
      process("C") + process("G") + process("C+G") + "</processes>");
  EXPECT_EQ(number(e, "gpu.mig.instances", gpu), 2);
  EXPECT_EQ(number(e, "gpu.processes", gpu), 2);
  const Evidence none = facts(
      "<mig_mode><current_mig>N/A</current_mig></mig_mode><mig_devices>None</mig_devices>"
      "<processes>[Insufficient Permissions]</processes>");
  EXPECT_EQ(absence(none, "gpu.mig.instances", gpu), Absence::not_supported);
  EXPECT_EQ(absence(none, "gpu.processes", gpu), Absence::permission);
}

TEST(NvidiaSmiXml, ReadsModesVersionsAndRepairs) {
  const Evidence e = facts(
      "<display_active>Enabled</display_active><accounting_mode>Disabled</accounting_mode>"
      "<addressing_mode>ATS</addressing_mode><compute_mode>Exclusive_Process</compute_mode>"
      "<inforom_version><img_version>G1</img_version></inforom_version>"
      "<gpu_virtualization_mode><virtualization_mode>Host VGPU</virtualization_mode>"
      "</gpu_virtualization_mode><gsp_firmware_version>N/A</gsp_firmware_version>"
      "<bar1_memory_usage><total>2 MiB</total><used>1 MiB</used></bar1_memory_usage>"
      "<ecc_errors><channel_repair_pending>Yes</channel_repair_pending>"
      "<unrepairable_memory>No</unrepairable_memory></ecc_errors>");
  EXPECT_EQ(flag(e, "gpu.display"), true);
  EXPECT_EQ(flag(e, "gpu.accounting"), false);
  EXPECT_EQ(text(e, "gpu.addressing_mode", gpu), "ATS");
  EXPECT_EQ(text(e, "gpu.compute_mode", gpu), "Exclusive_Process");
  EXPECT_EQ(text(e, "gpu.inforom.image", gpu), "G1");
  EXPECT_EQ(text(e, "gpu.virtualization", gpu), "Host VGPU");
  EXPECT_EQ(absence(e, "gpu.gsp.firmware", gpu), Absence::not_supported);
  EXPECT_EQ(number(e, "gpu.bar1.total", gpu), 2. * 1024 * 1024);
  EXPECT_EQ(number(e, "gpu.bar1.used", gpu), 1024. * 1024);
  EXPECT_EQ(flag(e, "gpu.repair.channel_pending"), true);
  EXPECT_EQ(flag(e, "gpu.memory.unrepairable"), false);
}

TEST(NvidiaSmiXml, ReadsWarningsAroundTheDocument) {
  const std::string warning = "WARNING: infoROM is corrupted at gpu 0000:1B:00.0\n";
  for (const std::string& text : {warning + report(""), report("") + warning}) {
    EXPECT_TRUE(nvidia_smi_xml().recognises(text));
    const auto e = read(nvidia_smi_xml(), text);
    ASSERT_TRUE(e) << e.error().message();
    EXPECT_EQ(flag(*e, "gpu.inforom.valid"), false);
  }
}

std::string two_gpus(const std::string& first, const std::string& second) {
  const auto one = [](const std::string& uuid, const char* bus) {
    return "<gpu id=\"0000:" + std::string(bus) + ":00.0\"><uuid>" + uuid + "</uuid></gpu>\n";
  };
  return "<nvidia_smi_log><attached_gpus>3</attached_gpus>\n" + one(first, "0a") +
         one(second, "0b") + "</nvidia_smi_log>";
}

TEST(NvidiaSmiXml, AUuidThatIsNoUuidYieldsToTheAddress) {
  const auto e = read(nvidia_smi_xml(), two_gpus("GPU-00000000-0000-0000-0000-000000000000",
                                                 "GPU-12345678-aaaa-bbbb-cccc-1234567890ab"));
  ASSERT_TRUE(e);
  EXPECT_EQ(absence(*e, "gpu.uuid", "gpu:0000:0a:00.0"), Absence::malformed);
  EXPECT_EQ(text(*e, "gpu.uuid", gpu), "GPU-12345678-aaaa-bbbb-cccc-1234567890ab");
  EXPECT_EQ(number(*e, "gpu.index", gpu), 1);

  const auto shared = read(nvidia_smi_xml(), two_gpus("GPU-12345678", "GPU-12345678"));
  ASSERT_TRUE(shared);
  EXPECT_EQ(number(*shared, "gpu.index", "gpu:0000:0a:00.0"), 0);
  EXPECT_EQ(number(*shared, "gpu.index", "gpu:0000:0b:00.0"), 1);
  EXPECT_EQ(only(*shared, "gpu.uuid", "gpu:0000:0b:00.0")->detail,
            "shared with another GPU: GPU-12345678");
}

TEST(NvidiaSmiXml, CountsGpusWhenTheFileDisagreesWithItself) {
  const auto e = read(nvidia_smi_xml(), two_gpus("GPU-12345678", "GPU-87654321"));
  ASSERT_TRUE(e);
  const auto counts = all_of(*e, "node.gpu.attached");
  ASSERT_EQ(counts.size(), 2U);
  EXPECT_EQ(*counts[0].number(), 3);
  EXPECT_EQ(*counts[1].number(), 2);
}

TEST(NvidiaSmiXml, NoGpuIsFineWhenNoneIsAttached) {
  EXPECT_TRUE(
      read(nvidia_smi_xml(), "<nvidia_smi_log><attached_gpus>0</attached_gpus></nvidia_smi_log>"));
  const Error e = refusal("\n<nvidia_smi_log><attached_gpus>8</attached_gpus></nvidia_smi_log>");
  EXPECT_EQ(e.what, "no <gpu> element");
  EXPECT_EQ(e.input_line, 2U);
  EXPECT_EQ(refusal("<nvidia_smi_log/>").what, "no <gpu> element");
}

TEST(NvidiaSmiXml, RefusesADecimalCommaWithItsLine) {
  const Error e =
      refusal(report("<gpu_power_readings>\n<instant_power_draw>217,24 W"
                     "</instant_power_draw></gpu_power_readings>"));
  EXPECT_EQ(e.code, Errc::malformed);
  EXPECT_EQ(e.what, "number with a decimal comma: rerun with LC_ALL=C");
  EXPECT_EQ(e.input_line, 10U);
}

TEST(NvidiaSmiXml, RefusesEveryTruncation) {
  const std::string whole =
      report("<serial>1</serial><!-- c --><fan_speed><![CDATA[1]]></fan_speed>");
  const std::size_t last = whole.find_last_of('>');
  for (std::size_t n = 0; n <= last; ++n)
    EXPECT_FALSE(read(nvidia_smi_xml(), whole.substr(0, n))) << "cut after " << n << " bytes";
  EXPECT_TRUE(read(nvidia_smi_xml(), whole.substr(0, last + 1)));
}

TEST(NvidiaSmiXml, SaysWhereTheXmlBreaks) {
  const Error e = refusal("<nvidia_smi_log>\n<gpu>\n<uuid>x</gpu>\n</nvidia_smi_log>");
  EXPECT_EQ(e.code, Errc::malformed);
  EXPECT_EQ(e.what, "Start-end tags mismatch");
  EXPECT_EQ(e.input_line, 3U);
}

TEST(NvidiaSmiXml, RefusesHostileShapes) {
  std::string deep = "<nvidia_smi_log>\n";
  for (int i = 0; i < 100'000; ++i) deep += "<a>";
  EXPECT_EQ(refusal(deep).what, "more than 64 elements inside each other");
  EXPECT_EQ(refusal(deep).input_line, 2U);
  std::string wide = "<nvidia_smi_log>";
  for (int i = 0; i < 1'000'001; ++i) wide += "<a/>";
  EXPECT_EQ(refusal(wide + "</nvidia_smi_log>").code, Errc::too_large);
  std::string many = "<nvidia_smi_log>\n";
  for (int i = 0; i < 1025; ++i) many += "<gpu/>\n";
  EXPECT_EQ(refusal(many + "</nvidia_smi_log>").input_line, 1026U);
}

TEST(NvidiaSmiXml, DoesNotExpandEntities) {
  const auto e =
      read(nvidia_smi_xml(),
           "<!DOCTYPE nvidia_smi_log [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;\">]>\n"
           "<nvidia_smi_log><gpu id=\"0000:0a:00.0\"><product_name>&b;</product_name></gpu>"
           "</nvidia_smi_log>");
  ASSERT_TRUE(e);
  EXPECT_EQ(text(*e, "gpu.name", "gpu:0000:0a:00.0"), "&b;");
}

TEST(NvidiaSmiXml, SaysWhenTheFileIsNotUtf8Text) {
  EXPECT_EQ(refusal(std::string("\xff\xfe<\0n\0", 6)).what,
            "UTF-16 text (written by PowerShell?): save it as UTF-8");
  const Error e = refusal(std::string("<nvidia_smi_log>\n\0</nvidia_smi_log>", 35));
  EXPECT_EQ(e.what, "holds a NUL byte: a binary or UTF-16 file, not text");
  EXPECT_EQ(e.input_line, 2U);
}

TEST(NvidiaSmiXml, RefusesOtherRootsAndASecondReport) {
  EXPECT_EQ(refusal("<html/>").what, "the root element is not <nvidia_smi_log>");
  const Error e = refusal(report("") + report(""));
  EXPECT_EQ(e.code, Errc::malformed);
  EXPECT_EQ(e.input_line, 14U);
}

TEST(NvidiaSmiXml, RecognisesItsRootElementOnly) {
  const auto recognises = nvidia_smi_xml().recognises;
  EXPECT_TRUE(recognises("<nvidia_smi_log>"));
  EXPECT_TRUE(
      recognises("\xef\xbb\xbf<?xml version=\"1.0\"?>\r\n<!-- <a> -->\n"
                 "<!DOCTYPE nvidia_smi_log [ <!ENTITY a \"b\"> ]>\n<nvidia_smi_log >"));
  EXPECT_FALSE(recognises("<nvidia_smi_logs>"));
  EXPECT_FALSE(recognises("<system><nvidia_smi_log>"));
  EXPECT_FALSE(recognises("<!-- <nvidia_smi_log> -->"));
  EXPECT_FALSE(recognises("<?xml"));
  EXPECT_FALSE(recognises(""));
}

}  // namespace
}  // namespace gpuvet::ingest
