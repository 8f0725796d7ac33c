// SPDX-License-Identifier: Apache-2.0
// The state of a simulated server at one moment: everything that NVML, the kernel's files, the
// management controller and other tools show of it. Faults change it; renderers only read it.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/scenario.hpp"

namespace gpuvet::sim {

/// Where a PCI device hangs.
struct Place {
  std::string root;               ///< "0000:40", the root complex
  std::vector<std::string> path;  ///< root port, switch ports in pairs, the device itself
  int numa = 0;
  [[nodiscard]] const std::string& address() const { return path.back(); }
};

/// A root port or a switch's port.
struct Bridge {
  Place place;
  bool acs = false;  ///< redirects requests and completions of peers upstream
};

struct NvLink {
  bool up = true;
  std::string remote;  ///< PCI address of the GPU or switch at the other end
  bool to_switch = false;
  std::uint64_t crc_flit = 0, crc_data = 0, replay = 0, recovery = 0, ecc = 0;
};

struct PcieLink {
  int generation = 4, generation_max = 4;  ///< max: what GPU and slot agree on
  int generation_own = 4;                  ///< what the GPU itself could do
  int width = 16, width_max = 16;
  std::uint64_t replays = 0;
};

struct Limits {
  double max_operating = 0, slowdown = 0, shutdown = 0, memory = 0;  ///< degrees; 0: not told
  bool margins = false;  ///< the driver tells a margin (from Hopper on), no limits
};

struct EccCounts {
  std::uint64_t corrected_dram = 0, uncorrected_dram = 0, corrected_sram = 0, uncorrected_sram = 0;
};

struct Process {
  unsigned pid = 0;
  std::string name;
  std::uint64_t memory = 0;
};

/// Heat: what decides a GPU's temperature.
struct Thermal {
  double resistance = 0.11;  ///< kelvin per watt, fans as they are
  double capacity = 900;     ///< joules per kelvin
  double memory_over = 8;    ///< memory above core, at full power
  double fan_share = 1;      ///< of the air that should come past it
  double busy_power = 0;     ///< watts at full load without any cap
  double idle_power = 0;
};

struct Gpu {
  int index = 0, minor = 0;
  std::string sku;  ///< catalogue id
  std::string name, uuid, serial, part_number, vbios, inforom, gsp_firmware;
  std::string device_id, subsystem_id;  ///< "20b2", "1463"; vendor 10de
  std::string architecture;             ///< "Ampere"
  int capability_major = 8, capability_minor = 0;
  int cores = 0, bus_width = 0;
  std::uint64_t memory = 0, memory_reserved = 0, memory_used = 0, bar1 = 0, bar1_used = 0;
  Place place;
  std::string cpus;  ///< "0-15,128-143", those near it
  PcieLink pcie;
  std::vector<NvLink> links;
  double link_speed = 0;  ///< bytes per second of one link, one way
  Limits limits;
  Thermal thermal;
  double temperature = 0, memory_temperature = 0;
  double power = 0, power_limit = 0, power_default = 0, power_min = 0, power_max = 0;
  double energy = 0;  ///< joules since the driver was loaded
  double clock = 0, clock_max = 0, memory_clock = 0, memory_clock_max = 0;  ///< hertz
  double clock_cap = 0;  ///< hertz above which it does not go; 0: none
  double load = 0, utilization = 0, memory_utilization = 0;  ///< 1 = all
  unsigned long long reasons = 0;                            ///< bits of nvml::Reason
  std::map<unsigned, double> reason_seconds;                 ///< by bit: how long each was set
  bool ecc_supported = true, ecc = true, ecc_pending = true;
  EccCounts volatile_ecc, aggregate_ecc;
  bool remaps_rows = true;  ///< else it retires pages
  unsigned remap_corrected = 0, remap_uncorrected = 0;
  bool remap_pending = false, remap_failure = false;
  std::array<unsigned, 5> remap_banks{};  ///< max, high, partial, low, none
  unsigned retired_single = 0, retired_double = 0;
  bool retired_pending = false;
  bool mig = false, mig_supported = true, persistence = true, accounting = false;
  bool inforom_valid = true;
  int fabric_state = 0;   ///< 0 not supported, 1 not started, 2 in progress, 3 completed
  int fabric_status = 0;  ///< an nvml::Return
  int fabric_health = 1;  ///< 1 healthy, 2 unhealthy, 3 limited
  int recovery_action = 0;
  bool recovery_supported = false;
  std::vector<Process> processes;
  bool lost = false;                    ///< fell off the bus: gone from the tree too
  unsigned long long held_reasons = 0;  ///< bits of nvml::Reason that a fault keeps set
  std::string hangs_in;                 ///< NVML function that never returns for it
};

struct NvSwitch {
  Place place;
  bool errors = false;
};

struct Nic {
  Adapter made;  ///< as bought
  Place place;
  std::string state = "4: ACTIVE", physical = "5: LinkUp";  ///< as /sys/class/infiniband says
  double rate = 0;                                          ///< bytes per second now
  std::uint64_t link_downed = 0, symbol_errors = 0, carrier_downs = 0;
  std::string guid;                        ///< "b8ce:f603:00a1:2b30"
  std::string interface;                   ///< "ib0", "ens1f0np0"
  int generation_max = 4, width_max = 16;  ///< PCIe
};

struct Drive {
  std::string name;  ///< "nvme0"
  std::string model, serial, firmware;
  std::uint64_t capacity = 0;
  Place place;
};

struct Dimm {
  std::string locator;     ///< "P0_DIMM_A1"
  std::uint64_t size = 0;  ///< bytes; 0: the place is empty
  std::string type, manufacturer, part, serial;
  int rate = 0, configured_rate = 0;  ///< MT/s
};

struct Slot {
  std::string name;  ///< "PCIE_SLOT3"
  int generation = 4, lanes = 16;
  bool in_use = false;
  std::string address;  ///< of what is in it, or of the port; empty: unknown
};

struct LogLine {
  double at = 0;  ///< seconds since boot
  int level = 6;  ///< as syslog counts
  std::string text;
};

enum class SensorKind { temperature, fan, power, voltage, supply, other };

struct Sensor {
  std::string name;  ///< "Inlet Temp", "PSU2 Status", "FAN3"
  SensorKind kind = SensorKind::temperature;
  double reading = 0;
  std::optional<double> upper_warning, upper_critical, lower_critical;
  std::string state = "ok";  ///< "ok", "nc", "cr", "nr"; discrete sensors: "Presence detected"
  bool present = true;       ///< a discrete supply or fan that is there
};

struct SelEntry {
  double at = 0;  ///< seconds since boot
  std::string sensor, event;
  bool asserted = true;
};

struct Cpu {
  std::string model;
  int sockets = 0, cores = 0, threads = 0;  ///< cores of a socket, threads of a core
};

struct NumaNode {
  std::string cpus;  ///< "0-15,128-143"
  std::uint64_t memory = 0, free = 0;
};

struct World {
  Scenario made;        ///< as ordered; faults change what follows, not this
  double time = 0;      ///< simulated seconds since the scenario began
  double booted = 600;  ///< seconds that the machine had been up by then
  std::string hostname, kernel, driver, cuda_text;
  double ambient = 25;

