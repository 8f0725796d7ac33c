// SPDX-License-Identifier: Apache-2.0
// The importers, in the order in which they are asked: a kind whose files may hold another kind's
// text stands before it. To add one: its file, and two lines here.
#include <array>

#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_xml();
Importer nvidia_smi_nvlink();
Importer nvidia_smi_topo_p2p();
Importer nvidia_smi_topo();
Importer nvidia_smi_dmon();
Importer nvidia_smi_table();
Importer nvidia_smi_help();
Importer nvidia_smi_q();
Importer nvidia_smi_query_csv();
Importer telemetry_csv();
Importer superbench_monitor();
Importer nccl_topo_xml();
Importer hwloc_xml();
Importer nccl_debug();
Importer nccl_tests();
Importer nvbandwidth();
Importer p2p_bandwidth();
Importer bandwidth_test();
Importer gpu_burn();
Importer gpu_burn_csv();
Importer gpu_fryer();
Importer mllog();
Importer dcgm_diag();
Importer dcgm_discovery();
Importer dcgm_health();
Importer dcgm_nvlink();
Importer dcgm_topo();
Importer dcgm_dmon();
Importer dcgm_proftester();
Importer dcgm_listing();
Importer kernel_log();
Importer fabricmanager();
Importer gds();
Importer lspci();
Importer lspci_tree();
Importer dmidecode();
Importer lscpu();
Importer numactl();
Importer memory_usage();
Importer ibstat();
Importer ibstatus();
Importer ibv_devinfo();
Importer ibdev2netdev();
Importer rdma_link();
Importer perfquery();
Importer ibswinfo();
Importer infiniband_sysfs();
Importer perftest();
Importer fio_json();
Importer nvme_list();
Importer smartctl();
Importer lsblk();
Importer ipmi_sensors();
Importer ipmi_sel();
Importer ipmi_info();
Importer redfish();
Importer chronyc_tracking();
Importer timedatectl();
Importer declared();

std::span<const Importer> all() {
  // A line for each family.
  // clang-format off
  static const std::array importers = {
      nvidia_smi_xml(), nvidia_smi_query_csv(), nvidia_smi_nvlink(), nvidia_smi_topo_p2p(), nvidia_smi_topo(), nvidia_smi_dmon(), nvidia_smi_help(), nvidia_smi_q(), nvidia_smi_table(),
      telemetry_csv(), superbench_monitor(),
      nccl_topo_xml(), hwloc_xml(), nccl_debug(), nccl_tests(),
      nvbandwidth(), p2p_bandwidth(), bandwidth_test(), gpu_burn(), gpu_burn_csv(), gpu_fryer(), mllog(),
      dcgm_diag(), dcgm_discovery(), dcgm_health(), dcgm_nvlink(), dcgm_topo(), dcgm_dmon(), dcgm_proftester(), dcgm_listing(),
      kernel_log(), fabricmanager(), gds(),
      lspci(), lspci_tree(), dmidecode(), lscpu(), numactl(), memory_usage(),
      ibstat(), ibstatus(), ibv_devinfo(), ibdev2netdev(), rdma_link(), perfquery(), ibswinfo(), infiniband_sysfs(), perftest(),
      fio_json(), nvme_list(), smartctl(), lsblk(),
      ipmi_sensors(), ipmi_sel(), ipmi_info(), redfish(),
      chronyc_tracking(), timedatectl(), declared(),
  };
  // clang-format on
  return importers;
}

const Importer* recognise(std::string_view head) {
  for (const auto& importer : all())
    if (importer.recognises(head)) return &importer;
  return nullptr;
}

}  // namespace gpuvet::ingest
