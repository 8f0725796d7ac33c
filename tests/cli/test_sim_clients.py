# SPDX-License-Identifier: Apache-2.0
"""Programs that others wrote see the simulated GPUs: gpustat, nvtop, hwloc, Slurm, each as Debian builds it.

The packages are fetched into a folder of their own with a private apt configuration (some are in contrib), or
taken from the folder that GPUVET_CLIENTS names. Where neither works, the test is skipped.
"""
import fcntl
import json
import os
import pathlib
import pty
import re
import select
import shutil
import struct
import subprocess
import sys
import tempfile
import termios
import time
import unittest

from harness import BINARY, gpuvet

PACKAGES = ("nvtop python3-pynvml gpustat python3-blessed python3-wcwidth python3-psutil python3-six "
            "libhwloc-contrib-plugins slurm-wlm-nvml-plugin slurmd slurm-wlm-basic-plugins libmunge2").split()
CLIENTS = None
DEBIAN_PYTHON = "/usr/bin/python3"  # for which Debian's modules are built


def mirror():
    """The address that this machine's own apt uses."""
    sources = [*pathlib.Path("/etc/apt").glob("sources.list"), *pathlib.Path("/etc/apt/sources.list.d").glob("*")]
    for file in sources:
        found = re.search(r"(https?://\S+/debian)/?\s", file.read_text(errors="replace"))
        if found:
            return found[1]
    return None


