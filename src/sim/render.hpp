// SPDX-License-Identifier: Apache-2.0
// The simulated server as the tools of its operating system would print it: what a vendor sends.
// Every file comes from the same World as NVML and tree, so that both judge alike.
#pragma once

#include <string>
#include <vector>

#include "sim/world.hpp"

namespace gpuvet::sim {

struct Rendered {
  std::string name;  ///< "nvidia-smi.xml"
  std::string text;
};

/// All that follows, as far as this server has it: the log's samples are `log`, oldest first, and
/// the last of them is the server that everything else shows.
std::vector<Rendered> render_files(const std::vector<World>& log);

std::string render_topo(const World&);                    ///< nvidia-smi topo -m
std::string render_report(const World&);                  ///< nvidia-smi -q
std::string render_report_xml(const World&);              ///< nvidia-smi -q -x
std::string render_link_states(const World&);             ///< nvidia-smi nvlink -s
std::string render_link_errors(const World&);             ///< nvidia-smi nvlink -e
std::string render_query_log(const std::vector<World>&);  ///< nvidia-smi --query-gpu=… -l

std::string render_ibstat(const World&);
std::string render_dmesg(const World&);
std::string render_lscpu(const World&);
std::string render_numactl(const World&);          ///< numactl -H
std::string render_ports(const World&);            ///< grep -r . /sys/class/infiniband/*/
std::string render_lspci(const World&);            ///< lspci -Dnnvvv
std::string render_drives(const World&);           ///< nvme list
std::string render_chronyc(const World&);          ///< chronyc tracking
std::string render_ipmi_controller(const World&);  ///< ipmitool mc info
std::string render_ipmi_fru(const World&);
std::string render_ipmi_sensors(const World&);  ///< ipmitool sdr elist
std::string render_ipmi_log(const World&);      ///< ipmitool sel elist

/// "200 Gb/sec (4X HDR)" of /sys/class/infiniband.
std::string render_rate(const Nic&);

/// What the simulated clock shows `seconds` after the machine booted; strftime's format.
std::string render_time(const World&, double seconds, const char* format);

}  // namespace gpuvet::sim
