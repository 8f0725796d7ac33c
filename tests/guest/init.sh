#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The guest's first process: sets the machine up, lets gpuvet look at it, switches it off. What it
# found goes as an archive onto the NVMe drive, which the test reads afterwards.
export PATH=/bin:/usr/bin:/usr/sbin HOME=/
mkdir -p /proc /sys /dev /tmp /run /out
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
say() { echo "guest: $(cut -d' ' -f1 /proc/uptime) s: $*"; }
hostname gx8
say "up"
while read -r module; do
  insmod "$module" || say "cannot load $module"
done </modules/order
# ipmi_si asks the controller in the background; udev is not here to wait for it.
tries=0
until [ -e /dev/ipmi0 ] && [ -b /dev/nvme0n1 ] || [ $tries -ge 100 ]; do
  tries=$((tries + 1))
  sleep 0.1
done
ip link set lo up
for card in /sys/class/net/eth*; do ip link set "${card##*/}" up; done
# The adapter behind the switch offers RDMA.
for card in /sys/class/net/eth*; do
  case $(readlink -f "$card") in
    */@SWITCH@/*) rdma link add rxe0 type rxe netdev "${card##*/}" ;;
  esac
done
rdma link
say "ready"
run() {
  name=$1
  shift
  "$@" >"/out/$name.out" 2>"/out/$name.err"
  echo $? >"/out/$name.code"
  say "$name: $(cat "/out/$name.code")"
}
run vet gpuvet vet --json -
run page gpuvet vet --no-color
run collect gpuvet collect --out /out/bundle
run again gpuvet vet --json - /out/bundle
run plain su -s /bin/sh nobody -c "gpuvet vet --json -"
# Into the event log: sensor 30h, a temperature (type 01h), crosses its upper critical limit (59h).
ipmitool raw 0x0a 0x44 0 0 2 0 0 0 0 0x20 0 4 0x01 0x30 0x01 0x59 0xff 0xff
run event gpuvet vet --json -
cp /proc/uptime /out/uptime
dmesg >/out/dmesg.txt
tar -c -f /tmp/out.tar -C /out .
dd if=/tmp/out.tar of=/dev/nvme0n1 bs=1M conv=fsync 2>/dev/null
say "done"
poweroff -f
