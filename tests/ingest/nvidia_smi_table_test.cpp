// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_table();

namespace testing {
namespace {

const Importer importer = nvidia_smi_table();

constexpr std::string_view titles =
    "| GPU  Name                 Persistence-M | Bus-Id          Disp.A | Volatile Uncorr. ECC |\n"
    "| Fan  Temp   Perf          Pwr:Usage/Cap |           Memory-Usage | GPU-Util  Compute M. |\n"
    "|                                         |                        |               MIG M. |\n"
    "|=========================================+========================+======================|\n";
constexpr std::string_view rule =
    "+-----------------------------------------+------------------------+----------------------+\n";
constexpr std::string_view end =
    "+-----------------------------------------------------------------------------------------+\n";

std::string header(
    std::string_view versions = "NVIDIA-SMI 575.1    Driver Version: 575.1    CUDA Version: 12.9") {
  return std::string(end) + "| " + std::string(versions) + "  |\n" + std::string(rule) +
         std::string(titles);
}

std::string gpu(std::string_view first, std::string_view second, std::string_view third) {
  return "|   " + std::string(first) + " |\n| " + std::string(second) + " |\n| " +
         std::string(third) + " |\n" + std::string(rule);
}

std::string good(int index, std::string_view address = "00000000:41:00.0") {
  return gpu(
      std::to_string(index) + "  NVIDIA H100 PCIe   On  | " + std::string(address) + " Off | 0",
      "N/A  31C   P0   52.5W /  350W |  3MiB /  81559MiB |  7%  Default", "| | Disabled");
}

std::string processes(std::string_view rows) {
  return "\n" + std::string(end) +
         "| Processes:                                                    |\n"
         "|  GPU   GI   CI        PID   Type   Process name    GPU Memory |\n"
         "|        ID   ID                                     Usage      |\n"
         "|===============================================================|\n" +
         std::string(rows) + std::string(end);
}

constexpr std::string_view none = "|  No running processes found                      |\n";
constexpr std::string_view here = "gpu:0000:41:00.0";

TEST(NvidiaSmiTableTest, OneGpu) {
  const auto evidence =
      read(importer, "Tue Jul 14 08:12:53 2026       \r\n" + header() + good(0) +
                         processes("|  0  N/A  N/A   10   G   /usr/lib/Xorg       4MiB |\n"
                                   "|  0  N/A  N/A   11   C   python3 -m train  10MiB |\n"
                                   "|  0  N/A  N/A   12  C+G  ./both            10MiB |\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "node.driver.version"), "575.1");
  EXPECT_EQ(text(*evidence, "node.cuda.version"), "12.9");
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 1);
  EXPECT_EQ(text(*evidence, "gpu.name", here), "NVIDIA H100 PCIe");
  EXPECT_EQ(number(*evidence, "gpu.index", here), 0);
  EXPECT_EQ(value<bool>(*evidence, "gpu.persistence", here), true);
  EXPECT_EQ(value<bool>(*evidence, "gpu.display", here), false);
  EXPECT_EQ(value<bool>(*evidence, "gpu.ecc.mode", here), true);
  EXPECT_EQ(number(*evidence, "gpu.ecc.volatile.uncorrected", here), 0);
  EXPECT_EQ(number(*evidence, "gpu.temperature.core", here), 31);
  EXPECT_EQ(text(*evidence, "gpu.performance_state", here), "P0");
  EXPECT_EQ(number(*evidence, "gpu.power.draw", here), 52.5);
  EXPECT_EQ(number(*evidence, "gpu.power.limit", here), 350);
  EXPECT_EQ(number(*evidence, "gpu.memory.total", here), 81559. * 1024 * 1024);
  EXPECT_EQ(number(*evidence, "gpu.memory.used", here), 3. * 1024 * 1024);
  EXPECT_EQ(number(*evidence, "gpu.utilization", here), 0.07);
  EXPECT_EQ(text(*evidence, "gpu.compute_mode", here), "Default");
  EXPECT_EQ(value<bool>(*evidence, "gpu.mig.mode", here), false);
  EXPECT_EQ(number(*evidence, "gpu.processes", here), 2);
  EXPECT_EQ(value<bool>(*evidence, "gpu.lost", here), false);
  const auto& provenance = *evidence->observations.front().provenance;
  EXPECT_EQ(provenance.when, "Tue Jul 14 08:12:53 2026");
  EXPECT_EQ(provenance.version, "575.1");
}

TEST(NvidiaSmiTableTest, WindowsNewNamesAndCutNames) {
  const auto evidence = read(
      importer, header("NVIDIA-SMI 610.1   KMD Version: 610.2   CUDA UMD Version: 13.3") +
                    gpu("0  NVIDIA GeForce RTX 2080 ...  WDDM  | 00000000:41:00.0  On | N/A",
                        "38%  45C  P2  N/A /  N/A |  Not Supported |  N/A  E. Process", "| | N/A") +
                    processes("|  0  N/A  N/A   2056  C+G  C:\\Windows\\dwm.exe   N/A |\n"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "node.driver.version"), "610.2");
  EXPECT_EQ(text(*evidence, "node.cuda.version"), "13.3");
  EXPECT_EQ(absence(*evidence, "gpu.name", here), Absence::malformed);
  EXPECT_EQ(only(*evidence, "gpu.persistence", here), nullptr);
  EXPECT_EQ(absence(*evidence, "gpu.ecc.mode", here), Absence::not_supported);
  EXPECT_EQ(only(*evidence, "gpu.ecc.volatile.uncorrected", here), nullptr);
  EXPECT_EQ(absence(*evidence, "gpu.power.draw", here), Absence::not_supported);
  EXPECT_EQ(absence(*evidence, "gpu.memory.total", here), Absence::not_supported);
  EXPECT_EQ(absence(*evidence, "gpu.utilization", here), Absence::not_supported);
  EXPECT_EQ(text(*evidence, "gpu.compute_mode", here), "Exclusive_Process");
}

TEST(NvidiaSmiTableTest, TwoRowsBeforeMig) {
  const auto evidence =
      read(importer,
           "| NVIDIA-SMI 440.82       Driver Version: 440.82       CUDA Version: N/A      |\n"
           "|-------------------------------+----------------------+----------------------+\n"
           "| GPU  Name        Persistence-M| Bus-Id        Disp.A | Volatile Uncorr. ECC |\n"
           "| Fan  Temp  Perf  Pwr:Usage/Cap|         Memory-Usage | GPU-Util  Compute M. |\n"
           "|===============================+======================+======================|\n"
           "|   0  Tesla K80           On   | 00008ABC:41:00.0 Off |                  Off |\n"
           "| N/A   35C    P8    37W / 149W |      0MiB / 12206MiB |      0%   Prohibited |\n"
           "+-------------------------------+----------------------+----------------------+\n"
           "| Processes:                                                       GPU Memory |\n"
           "|  GPU       PID   Type   Process name                             Usage      |\n"
           "|=============================================================================|\n"
           "|    0      1234      C   python                                      100MiB |\n"
           "+-----------------------------------------------------------------------------+\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "node.cuda.version"), Absence::not_supported);
  const std::string k80 = evidence->observations.back().subject;
  EXPECT_EQ(text(*evidence, "gpu.name", k80), "Tesla K80");
  EXPECT_EQ(value<bool>(*evidence, "gpu.ecc.mode", k80), false);
  EXPECT_EQ(number(*evidence, "gpu.processes", k80), 1);
  EXPECT_EQ(text(*evidence, "gpu.compute_mode", k80), "Prohibited");
}

TEST(NvidiaSmiTableTest, MigDevices) {
  const auto evidence =
      read(importer,
           header() +
               gpu("0  NVIDIA A100-SXM4-40GB   On  | 00000000:41:00.0 Off | On",
                   "N/A  24C  P0  42W / 400W | 75MiB / 40960MiB | N/A  Default", "| | Enabled*") +
               good(1, "00000000:42:00.0") +
               "| MIG devices:                                      |\n"
               "| GPU  GI  CI  MIG |  Memory-Usage |  Vol|  Shared  |\n"
               "|==================+===============+=====+==========|\n"
               "|  0    7   0   0  |  5MiB / 4864MiB  | 14  0 |  1  0 |\n"
               "|                  |  0MiB / 8191MiB  |       |       |\n"
               "+------------------+------------------+-------+-------+\n"
               "|  0    8   0   1  |  5MiB / 4864MiB  | 14  0 |  1  0 |\n"
               "+------------------+------------------+-------+-------+\n" +
               processes(none));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(value<bool>(*evidence, "gpu.mig.mode", here), true);
  EXPECT_EQ(value<bool>(*evidence, "gpu.ecc.mode", here), true);
  EXPECT_EQ(number(*evidence, "gpu.mig.instances", here), 2);
  EXPECT_EQ(number(*evidence, "gpu.mig.instances", "gpu:0000:42:00.0"), 0);
  EXPECT_EQ(number(*evidence, "gpu.processes", here), 0);
}

TEST(NvidiaSmiTableTest, GpusThatDontAnswer) {
  const auto evidence = read(
      importer,
      "Unable to determine the device handle for GPU2: 0000:C3:00.0: Unknown Error\n" + header() +
          gpu("0  ERR!                On   | 00000000:41:00.0 Off | ERR!",
              "ERR!  ERR! ERR!    ERR! / ERR! |  0MiB / 46068MiB |  ERR!  Default", "| | ERR!") +
          gpu("1  NVIDIA A40          On   | 00000000:42:00.0 Off | 17",
              "0%  23C  P8  Unknown Error / 300W |  0MiB / 46068MiB |  0%  Default", "| | N/A") +
          good(3, "00000000:43:00.0") + processes(none));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(value<bool>(*evidence, "gpu.lost", here), true);
  EXPECT_EQ(absence(*evidence, "gpu.name", here), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "gpu.temperature.core", here), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "gpu.power.draw", "gpu:0000:42:00.0"), Absence::malformed);
  EXPECT_EQ(number(*evidence, "gpu.power.limit", "gpu:0000:42:00.0"), 300);
  EXPECT_EQ(number(*evidence, "gpu.ecc.volatile.uncorrected", "gpu:0000:42:00.0"), 17);
  EXPECT_EQ(value<bool>(*evidence, "gpu.lost", "gpu:0000:42:00.0"), false);
  EXPECT_EQ(value<bool>(*evidence, "gpu.lost", "gpu:0000:c3:00.0"), true);
  EXPECT_EQ(number(*evidence, "gpu.index", "gpu:0000:43:00.0"), 3);
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 3);
}

TEST(NvidiaSmiTableTest, PartsOfTheTable) {
  const auto chosen = read(importer, header() + good(3) + processes(none));  // -i 3
  ASSERT_TRUE(chosen) << chosen.error().message();
  EXPECT_EQ(only(*chosen, "node.gpu.attached", "node"), nullptr);
  EXPECT_EQ(only(*chosen, "gpu.index", here), nullptr);
  const auto pasted = read(importer, header() + good(0));
  ASSERT_TRUE(pasted) << pasted.error().message();
  EXPECT_EQ(only(*pasted, "node.gpu.attached", "node"), nullptr);
  EXPECT_EQ(only(*pasted, "gpu.processes", here), nullptr);
  const std::string whole = header() + good(0) + processes(none);
  const auto cut = read(importer, whole.substr(0, whole.size() - end.size()));
  ASSERT_TRUE(cut) << cut.error().message();
  EXPECT_EQ(absence(*cut, "gpu.processes", here), Absence::malformed);
}

TEST(NvidiaSmiTableTest, TheLastTableOfAWatchCounts) {
  const std::string two = good(0) + good(1, "00000000:42:00.0") + processes(none);
  const auto evidence = read(importer, header() + two + header() + good(0) + processes(none));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 1);
  expect_error(importer,
               header() + good(0) + processes(none) + header() + good(0, "00000000:17:00.0"), 21,
               "one machine a file");
}