  std::vector<Gpu> gpus;  ///< lost ones stay, marked
  std::vector<NvSwitch> switches;
  std::vector<Bridge> bridges;
  std::vector<Nic> nics;
  std::vector<Drive> drives;
  std::vector<Dimm> dimms;
  std::vector<Slot> slots;
  Cpu cpu;
  std::vector<NumaNode> numa;
  std::uint64_t memory = 0, memory_free = 0, swap = 0, swap_used = 0;  ///< bytes
  std::string governor = "performance";
  bool iommu = false;  ///< translating

  std::vector<LogLine> log;     ///< the kernel's, in order of time
  std::vector<Sensor> sensors;  ///< the management controller's; none: there is no controller
  std::vector<SelEntry> sel;
  std::map<std::string, std::string> environment;  ///< of the job: NCCL_..., CUDA_...
  double clock_offset = 0;                         ///< seconds that the system clock is ahead
  bool clock_synchronised = true;
  bool driver_loaded = true;
  bool peer_memory = true, uvm = true, storage = true;  ///< nvidia_peermem, nvidia_uvm, nvidia_fs
  bool needs_fabric_manager = false, fabric_manager = true;
  bool persistence_daemon = true;
  std::vector<std::string> missing_functions;  ///< NVML functions that this driver lacks
};

/// The server as it left the factory: idle, cool, all well. `gpus` are the catalogue's.
Result<World> build(const Scenario& scenario, const catalogue::Catalogue& gpus);

/// How NVML and `nvidia-smi topo -m` rank the way between two devices: nvml::Topology.
unsigned common_ancestor(const Place& a, const Place& b);

}  // namespace gpuvet::sim
