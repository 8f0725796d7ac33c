// SPDX-License-Identifier: Apache-2.0
// Evidence with one of everything that JSON must carry.
#pragma once

#include <limits>
#include <memory>
#include <utility>

#include "evidence/evidence.hpp"

namespace gpuvet::testing {

inline Provenance sample_provenance() {
  return {How::measured, Custody::own,           "nvidia-smi -q -x",
          "v12",         "sources/01-query.xml", "2026-11-22T14:00:00Z"};
}

inline Evidence sample_evidence() {
  Evidence out;
  Recorder recorder{out, sample_provenance()};
  recorder.line(17);
  recorder.number("gpu.temperature.core"_id, "gpu:GPU-1", 62.5);
  recorder.number("collective.all_reduce.busbw"_id, "node", 234.9e9,
                  {{"gpus", 8.0}, {"bytes", 17179869184.0}, {"datatype", std::string("float")}});
  recorder.texts("topology.columns"_id, "node", {"GPU0", "NIC \"0\"", "µ\x01"});
  recorder.absent("gpu.power.draw"_id, "gpu:GPU-1", Absence::permission, "ask as root");
  Table table{"thermal.log", "gpu:GPU-1", {{"gpus", 1.0}}, {}, {}};
  table.columns.push_back({"time", Unit::second, {0, 1, 2.5}});
  table.columns.push_back(
      {"temperature", Unit::celsius, {60, std::numeric_limits<double>::quiet_NaN(), 61}});
  recorder.table(std::move(table));
  return out;
}

}  // namespace gpuvet::testing