TEST(NvidiaSmiTableTest, ListOfGpus) {
  const auto evidence =
      read(importer,
           "$ nvidia-smi -L\n"
           "GPU 0: NVIDIA A100 (UUID: GPU-1f2e3d4c-aaaa-4bbb-8ccc-0123456789ab)\n"
           "  MIG 1g.5gb      Device  0: (UUID: MIG-1f2e3d4c-aaaa-5bbb-8ccc-0123456789ab)\n"
           "  MIG 1g.5gb      Device  1: (UUID: MIG-2f2e3d4c-aaaa-5bbb-8ccc-0123456789ab)\n"
           "GPU 1: NVIDIA A100 (UUID: GPU-2f2e3d4c-aaaa-4bbb-8ccc-0123456789ab)\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  constexpr std::string_view first = "gpu:GPU-1f2e3d4c-aaaa-4bbb-8ccc-0123456789ab";
  EXPECT_EQ(number(*evidence, "node.gpu.attached"), 2);
  EXPECT_EQ(text(*evidence, "gpu.name", first), "NVIDIA A100");
  EXPECT_EQ(number(*evidence, "gpu.mig.instances", first), 2);
  expect_error(importer, "GPU 0: NVIDIA A100 (UUID: GPU-1f2e3d4c\n", 1, "breaks off");
}

TEST(NvidiaSmiTableTest, Versions) {
  const auto evidence = read(importer,
                             "NVIDIA-SMI version  : 610.43\nNVML version        : 610.43\n"
                             "DRIVER version      : Deprecated, see \"KMD version\" instead\n"
                             "KMD version         : 610.44\nCUDA UMD version    : N/A\n");
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "node.driver.version"), "610.44");
  EXPECT_EQ(absence(*evidence, "node.cuda.version"), Absence::not_supported);
  EXPECT_EQ(evidence->observations.front().provenance->version, "610.43");
}

