# SPDX-License-Identifier: Apache-2.0
"""Simulated servers: judged through their NVML alone, and as surroundings of other programs."""
import collections
import os
import pathlib
import tempfile
import time
import unittest

from harness import findings, gpuvet, observation

# What a simulated driver library alone lets nobody judge.
SERVERS = gpuvet("sim", "list", "--json", "-").json


def vet(name, *faults, options=(), env=None):
    arguments = [part for fault in faults for part in ("--fault", fault)]
    return gpuvet("vet", f"sim:{name}", *arguments, "--json", "-", *options, env=env, timeout=120)


def known(name):
    """Criteria that the scenario's file says do not pass there."""
    text = (pathlib.Path(os.environ["GPUVET_SOURCE_DIR"]) / "data/scenarios" / f"{name}.toml").read_text()
    section = text.partition("[known]\n")[2]
    return {line.split('"')[1] for line in section.splitlines() if line.startswith('"')}


def complaints(document):
    return findings(document, "fail") | findings(document, "warn") | findings(document, "error")


class Clean(unittest.TestCase):
    def test_no_server_fails_without_cause(self):
        for server in SERVERS["servers"]:
            if server["id"] == "gpu-less":
                continue
            with self.subTest(server["id"]):
                ran = vet(server["id"])
                self.assertEqual(ran.err, "")
                seen = {criterion for criterion, _ in complaints(ran.json)}
                self.assertEqual(seen, known(server["id"]))
                self.assertGreater(observation(ran.json, "node.gpu.attached"), 1)

    def test_a_machine_without_gpu_says_so(self):
        ran = vet("gpu-less")
        self.assertEqual(complaints(ran.json) if ran.out else set(), set())
        self.assertEqual(ran.code, 3)
        self.assertTrue(ran.json["reasons"][0].startswith("There is no NVIDIA GPU in this machine: none of the "))
        self.assertIn("Host", ran.json["reasons"][1], "what was checked all the same")
        for fmt in ("--markdown", "--quiet"):
            text = gpuvet("vet", "sim:gpu-less", *((fmt, "-") if fmt == "--markdown" else (fmt,))).out
            self.assertIn("no NVIDIA GPU in this machine", text.splitlines()[0], fmt)

    @unittest.skipIf(any("10de" in p.read_text() for p in pathlib.Path("/sys/bus/pci/devices").glob("*/vendor"))
                     or not any(pathlib.Path("/sys/bus/pci/devices").glob("*/vendor")), "needs a PCI bus without NVIDIA")
    def test_this_machine_says_so_too(self):
        ran = gpuvet("vet", "--json", "-")
        self.assertTrue(ran.json["reasons"][0].startswith("There is no NVIDIA GPU in this machine"), ran.json["reasons"])
        self.assertEqual({c for c, _ in findings(ran.json, "fail") if c.startswith("gpu.")}, set())


class Faulty(unittest.TestCase):
    """Each fault that NVML shows: found, for the right GPU, and nothing else."""

    # Seen by files and controllers only, or by none.
    UNSEEN = {"gpu-busy"}
    TREE = {"fabric-manager-down"}

    def test_found_with_the_right_subject(self):
        plain = complaints(vet("dgx-a100").json)
        for fault in SERVERS["faults"]:
            if fault["seen"] != "nvml" or fault["id"] in self.UNSEEN or fault["id"] == "call-hangs":
                continue
            with self.subTest(fault["id"]):
                document = vet("dgx-a100", fault["id"]).json
                seen = complaints(document) - plain
                if fault["id"] == "symbol-missing":  # not known is not a pass, and no failure
                    self.assertEqual(seen, set())
                    self.assertIn(fault["criterion"], {c for c, _ in findings(document, "no_evidence")})
                    continue
                expected = {subject for criterion, subject in seen if criterion == fault["criterion"]}
                self.assertTrue(expected, f"{fault['criterion']} not among {seen}")
                allowed = {fault["criterion"], *fault["also"]}
                self.assertLessEqual({criterion for criterion, _ in seen}, allowed)
                if fault["subject"] == "gpu" and fault["id"] not in ("supply-lost", "airflow-blocked"):
                    self.assertEqual(expected, {self.subject_of(document, 5)})

    @staticmethod
    def subject_of(document, index):
        return next(o["subject"] for o in document["observations"] if o["id"] == "gpu.index" and o["value"] == index)

    def test_a_lost_gpu_is_one_gpu(self):
        document = vet("dgx-a100", "gpu-lost").json
        gpus = {o["subject"] for o in document["observations"] if o["subject"].startswith("gpu:")}
        self.assertEqual(len(gpus), 8, gpus)

    def test_another_gpu_when_told(self):
        document = vet("dgx-a100", "mig-on:2").json
        self.assertIn(("gpu.mig", self.subject_of(document, 2)), complaints(document))

    def test_blocked_air_is_found_when_it_is_blocked(self):
        loaded = ("--load", "1", "--at")
        early = vet("dgx-a100", "airflow-blocked@4h", options=(*loaded, "3h")).json
        late = vet("dgx-a100", "airflow-blocked@4h", options=(*loaded, "6h")).json
        self.assertNotIn("gpu.temperature.core", {c for c, _ in complaints(early)})
        self.assertEqual(sum(c == "gpu.temperature.core" for c, _ in complaints(late)), 8)

    def test_a_hanging_call_ends_and_names_its_gpu(self):
        before = time.monotonic()
        document = vet("dgx-a100", "call-hangs:5").json
        self.assertLess(time.monotonic() - before, 10)
        self.assertEqual({s for c, s in complaints(document) if c == "gpu.responds"}, {self.subject_of(document, 5)})
        names = [o for o in document["observations"] if o["id"] == "gpu.temperature.core" and "value" in o]
        self.assertEqual(len({o["subject"] for o in names}), 7, "the others answer")


