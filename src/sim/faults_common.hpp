// SPDX-License-Identifier: Apache-2.0
// Inside sim: what the faults' files share.
#pragma once

#include <string>

#include "sim/faults.hpp"

namespace gpuvet::sim {

/// The GPU meant: the one named, else the sixth or the last, since the first hides wrong subjects.
Result<Gpu*> gpu_meant(World& world, int target);

/// Writes what the kernel says the moment the fault began.
void log(World& world, double seconds, int level, std::string text);

/// "NVRM: Xid (PCI:0000:07:00): 79, ...": as the driver writes it.
void log_xid(World& world, const Gpu& gpu, double seconds, int code, const std::string& text);

/// Writes an entry into the management controller's event log, where there is one.
void log_event(World& world, double seconds, std::string sensor, std::string event);

using Applied = Result<void>;

Applied gpu_lost(World&, int, double);
Applied ecc_contained(World&, int, double);
Applied ecc_uncontained(World&, int, double);
Applied remap_pending(World&, int, double);
Applied remap_failure(World&, int, double);
Applied ecc_off(World&, int, double);
Applied nvlink_down(World&, int, double);
Applied nvlinks_down(World&, int, double);
Applied nvlink_errors(World&, int, double);
Applied pcie_generation(World&, int, double);
Applied pcie_width(World&, int, double);
Applied gpu_hot(World&, int, double);
Applied airflow_blocked(World&, int, double);
Applied fan_failed(World&, int, double);
Applied supply_lost(World&, int, double);
Applied power_capped(World&, int, double);
Applied memory_hot(World&, int, double);
Applied clock_stuck(World&, int, double);
Applied mixed_sku(World&, int, double);
Applied mixed_vbios(World&, int, double);
Applied mig_on(World&, int, double);
Applied persistence_off(World&, int, double);
Applied inforom_corrupt(World&, int, double);
Applied gpu_busy(World&, int, double);
Applied fabric_manager_down(World&, int, double);
Applied nvswitch_error(World&, int, double);
Applied gsp_timeout(World&, int, double);
Applied call_hangs(World&, int, double);
Applied symbol_missing(World&, int, double);
Applied nic_down(World&, int, double);
Applied nic_half_rate(World&, int, double);
Applied nic_flapping(World&, int, double);
Applied sel_entries(World&, int, double);
Applied dimm_missing(World&, int, double);
Applied swap_on(World&, int, double);
Applied clock_offset(World&, int, double);
Applied acs_on(World&, int, double);
Applied nccl_variable(World&, int, double);
Applied drive_missing(World&, int, double);

}  // namespace gpuvet::sim