TEST(NvidiaSmiTableTest, ExcusesAreRefused) {
  expect_error(importer, "Failed to initialize NVML: Driver/library version mismatch\n", 1,
               "reboot");
  expect_error(importer,
               "$ nvidia-smi\nNVIDIA-SMI has failed because it couldn't communicate with the "
               "NVIDIA driver. Make sure\n",
               2, "load the driver");
  expect_error(importer, "No devices were found\n", 1, "no GPU");
}

TEST(NvidiaSmiTableTest, BrokenTablesNameTheLine) {
  const std::string rows = good(0);
  const auto after = [&](std::size_t n) { return header() + rows.substr(0, n); };
  expect_error(importer, after(rows.find('\n') + 1), 8, "breaks off in the rows of GPU 0");
  expect_error(importer, after(rows.find('\n') - 5), 8, "three cells");
  expect_error(importer, header(), 7, "shows no GPU");
  expect_error(importer, "| NVIDIA-SMI 575.1    Driver Version: 57", 1, "breaks off");
  expect_error(importer, header() + gpu("x  A  On | 00000000:41:00.0 Off | 0", "| |", "| |"), 8,
               "lacks");
  expect_error(importer,
               header() + gpu("0  A  On | 00000000:41:00.0 Off | 0",
                              "N/A 31C P0 52,5W / 350W | 1MiB / 2MiB | 0% Default", "| | N/A"),
               9, "decimal comma");
  expect_error(importer, header() + std::string("| \0 |\n", 6), 8, "NUL");
  std::string many = header();
  for (int i = 0; i < 1025; ++i) many += good(i);
  expect_error(importer, many, 8 + 1024 * 4, "more than 1024");
}

TEST(NvidiaSmiTableTest, RecognisesItsOwn) {
  EXPECT_TRUE(importer.recognises("```\nMon Jun 22 23:04:33 2026\n" + header()));
  EXPECT_TRUE(importer.recognises("NVIDIA-SMI version  : 595.80\n"));
  EXPECT_TRUE(importer.recognises("GPU 0: Tesla T4 (UUID: GPU-1f2e3d4c-aaaa)\n"));
  EXPECT_TRUE(importer.recognises("No devices were found\n"));
  // gpu_burn names its GPUs like -L.
  EXPECT_FALSE(importer.recognises("GPU 0: Tesla T4 (UUID: GPU-1f2e3d4c-aaaa)\nInitialized\n"));
  EXPECT_FALSE(importer.recognises(
      "| NVIDIA-SMI 535   Driver Version: 535    |\n| GPU  Name | Bus-Id |\n| vGPU ID  Name |\n"));
  EXPECT_FALSE(importer.recognises("nothing\n"));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
