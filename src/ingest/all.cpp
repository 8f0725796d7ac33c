// SPDX-License-Identifier: Apache-2.0
// The importers, in the order in which they are asked. To add one: its file, and one line here.
#include <array>

#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer nvidia_smi_xml();
Importer nvidia_smi_topo();
Importer nccl_tests();
Importer nvidia_smi_query_csv();
Importer kernel_log();

std::span<const Importer> all() {
  static const std::array importers = {
      nvidia_smi_xml(), nvidia_smi_topo(), nccl_tests(), nvidia_smi_query_csv(), kernel_log(),
  };
  return importers;
}

const Importer* recognise(std::string_view head) {
  for (const auto& importer : all())
    if (importer.recognises(head)) return &importer;
  return nullptr;
}

}  // namespace gpuvet::ingest
