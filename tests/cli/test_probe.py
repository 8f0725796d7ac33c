# SPDX-License-Identifier: Apache-2.0
"""Active tests from the command line: what was measured survives whatever ends them."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from harness import BINARY, gpuvet

SIM = ("--on", "sim:hgx-a100-4")


def probe(*arguments, **more):
    return gpuvet("probe", *arguments, "--json", "-", **more)


def values(document, identifier):
    return {o["subject"]: o.get("value") for o in document["observations"] if o["id"] == identifier}


def failed(document):
    return {(f["id"], f["subject"]) for f in document["findings"] if f["status"] == "fail"}


def wait_for(condition, seconds=30):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.02)
    return False


def facts_in(folder):
    """Observations of a bundle; none while there is no bundle."""
    path = pathlib.Path(folder) / "bundle.json"
    return json.loads(path.read_text())["observations"] if path.exists() else []


def measured_in(folder):
    return [o for o in facts_in(folder) if o["id"].startswith("memory.bandwidth.")]


class Simulated(unittest.TestCase):
    def test_measures_every_gpu(self):
        ran = probe("memory.bandwidth", *SIM, "--budget", "3s")
        self.assertEqual((ran.code, ran.err), (0, ""))
        rates = values(ran.json, "memory.bandwidth.read")
        self.assertEqual(len(rates), 4)
        for rate in rates.values():
            self.assertGreater(rate, 1e12)

    def test_gpus_picks_some(self):
        ran = probe("memory.bandwidth", *SIM, "--budget", "3s", "--gpus", "1,3")
        self.assertEqual(len(values(ran.json, "memory.bandwidth.read")), 2)

    def test_a_slow_memory_fails_for_its_gpu(self):
        ran = probe("memory.bandwidth", *SIM, "--budget", "3s", "--fault", "memory-slow:2")
        self.assertEqual(ran.code, 1)
        slowest = min(values(ran.json, "memory.bandwidth.copy").items(), key=lambda item: item[1])[0]
        self.assertIn(("memory.bandwidth.copy", slowest), failed(ran.json))
        self.assertEqual({subject for _, subject in failed(ran.json)}, {slowest})

    def test_wrong_sums_fail_whatever_operation_gave_them(self):
        # Two GPUs: too few to tell which one it is.
        ran = probe("collectives", *SIM, "--budget", "3s", "--gpus", "0,2", "--fault", "sum-wrong:2")
        self.assertEqual(ran.code, 1)
        self.assertEqual({identifier for identifier, _ in failed(ran.json)}, {"collectives.wrong"})

    def test_what_follows_from_figures_is_judged_too(self):
        ran = probe("peer", "--on", "sim:a100-pcie-bridged", "--budget", "3s")
        self.assertEqual(ran.code, 0)
        judged = {f["id"] for f in ran.json["findings"]}
        self.assertLessEqual({"peer.below_alike", "peer.one_way", "peer.latency_above_alike"}, judged)

    def test_a_lost_gpu_is_named_and_the_next_probe_still_runs(self):
        ran = probe("memory.bandwidth", "memory.bandwidth", *SIM, "--budget", "3s", "--fault", "lost:0")
        self.assertEqual(ran.code, 1)
        self.assertEqual(len(failed(ran.json)), 1)
        ((criterion, lost),) = failed(ran.json)
        self.assertEqual(criterion, "probe.completed")
        self.assertTrue(lost.startswith("gpu:"))
        others = values(ran.json, "memory.bandwidth.triad")
        self.assertEqual(len(others), 3)
        self.assertNotIn(lost, others)

    def test_a_hang_ends_in_a_finding(self):
        ran = probe("memory.bandwidth", *SIM, "--budget", "3s", "--piece-limit", "2s", "--fault", "hangs:1")
        self.assertEqual(ran.code, 1)
        self.assertEqual({criterion for criterion, _ in failed(ran.json)}, {"probe.completed"})


class Ended(unittest.TestCase):
    """^C, kill -9: what was measured is in the bundle, and no process stays behind."""

    def start(self, folder):
        command = [BINARY, "probe", *["memory.bandwidth"] * 2000, *SIM, "--budget", "3s", "--out", folder]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.assertTrue(wait_for(lambda: len(measured_in(folder)) > 4), "nothing was measured")
        return process, self.children(process.pid)

    def children(self, pid):
        return [int(child) for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]

    def alive(self, pids):
        def state(pid):
            try:
                return pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
            except (FileNotFoundError, ProcessLookupError):
                return "gone"
        return [pid for pid in pids if state(pid) not in ("gone", "Z", "X")]

    def test_interrupted(self):
        with tempfile.TemporaryDirectory() as folder:
            process, children = self.start(folder)
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 3)
            self.assertTrue(wait_for(lambda: not self.alive(children)))
            reasons = [o.get("reason") for o in facts_in(folder) if o["id"] == "probe.completed"]
            self.assertIn("not_asked", reasons)
            self.assertGreater(len(measured_in(folder)), 4)
            self.assertEqual(gpuvet("report", folder, "--json", "-").code in (0, 3), True)

    def test_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            process, children = self.start(folder)
            self.assertTrue(children)
            process.kill()
            process.communicate(timeout=60)
            self.assertTrue(wait_for(lambda: not self.alive(children)), "the child lives on")
            self.assertGreater(len(measured_in(folder)), 4)

    def test_the_child_killed(self):
        with tempfile.TemporaryDirectory() as folder:
            process, children = self.start(folder)
            os.kill(children[0], signal.SIGKILL)
            wait_for(lambda: any(o["id"] == "probe.completed" and o.get("value") is False for o in facts_in(folder)))
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
            self.assertEqual(process.returncode, 1)

    def test_a_full_disk_is_an_error(self):
        with tempfile.TemporaryDirectory() as folder:
            pathlib.Path(folder, "sources").write_text("in the way")
            ran = probe("memory.bandwidth", *SIM, "--budget", "3s", "--out", folder)
            self.assertEqual(ran.code, 2)
            self.assertIn("sources", ran.err)


class Refused(unittest.TestCase):
    def test_wrong_usage(self):
        for arguments, word in [
            (["nonsense"], "list probes"),
            (["memory.bandwidth", "--on", "moon"], "sim:NAME"),
            (["memory.bandwidth", "--on", "host", "--fault", "lost:0"], "sim:NAME"),
            (["memory.bandwidth", *SIM, "--budget", "soon"], "--budget"),
            (["memory.bandwidth", *SIM, "--gpus", "all"], "--gpus"),
            (["memory.bandwidth", *SIM, "--seed", "x"], "--seed"),
            (["memory.bandwidth", *SIM, "--fault", "memory-row:77"], "no such GPU"),
        ]:
            with self.subTest(arguments):
                ran = gpuvet("probe", *arguments)
                self.assertEqual(ran.code, 2)
                self.assertIn(word, ran.err)

    def test_busy_gpus(self):
        ran = gpuvet("probe", "memory.bandwidth", *SIM, "--fault", "gpu-busy:1")
        self.assertEqual(ran.code, 2)
        self.assertIn("--force", ran.err)
        ran = probe("memory.bandwidth", *SIM, "--fault", "gpu-busy:1", "--force", "--budget", "3s")
        self.assertEqual(ran.code, 0)

    def test_levels_are_for_machines(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(gpuvet("vet", folder, "--level", "2").code, 2)


@unittest.skipUnless(shutil.which("mpirun"), "mpirun is not installed")
class Job(unittest.TestCase):
    """Several processes that were started together: one report for all, from the first."""

    def mpirun(self, *arguments):
        environment = {**os.environ, "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1"}
        command = ["mpirun", "--oversubscribe", "-n", "2", BINARY, "probe", *arguments]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)

    def test_collectives_over_host_memory(self):
        with tempfile.TemporaryDirectory() as folder:
            ran = self.mpirun("collectives", "--on", "host", "--budget", "3s", "--out", folder + "/b", "--json", "-")
            if "without its part for MPI" in ran.stdout:
                self.skipTest("built without MPI")
            self.assertEqual(ran.returncode, 0, ran.stdout + ran.stderr)
            document = json.loads(ran.stdout)
            self.assertGreater(values(document, "collective.mpi.all_reduce.busbw")["node"], 0)
            self.assertEqual(values(document, "collective.mpi.all_reduce.wrong"), {"node": 0})
            self.assertEqual(len(values(document, "collective.rank.time")), 2)
            self.assertTrue([o for o in facts_in(folder + "/b") if o["id"].startswith("collective.mpi.")])

    def test_other_probes_are_refused(self):
        ran = self.mpirun("memory.bandwidth", "--on", "host")
        self.assertEqual(ran.returncode, 2)
        self.assertIn("can only run collectives", ran.stderr)


if __name__ == "__main__":
    unittest.main()
