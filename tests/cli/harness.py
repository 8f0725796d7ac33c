# SPDX-License-Identifier: Apache-2.0
"""Runs the program as its users do. GPUVET names the binary, GPUVET_SOURCE_DIR the checkout."""
import json
import os
import pathlib
import resource
import subprocess
import tempfile

SOURCE = pathlib.Path(os.environ["GPUVET_SOURCE_DIR"])
BINARY = os.environ["GPUVET"]
# A simulated server is thousands of files: in memory where there is room for that.
if "TMPDIR" not in os.environ and os.access("/dev/shm", os.W_OK):
    tempfile.tempdir = "/dev/shm"
EXAMPLES = ("a100-8gpu-nvswitch", "pcie-nvlink-ready", "sick-gpu")


class Ran:
    def __init__(self, process):
        self.code = process.returncode
        self.out = process.stdout
        self.err = process.stderr

    @property
    def json(self):
        return json.loads(self.out)


def gpuvet(*args, stdin=None, cwd=SOURCE, memory_mib=None, timeout=60, env=None):
    """Runs gpuvet ARGS. memory_mib bounds the address space."""
    def limit():
        if memory_mib:
            resource.setrlimit(resource.RLIMIT_AS, (memory_mib << 20, memory_mib << 20))
    if isinstance(stdin, str):
        stdin = stdin.encode()
    process = subprocess.run([BINARY, *map(str, args)], input=stdin if stdin is not None else b"", capture_output=True,
                             cwd=cwd, preexec_fn=limit, timeout=timeout, check=False, env={**os.environ, **(env or {})})
    process.stdout = process.stdout.decode("utf-8", "replace")
    process.stderr = process.stderr.decode("utf-8", "replace")
    return Ran(process)


def findings(document, status):
    return {(f["id"], f["subject"]) for f in document["findings"] if f["status"] == status}


def observation(document, name, subject="node"):
    values = [o["value"] for o in document["observations"] if o["id"] == name and o["subject"] == subject]
    return values[-1] if values else None


TOPO = """\tGPU0\tGPU1\tCPU Affinity\tNUMA Affinity
GPU0\t X \tNV12\t0-23\t0
GPU1\tNV12\t X \t24-47\t1

Legend:

  X    = Self
"""
XML = """<?xml version="1.0" ?>
<nvidia_smi_log>
\t<driver_version>550.54.15</driver_version>
\t<attached_gpus>1</attached_gpus>
\t<gpu id="00000000:07:00.0">
\t\t<product_name>NVIDIA A100-SXM4-80GB</product_name>
\t\t<uuid>GPU-418fa42e-dfc1-0df4-ddea-f957710a358e</uuid>
\t\t<fb_memory_usage><total>81920 MiB</total></fb_memory_usage>
\t</gpu>
</nvidia_smi_log>
"""
CSV = """timestamp, index, utilization.gpu [%], temperature.gpu, power.draw [W]
2026/10/01 08:00:00.000, 0, 100 %, 60, 300.12 W
2026/10/01 08:00:01.000, 0, 100 %, 61, 301.34 W
2026/10/01 08:00:02.000, 0, 100 %, 61, 301.50 W
"""
NCCL = """# nThread 1 nGpus 2 minBytes 8 maxBytes 16 step: 2(factor) warmup iters: 5 iters: 20 agg iters: 1 validation: 1 graph: 0
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
  4294967296    1073741824     float     sum      -1    17895  240.00  240.00      0    17895  240.00  240.00      0
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 240
"""
LOG = """[    1.000000] Linux version 5.15.0-122-generic
[    2.000000] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15  Tue Mar  5 22:23:56 UTC 2024
[   90.000000] NVRM: Xid (PCI:0000:07:00): 79, GPU has fallen off the bus.
"""
KINDS = {"nvidia_smi_topo": TOPO, "nvidia_smi_xml": XML, "nvidia_smi_query_csv": CSV, "nccl_tests": NCCL, "kernel_log": LOG}
