// SPDX-License-Identifier: Apache-2.0
// The fixed parts of what `gpuvet request` writes.
#pragma once

#include <string_view>

namespace gpuvet::app {

inline constexpr std::string_view request_head = R"(# What we ask for before we buy

We judge offers from evidence, not from data sheets. Please send one folder for the very server that
is offered (or an identical one), with the files below. gather.sh collects what can be collected;
declared.toml is a form for what only documents say. Files may keep the names that the script gives
them; they are recognised by content.

## Required

)";

inline constexpr std::string_view request_tail = R"(
## Welcome

- The kernel log of the burn-in (dmesg), ibstat, lspci -vvv, dmidecode, ipmitool sdr elist and sel
  elist, nvme list, the Redfish tree as JSON: whatever gather.sh could collect
- nvbandwidth or p2pBandwidthLatencyTest, gpu-burn or gpu-fryer, dcgmi diag -r 3 -j
- The form declared.toml, each answer with document and page

gpuvet reads many more kinds of files (gpuvet list importers); send what you have.

## How to run it

As root on the server, with the NVIDIA driver installed and no other job running:

    sh gather.sh evidence            # seconds: inventory, topology, logs
    sh gather.sh evidence --load 48  # hours: the same, and a thermal log while your load runs

A thermal log counts when it covers the time asked, with at least 95 % of the samples at 95 % GPU
utilization or more, and no gap over 10 s.
)";

inline constexpr std::string_view gather_script = R"(#!/bin/sh
# Gathers evidence about a GPU server with the tools that are there. Changes nothing.
# Usage: sh gather.sh FOLDER [--load HOURS]
set -u
out=${1:-evidence}
hours=0
[ "${2:-}" = "--load" ] && hours=${3:-48}
mkdir -p "$out" || exit 1

run() {  # file, command…: keeps the output if the tool exists
  file=$1; shift
  command -v "$1" >/dev/null 2>&1 || { echo "skipped $file: no $1"; return; }
  "$@" >"$out/$file" 2>"$out/$file.err" || echo "$file: $1 failed, see $file.err"
  [ -s "$out/$file.err" ] || rm -f "$out/$file.err"
}

export LC_ALL=C
run nvidia-smi.xml    nvidia-smi -q -x
run topo.txt          nvidia-smi topo -m
run topo-p2p.txt      nvidia-smi topo -p2p r
run nvlink.txt        nvidia-smi nvlink -s
run nvlink-errors.txt nvidia-smi nvlink -e
run dmesg.txt         dmesg
run lspci.txt         lspci -vvv
run dmidecode.txt     dmidecode
run lscpu.txt         lscpu
run numactl.txt       numactl --hardware
run free.txt          free -b
run ibstat.txt        ibstat
run rdma.txt          rdma link
run nvme.json         nvme list -o json
run sdr.txt           ipmitool sdr elist
run sel.txt           ipmitool sel elist
run fru.txt           ipmitool fru
run mc.txt            ipmitool mc info
run power.txt         ipmitool dcmi power reading
run chrony.txt        chronyc tracking
run timedatectl.txt   timedatectl
run dcgm.txt          dcgmi discovery -l
run gdscheck.txt      gdscheck -p
run nvbandwidth.txt   nvbandwidth
[ -r /var/log/fabricmanager.log ] && run fabricmanager.log tail -n 5000 /var/log/fabricmanager.log

gpus=$(nvidia-smi --list-gpus 2>/dev/null | wc -l)
[ "$gpus" -gt 1 ] && run all_reduce.txt all_reduce_perf -b 8 -e 16G -f 2 -g "$gpus"

if [ "$hours" -gt 0 ]; then
  echo "Logging for $hours h. Start the load on all GPUs now; stop with Ctrl-C."
  timeout "${hours}h" nvidia-smi -l 1 --format=csv \
    --query-gpu=timestamp,index,uuid,pci.bus_id,name,utilization.gpu,temperature.gpu,temperature.memory,power.draw,clocks.sm,clocks_event_reasons.active \
    >"$out/thermal.csv"
  run dmesg-after.txt dmesg
fi
echo "Done: send the folder $out"
)";

}  // namespace gpuvet::app