class Cost(unittest.TestCase):
    def test_eight_gpus_take_few_calls(self):
        with tempfile.TemporaryDirectory() as folder:
            calls = pathlib.Path(folder) / "calls"
            vet("dgx-h100", env={"GPUVET_SIM_CALLS": str(calls)})
            made = collections.Counter(calls.read_text().split())
        self.assertGreater(made.total(), 200)
        self.assertLessEqual(made.total(), 900, made.most_common(5))


class Surroundings(unittest.TestCase):
    def test_run_gives_the_command_the_library(self):
        script = ("import ctypes; lib = ctypes.CDLL('libnvidia-ml.so.1'); n = ctypes.c_uint();"
                  "print(lib.nvmlInit_v2(), lib.nvmlDeviceGetCount_v2(ctypes.byref(n)), n.value)")
        ran = gpuvet("sim", "run", "l40s-8", "--", "python3", "-c", script)
        self.assertEqual((ran.out, ran.code), ("0 0 8\n", 0), ran.err)

    def test_the_command_sees_that_machine(self):
        script = ("ls /sys/class/infiniband | wc -l; cat /sys/class/infiniband/mlx5_2/ports/1/state;"
                  "grep -c ^processor /proc/cpuinfo; ls /proc/driver/nvidia/gpus | wc -l; test -d /proc/$$ && echo alive")
        with tempfile.TemporaryDirectory() as folder:
            ran = gpuvet("sim", "run", "dgx-a100", "--fault", "nic-down", "--", "sh", "-c", script, env={"TMPDIR": folder})
            self.assertEqual(os.listdir(folder), [], "nothing is left behind")
        if "this system lets nobody" in ran.err:
            self.skipTest(ran.err)
        self.assertEqual((ran.out.split("\n"), ran.err), (["10", "1: DOWN", "256", "8", "alive", ""], ""))
        self.assertFalse(pathlib.Path("/sys/class/infiniband/mlx5_2/ports/1/state").exists(), "nobody else sees it")
        ran = gpuvet("sim", "run", "dgx-a100", "--library-only", "--", "cat", "/proc/cpuinfo")
        self.assertEqual(ran.out.count("processor\t:"), os.cpu_count())

    def test_what_is_vetted_inside_is_known_as_simulated(self):
        document = gpuvet("sim", "run", "t4-box", "--", os.environ["GPUVET"], "vet", "--json", "-", timeout=120).json
        custody = {o["provenance"]["custody"] for o in document["observations"] if o["id"] == "gpu.name"}
        self.assertEqual(custody, {"simulated"})

    def test_the_command_keeps_its_status_and_options(self):
        ran = gpuvet("sim", "run", "t4-box", "--", "sh", "-c", "exit 7")
        self.assertEqual(ran.code, 7)
        ran = gpuvet("sim", "run", "t4-box", "--fault", "gpu-hot@1h", "--", "printf", "%s ", "--json", "--version", "-q")
        self.assertEqual((ran.out, ran.err), ("--json --version -q ", ""))

    def test_time_flies(self):
        script = ("import ctypes, time; lib = ctypes.CDLL('libnvidia-ml.so.1'); lib.nvmlInit_v2(); d = ctypes.c_void_p();"
                  "lib.nvmlDeviceGetHandleByIndex_v2(0, ctypes.byref(d)); e = ctypes.c_ulonglong();\n"
                  "def energy(): lib.nvmlDeviceGetTotalEnergyConsumption(d, ctypes.byref(e)); return e.value\n"
                  "a = energy(); time.sleep(1); print((energy() - a) / 1e6)")
        ran = gpuvet("sim", "run", "dgx-a100", "--speed", "3600", "--load", "1", "--", "python3", "-c", script)
        self.assertGreater(float(ran.out), 0.8 * 0.4 * 3600, "400 W for an hour, in MJ/1000")

    def test_wrong_usage_is_said(self):
        for arguments, word in ((("sim", "run", "dgx-b9", "--", "true"), "no such simulated server"),
                                (("sim", "run", "dgx-a100"), "needs a server and a command"),
                                (("vet", "sim:dgx-a100", "--fault", "gpu-hat"), "no such fault"),
                                (("vet", "sim:gpu-less", "--fault", "gpu-lost"), "no GPU"),
                                (("vet", "--fault", "gpu-lost", "README.md"), "simulated"),
                                (("vet", "sim:dgx-a100", "README.md"), "alone")):
            with self.subTest(arguments):
                ran = gpuvet(*arguments)
                self.assertEqual(ran.code, 2)
                self.assertIn(word, ran.err)


if __name__ == "__main__":
    unittest.main()
