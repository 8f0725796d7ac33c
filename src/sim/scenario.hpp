// SPDX-License-Identifier: Apache-2.0
// What a simulated server is made of, as data/scenarios/<id>.toml says it. A World is built from it
// and from the catalogue's GPU; nothing here changes with time.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/result.hpp"

namespace gpuvet::sim {

/// How GPUs reach each other without the processors.
enum class Fabric {
  none,      ///< PCIe only
  bridged,   ///< neighbours in pairs, all links to one peer
  direct,    ///< every pair, the links shared out evenly
  nvswitch,  ///< all links into switches
};

/// One root complex and what hangs below it.
struct RootComplex {
  int numa = 0;
  /// 0: each device at a root port of its own; 1: all below one switch; 2: GPUs and adapters below
  /// a switch each, which share an uplink.
  int switches = 0;
  std::vector<int> gpus;              ///< indices as NVML counts them
  std::vector<std::string> adapters;  ///< names of Adapter below
  int drives = 0;
};

struct Adapter {
  std::string name;                ///< "mlx5_0", or "eno1" for one without RDMA
  std::string model;               ///< "MT4123", "MT4129"; for people and ibstat
  std::string vendor_id = "15b3";  ///< PCI
  std::string device_id;           ///< PCI, "101b"
  std::string firmware;            ///< "20.35.2000"
  std::string layer;               ///< "InfiniBand" or "Ethernet"
  double rate = 0;                 ///< bytes per second of its port
  bool rdma = true;
};

struct Drives {
  int count = 0;
  std::string model, firmware;
  double capacity = 0;  ///< bytes of one
};

struct HostShape {
  std::string vendor, product, board, bios;
  std::string cpu;                    ///< as /proc/cpuinfo has it
  int sockets = 2, cores = 32;        ///< cores of one socket
  int threads = 2;                    ///< of one core
  int numa_nodes = 2;                 ///< of the whole machine
  int dimms = 16, dimm_slots = 16;    ///< fitted, and places for them
  double dimm_size = 0;               ///< bytes of one
  int dimm_rate = 3200;               ///< MT/s
  std::string dimm_type = "DDR4";     ///<
  int free_slots = 2;                 ///< PCIe x16 slots that nothing occupies
  int slot_generation = 4;            ///< of all of them
  int supplies = 4, fans = 8;         ///<
  double supply_power = 3000;         ///< watts of one power supply
  std::string bmc_firmware = "1.10";  ///< empty: no management controller (a cloud machine)
  std::string kernel = "5.15.0-122-generic";
};

/// What differs between GPUs of one server: no two heat sinks are alike.
struct Variation {
  double resistance = 1;  ///< of the heat sink, relative
  double leakage = 1;     ///< idle and busy power, relative
};

/// One stretch of work: from `start` seconds on all GPUs are this busy.
struct Work {
  double start = 0;
  double load = 0;  ///< 0 idle, 1 all that the power limit allows
};

struct Scenario {
  std::string id, title;
  std::string server;             ///< of the catalogue; empty: none
  std::vector<std::string> gpus;  ///< catalogue id of each, in NVML's order; empty: no GPU
  Fabric fabric = Fabric::none;
  int switches = 0;  ///< NVSwitches
  std::string driver = "550.54.15";
  int cuda = 12040;           ///< as NVML counts: 12.4
  bool open_modules = false;  ///< the driver's open kernel modules
  double ambient = 25;        ///< degrees Celsius at the inlet
  double power_limit = 0;     ///< watts of each GPU where the board was ordered so; 0: its tdp
  double resistance = 0;      ///< kelvin per watt from core to air; 0: as its tdp needs
  double capacity = 0;        ///< joules per kelvin of GPU and heat sink; 0: likewise
  HostShape host;
  std::vector<RootComplex> roots;
  std::vector<Adapter> adapters;
  Drives drives;
  std::map<int, Variation> variations;  ///< by GPU; the others are as made
  std::vector<Work> profile;            ///< by time; none: idle
  /// Criteria that fail or warn on this server as it is, with the reason. All others pass.
  std::vector<std::pair<std::string, std::string>> known;
};

/// Parses one scenario; the error names the line.
Result<Scenario> parse_scenario(std::string_view toml);

/// The scenarios that were built in, by id: name and TOML.
struct Named {
  std::string id;
  std::string_view toml;
};
std::vector<Named> scenarios();

/// data/scenarios as it was when gpuvet was built. Generated (cmake/Embed.cmake).
std::vector<catalogue::File> embedded_scenarios();

/// The built-in scenario of that name.
Result<Scenario> scenario_named(std::string_view id);

/// The catalogue's GPUs of these ids, and nothing else of it: what a simulation starts from.
Result<catalogue::Catalogue> gpu_parts(const std::vector<std::string>& ids);

}  // namespace gpuvet::sim