def fetch(folder):
    """Unpacks PACKAGES below folder/root; why not, where that fails."""
    release = pathlib.Path("/etc/os-release").read_text() if pathlib.Path("/etc/os-release").exists() else ""
    if "VERSION_CODENAME=bookworm" not in release or not shutil.which("apt-get") or not mirror():
        return "this is no Debian 12"
    for name in ("etc", "lists/partial", "cache/archives/partial", "packages", "root"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (folder / "etc/sources.list").write_text(f"deb [signed-by={keys}] {mirror()} bookworm main contrib\n")
    config = folder / "apt.conf"
    config.write_text(f'Dir::Etc::sourcelist "{folder}/etc/sources.list";\nDir::Etc::sourceparts "-";\n'
                      f'Dir::State::lists "{folder}/lists";\nDir::Cache "{folder}/cache";\n')
    env = {**os.environ, "APT_CONFIG": str(config)}
    for command in (["update"], ["download", *PACKAGES]):
        ran = subprocess.run(["apt-get", "-o", "Acquire::http::Timeout=20", *command], cwd=folder / "packages", env=env,
                             capture_output=True, text=True, timeout=240, check=False)
        if ran.returncode != 0:
            return "apt-get " + command[0] + ": " + ran.stderr.strip().splitlines()[-1] if ran.stderr.strip() else "apt-get"
    for package in (folder / "packages").glob("*.deb"):
        subprocess.run(["dpkg-deb", "-x", package, folder / "root"], check=True)
    return None


def inside(server, *command, faults=(), env=None, timeout=60):
    arguments = [part for fault in faults for part in ("--fault", fault)]
    return gpuvet("sim", "run", server, *arguments, "--", *command, env=env, timeout=timeout)


class Clients(unittest.TestCase):
    def test_gpustat(self):
        script = CLIENTS / "usr/bin/gpustat"
        ran = inside("dgx-a100", DEBIAN_PYTHON, script, "--json", faults=("gpu-hot:6",),
                     env={"PYTHONPATH": str(CLIENTS / "usr/lib/python3/dist-packages")})
        gpus = json.loads(ran.out)["gpus"]
        self.assertEqual([g["name"] for g in gpus], ["NVIDIA A100-SXM4-80GB"] * 8)
        self.assertTrue(all(g["memory.total"] == 81920 and g["enforced.power.limit"] == 400 for g in gpus))
        hot = [g["index"] for g in gpus if g["temperature.gpu"] > 80]
        self.assertEqual(hot, [6])

    def test_pynvml_sees_links(self):
        script = ("import pynvml as n\nn.nvmlInit()\nd = n.nvmlDeviceGetHandleByIndex(3)\n"
                  "print(sum(n.nvmlDeviceGetNvLinkState(d, i) for i in range(12)), n.nvmlDeviceGetCurrPcieLinkWidth(d),"
                  "n.nvmlDeviceGetPciInfo(d).busId)")
        ran = inside("dgx-a100", DEBIAN_PYTHON, "-c", script, faults=("nvlink-down:3", "pcie-width:3"),
                     env={"PYTHONPATH": str(CLIENTS / "usr/lib/python3/dist-packages")})
        up, width, address = ran.out.split()
        self.assertEqual((up, width), ("11", "8"))
        self.assertRegex(address, r"^0000[0-9A-F]{4}:[0-9A-F]{2}:00\.0$")

    def test_hwloc(self):
        lstopo = shutil.which("lstopo") or shutil.which("lstopo-no-graphics")
        if not lstopo:
            self.skipTest("no lstopo here")
        ran = inside("hgx-a100-4", lstopo, "-v", "--of", "console",
                     env={"HWLOC_PLUGINS_PATH": str(CLIENTS / "usr/lib/x86_64-linux-gnu/hwloc")})
        seen = re.findall(r'GPUModel="([^"]+)".*?NVIDIAUUID=(GPU-[0-9a-f-]+)\) "nvml(\d)"', ran.out)
        self.assertEqual([(model, number) for model, _, number in seen],
                         [("NVIDIA A100-SXM4-40GB", str(i)) for i in range(4)], ran.out[-2000:] + ran.err)
        self.assertEqual(len({uuid for _, uuid, _ in seen}), 4)

    def test_slurm(self):
        libraries = CLIENTS / "usr/lib/x86_64-linux-gnu"
        with tempfile.TemporaryDirectory() as name:
            folder = pathlib.Path(name)
            (folder / "spool").mkdir()
            # The daemon asks for its own name whether it may look for GPUs.
            (folder / "slurmd").symlink_to(CLIENTS / "usr/sbin/slurmd-wlm")
            (folder / "slurm.conf").write_text(
                "ClusterName=sim\nSlurmctldHost=localhost\nAuthType=auth/none\nProctrackType=proctrack/linuxproc\n"
                "TaskPlugin=task/none\nJobAcctGatherType=jobacct_gather/none\nSelectType=select/cons_tres\nGresTypes=gpu\n"
                f"SlurmdUser=root\nSlurmUser=root\nSlurmdSpoolDir={folder}/spool\nPluginDir={libraries}/slurm-wlm\n"
                f"SlurmdParameters=config_overrides\nNodeName={os.uname().nodename} Gres=gpu:8 CPUs=256\n")
            (folder / "gres.conf").write_text("AutoDetect=nvml\n")
            (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
            ran = inside("dgx-a100", folder / "slurmd", "-G", "-D", "-N", os.uname().nodename, "-f", folder / "slurm.conf",
                         env={"LD_LIBRARY_PATH": f"{libraries}:{libraries}/slurm-wlm"})
        if "error while loading shared libraries" in ran.err:
            self.skipTest(ran.err.strip())
        self.assertIn("8 GPU system device(s) detected", ran.out + ran.err)

    def test_nvtop(self):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ["TERM"] = "xterm"
            os.execv(BINARY, [BINARY, "sim", "run", "dgx-a100", "--load", "50%", "--fault", "pcie-width:5", "--",
                              str(CLIENTS / "usr/bin/nvtop")])
        fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 60, 200, 0, 0))
        screen, until, quit_sent = b"", time.monotonic() + 8, False
        while time.monotonic() < until:
            ready, _, _ = select.select([terminal], [], [], 0.5)
            try:
                screen += os.read(terminal, 65536) if ready else b""
            except OSError:
                break  # it has ended
            if not quit_sent and screen.count(b"A100-SXM4-80GB") >= 8 and b"8x" in screen:
                os.write(terminal, b"q")
                quit_sent = True
        os.kill(pid, 9)
        os.waitpid(pid, 0)
        self.assertTrue(quit_sent, screen[-3000:])
        self.assertIn(b"400 W", screen)


if __name__ == "__main__":
    given = os.environ.get("GPUVET_CLIENTS")
    with tempfile.TemporaryDirectory() as scratch:
        if given:
            CLIENTS = pathlib.Path(given)
        else:
            try:
                refusal = fetch(pathlib.Path(scratch))
            except (OSError, subprocess.SubprocessError) as error:
                refusal = str(error)
            if refusal:
                print("skipped: the client programs can't be had:", refusal)
                sys.exit(77)
            CLIENTS = pathlib.Path(scratch) / "root"
        unittest.main()
