# SPDX-License-Identifier: Apache-2.0
"""The simulated tree read by programs that know nothing of gpuvet: lspci, lscpu, dmidecode, hwloc.
They must see what the files rendered of the same server say."""
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import findings, gpuvet


def said(*command, **keys):
    ran = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, **keys)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def needs(tool):
    return unittest.skipUnless(shutil.which(tool) or pathlib.Path("/usr/sbin", tool).exists(), tool + " is not installed")


class Clients(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name, "server")
        ran = gpuvet("sim-files", "dgx-a100", "--fault", "acs-on", "--out", cls.at)
        assert ran.code == 0, ran.err
        cls.tree, cls.files = cls.at / "tree", cls.at / "files"

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    @needs("lspci")
    def test_lspci_sees_the_same_devices_links_and_acs(self):
        theirs = said("lspci", "-A", "linux-sysfs", "-O", f"sysfs.path={self.tree}/sys/bus/pci", "-Dnnvvv")
        ours = (self.files / "lspci.txt").read_text()

        def devices(text):
            out = {}
            for block in text.strip().split("\n\n"):
                out[block.split()[0]] = (re.findall(r"\[(\w{4}:\w{4})\]", block.split("\n")[0]),
                                         re.findall(r"secondary=(\w+), subordinate=(\w+)", block),
                                         re.findall(r"LnkCap:.*?Speed (\w+\.?\w*/s), Width (x\d+)", block),
                                         re.findall(r"LnkSta:\s*Speed (\w+\.?\w*/s).*?Width (x\d+)", block),
                                         re.findall(r"NUMA node: (\d+)", block),
                                         re.findall(r"ACSCtl:.*?(ReqRedir.) (CmpltRedir.)", block))
            return out
        self.assertEqual(devices(theirs), devices(ours))
        self.assertGreater(len(devices(ours)), 30)
        self.assertIn("ReqRedir+", theirs)
        with tempfile.TemporaryDirectory() as folder:
            listing = pathlib.Path(folder, "lspci.txt")
            listing.write_text(theirs)
            self.assertIn(("topology.acs", "node"),
                          findings(gpuvet("vet", listing, "--json", "-").json, "warn")
                          | findings(gpuvet("vet", listing, "--json", "-").json, "fail"))

    @needs("lscpu")
    def test_lscpu_counts_the_same_processors(self):
        theirs = said("lscpu", "--sysroot", str(self.tree), env={"LC_ALL": "C"})
        ours = (self.files / "lscpu.txt").read_text()

        def rows(text):
            out = {k.strip(): v.strip() for k, v in (line.split(":", 1) for line in text.splitlines() if ":" in line)}
            return {k: v for k, v in out.items() if k in ("CPU(s)", "Model name", "Thread(s) per core", "Core(s) per socket",
                                                          "Socket(s)") or k.startswith("NUMA")}
        self.assertEqual(rows(theirs), rows(ours))
        self.assertGreater(len(rows(ours)), 7)

    @needs("dmidecode")
    def test_dmidecode_reads_slots_modules_and_supplies(self):
        tables = self.tree / "sys/firmware/dmi/tables"
        dump = self.at / "dump"
        dump.write_bytes((tables / "smbios_entry_point").read_bytes().ljust(32, b"\0") + (tables / "DMI").read_bytes())
        tool = shutil.which("dmidecode") or "/usr/sbin/dmidecode"
        theirs = said(tool, "--from-dump", str(dump))
        self.assertIn("SMBIOS 3.3.0 present.", theirs)
        for bad in ("BAD INDEX", "OUT OF SPEC", "TRUNCATED", "Wrong DMI", "Invalid entry"):
            self.assertFalse(bad in theirs, bad)
        ours = (self.files / "dmidecode.txt").read_text()
        lines = {line.strip() for line in theirs.splitlines()}
        for line in ours.splitlines():  # ours has fewer rows, and none of its own
            if line.startswith("\t") and "Unknown" not in line:
                self.assertIn(line.strip(), lines)

    @needs("lstopo-no-graphics")
    def test_hwloc_draws_the_machine(self):
        theirs = said("lstopo-no-graphics", "--of", "console", "--only", "package",
                      env={"HWLOC_FSROOT": str(self.tree), "HWLOC_THISSYSTEM": "0", "HWLOC_COMPONENTS": "linux,stop",
                           "PATH": "/usr/bin"})
        self.assertEqual(theirs.count("Package"), 2)


if __name__ == "__main__":
    unittest.main()
