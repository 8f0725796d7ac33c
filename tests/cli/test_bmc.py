# SPDX-License-Identifier: Apache-2.0
"""Management controllers over Redfish and IPMI: the simulated one read by gpuvet, redfishtool and
ipmitool, and ones that mean harm."""
import json
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time
import unittest

from controller import PASSWORD, TOKEN, USER, Controller, certificate
from harness import findings, gpuvet, observation

SERVER = "dgx-a100"
NOTHING = {"/redfish/v1": {"@odata.type": "#ServiceRoot.v1_15_0.ServiceRoot", "@odata.id": "/redfish/v1",
                           "RedfishVersion": "1.15.0", "Systems": {"@odata.id": "/redfish/v1/Systems"}}}


def systems(*members):
    return {**NOTHING, "/redfish/v1/Systems": {"@odata.id": "/redfish/v1/Systems",
                                               "@odata.type": "#ComputerSystemCollection.ComputerSystemCollection",
                                               "Members": [{"@odata.id": m} for m in members]}}


class Bmc(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("openssl"):
            raise unittest.SkipTest("openssl is not installed")
        cls.folder = tempfile.TemporaryDirectory()
        cls.at = pathlib.Path(cls.folder.name)
        cls.key, cls.cert = certificate(cls.at)
        cls.credentials = cls.at / "credentials"
        cls.credentials.write_text(f"user={USER}\npassword={PASSWORD}\n")
        cls.credentials.chmod(0o600)
        ran = gpuvet("sim-files", SERVER, "--fault", "sel-entries", "--out", cls.at / "server")
        assert ran.code == 0, ran.err
        cls.resources = json.loads((cls.at / "server/bmc/redfish.json").read_text())

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def collect(self, controller, *options, out="bundle", env=None):
        """What `collect --bmc` of the simulated tree keeps: its run, and redfish.json or None."""
        folder = pathlib.Path(tempfile.mkdtemp(dir=self.at))
        ran = gpuvet("collect", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--bmc", controller.address,
                     "--out", folder / out, *options, env=env, timeout=120)
        kept = list((folder / out / "sources").glob("*redfish.json")) if (folder / out).exists() else []
        self.everything = ran.out + ran.err + "".join(
            f.read_text(errors="replace") for f in folder.rglob("*") if f.is_file())
        return ran, json.loads(kept[0].read_text()) if kept else None

    def said(self, words):
        """In a message or anywhere in the bundle; not assertIn, which would print all of both."""
        self.assertTrue(words.lower() in self.everything.lower(), words)

    def unsaid(self, words):
        self.assertFalse(words in self.everything, words)

    def trusted(self):
        return ["--bmc-credentials", self.credentials, "--ca", self.cert]

    def test_all_resources_come_and_the_session_ends(self):
        with Controller(self.resources, self.key, self.cert) as controller:
            ran, kept = self.collect(controller, *self.trusted())
            self.assertEqual(ran.code, 0, ran.err)
            due = {p for p in self.resources if "SessionService" not in p}
            self.assertEqual(set(kept), due)
            understood, files = map(int, re.search(r"from (\d+) of (\d+) files", ran.out).groups())
            self.assertLessEqual(understood, files)
            self.assertEqual(controller.deleted, ["/redfish/v1/SessionService/Sessions/7"])
            self.assertEqual(len(controller.asked), len(set(controller.asked)), "nothing is asked twice")

    def test_basic_authentication_where_there_are_no_sessions(self):
        with Controller(self.resources, self.key, self.cert, sessions=False) as controller:
            ran, kept = self.collect(controller, *self.trusted())
            self.assertEqual(ran.code, 0, ran.err)
            self.assertIn("/redfish/v1/Systems/1", kept)

    def test_credentials_from_the_environment(self):
        with Controller(self.resources, self.key, self.cert) as controller:
            _, kept = self.collect(controller, "--ca", self.cert,
                                   env={"GPUVET_BMC_USER": USER, "GPUVET_BMC_PASSWORD": PASSWORD})
            self.assertIn("/redfish/v1/Systems/1", kept)
            self.unsaid(PASSWORD)

    def test_credentials_reach_no_output_and_no_bundle(self):
        for sessions in (True, False):
            with Controller(self.resources, self.key, self.cert, sessions=sessions) as controller:
                self.collect(controller, *self.trusted())
                self.unsaid(PASSWORD)
                self.unsaid(TOKEN)
        wrong = self.at / "wrong"
        wrong.write_text("user=vetter\npassword=not-this-secret\n")
        wrong.chmod(0o600)
        with Controller(self.resources, self.key, self.cert) as controller:
            ran = gpuvet("vet", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--bmc", controller.address,
                         "--bmc-credentials", wrong, "--ca", self.cert, "--json", "-")
            self.assertFalse("not-this-secret" in ran.out + ran.err)
            self.assertIn("refuses this user and password", ran.err)

    def test_a_credentials_file_that_others_may_read_is_refused(self):
        loose = self.at / "loose"
        loose.write_text(f"user={USER}\npassword={PASSWORD}\n")
        loose.chmod(0o644)
        ran = gpuvet("vet", "--bmc", "127.0.0.1:1", "--bmc-credentials", loose)
        self.assertEqual(ran.code, 2)
        self.assertIn("chmod 600", ran.err)

    def test_an_unknown_certificate_is_refused_and_insecure_is_said(self):
        with Controller(self.resources, self.key, self.cert) as controller:
            _, kept = self.collect(controller, "--bmc-credentials", self.credentials)
            self.assertIsNone(kept)
            self.assertEqual(controller.asked, [], "nothing is sent to a controller that nobody knows")
            self.said("certificate")
            ran, kept = self.collect(controller, "--bmc-credentials", self.credentials, "--insecure")
            self.assertIn("/redfish/v1/Systems/1", kept)
            self.assertIn("NOT verified", ran.err)

    def test_links_out_of_the_service_are_not_followed(self):
        evil = systems("/redfish/v1/Systems/1", "https://127.0.0.1:1/redfish/v1/Systems/2", "/etc/passwd",
                       "/redfish/v1/Systems/../../../x", "//127.0.0.1:1/redfish/v1/Systems/3",
                       "/redfish/v1/Managers/1/Accounts/1", "/redfish/v1/Systems/1\r\nEvil: yes")
        evil["/redfish/v1/Systems/1"] = {"@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem"}
        with Controller(evil, self.key, self.cert) as controller:
            _, kept = self.collect(controller, *self.trusted())
            self.assertEqual(controller.asked, ["/redfish/v1/", "/redfish/v1/Systems", "/redfish/v1/Systems/1"])
            self.assertEqual(len(kept), 3)
            self.assertFalse(any("Evil" in h for h in controller.headers))

    def test_redirects_are_not_followed(self):
        def elsewhere(handler):
            handler.answer(302, b"", [("Location", "https://127.0.0.1:1/")])
        evil = systems("/redfish/v1/Systems/1")
        evil["/redfish/v1/Systems/1"] = elsewhere
        with Controller(evil, self.key, self.cert) as controller:
            _, kept = self.collect(controller, *self.trusted())
            self.assertEqual(len(kept), 2)
            self.said("1 resources could not be read")

    def test_endless_services_and_huge_answers_end(self):
        class Endless(dict):
            def get(self, path, default=None):
                if path == "/redfish/v1":
                    return NOTHING[path]
                return {"@odata.type": "#ComputerSystem.v1_20_0.ComputerSystem", "@odata.id": path,
                        "Next": [{"@odata.id": f"{path}/{i}"} for i in range(3)] if len(path) < 200 else []}

        with Controller(self.resources, self.key, self.cert) as controller:
            controller.resources = Endless()
            _, kept = self.collect(controller, *self.trusted())
            self.assertEqual(len(kept), 2000)
            self.said("cut off after 2000 resources")
        for body in (b'{"a": "' + b"x" * (5 << 20) + b'"}', b'{"a":' * 100000, b"\x00\xff", b""):
            evil = systems("/redfish/v1/Systems/1")
            evil["/redfish/v1/Systems/1"] = body
            with Controller(evil, self.key, self.cert) as controller:
                ran, kept = self.collect(controller, *self.trusted())
                self.assertEqual(len(kept), 2, ran.err)

    def test_a_silent_controller_does_not_hold_us(self):
        with socket.socket() as silent:
            silent.bind(("127.0.0.1", 0))
            silent.listen()
            began = time.monotonic()
            ran = gpuvet("vet", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--json", "-", "--bmc",
                         f"127.0.0.1:{silent.getsockname()[1]}", *self.trusted(), timeout=60)
            self.assertLess(time.monotonic() - began, 30)
            self.assertIn("--bmc: ", ran.err)

    def test_names_that_are_no_host(self):
        for name in ("user:word@host", "host/path", "a b", "http://plain.example", "-"):
            ran = gpuvet("vet", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--bmc", name, "--json", "-")
            self.assertIn("--bmc: ", ran.err, name)
            self.assertFalse("user:word" in ran.out + ran.err)

    def test_vet_finds_what_the_controller_logged(self):
        with Controller(self.resources, self.key, self.cert) as controller:
            ran = gpuvet("vet", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--bmc", controller.address,
                         *self.trusted(), "--json", "-")
            self.assertIn(("bmc.sel", "bmc"), findings(ran.json, "fail") | findings(ran.json, "warn"))
            self.assertEqual(observation(ran.json, "bmc.redfish.version", "bmc"), "1.15.0")

    def test_hostile_words_stay_words_and_files_stay_in_their_folder(self):
        evil = "\x1b[2J\x1b]0;owned\x07<script>alert(1)</script>../../../../evil"

        # A machine of another name or number would be refused as another machine.
        sane = ("Health", "State", "Severity", "RedfishVersion", "HostName", "SerialNumber")

        def spoilt(value, key=""):
            if isinstance(value, dict):
                return {k: spoilt(v, k) for k, v in value.items()}
            if isinstance(value, list):
                return [spoilt(v, key) for v in value]
            # Links and types lead through the service; states decide what is a fault.
            words = not key.startswith("@") and isinstance(value, str) and not value.startswith("/redfish")
            return evil + value if words and key not in sane else value

        with Controller(spoilt(self.resources), self.key, self.cert) as controller:
            def strays():
                return {p for folder in self.at.parents for p in folder.glob("evil*")} | set(self.at.rglob("evil*"))
            before = strays()
            ran, kept = self.collect(controller, *self.trusted())
            self.assertEqual(ran.code, 0, ran.err)
            self.assertGreater(len(kept), 50)
            page = self.at / "page.html"
            shown = gpuvet("vet", "--root", self.at / "server/tree", "--nvml", "/nonexistent", "--bmc", controller.address,
                           *self.trusted(), "--verbose", "--html", page)
        for text in (ran.out, ran.err, shown.out, shown.err):
            self.assertFalse("\x1b" in text or "\x07" in text, "escape codes reach the terminal")
        self.assertTrue("owned" in page.read_text(), "the words themselves are told")
        self.assertFalse("<script>alert" in page.read_text())
        self.assertEqual(strays(), before)

    def test_redfishtool_reads_the_simulated_controller(self):
        if not shutil.which("redfishtool"):
            self.skipTest("redfishtool is not installed")
        with Controller(self.resources, self.key, self.cert) as controller:
            for kind in ("Basic", "Session"):
                ran = subprocess.run(["redfishtool", "-r", controller.address, "-u", USER, "-p", PASSWORD, "-A", kind, "-S",
                                      "Always", "Systems", "-I", "1"], capture_output=True, text=True, timeout=60, check=False)
                self.assertEqual(ran.returncode, 0, ran.stderr)
                self.assertEqual(json.loads(ran.stdout)["HostName"], "sim-" + SERVER)


class Ipmi(unittest.TestCase):
    def setUp(self):
        for tool in ("ipmi_sim", "ipmitool"):
            if not shutil.which(tool):
                self.skipTest(tool + " is not installed")

    def test_ipmitool_reads_the_simulated_controller(self):
        with tempfile.TemporaryDirectory() as name, socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
            probe.close()
            ran = gpuvet("sim-files", SERVER, "--fault", "supply-lost", "--fault", "fan-failed", "--ipmi-port", port,
                         "--out", name + "/server")
            self.assertEqual(ran.code, 0, ran.err)
            bmc = name + "/server/bmc"
            process = subprocess.Popen(["ipmi_sim", "-c", bmc + "/lan.conf", "-f", bmc + "/bmc.emu", "-s", bmc + "/state", "-n"],
                                       stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            try:
                time.sleep(1)

                def ask(*arguments):
                    return subprocess.run(["ipmitool", "-I", "lanplus", "-C", "3", "-H", "127.0.0.1", "-p", str(port), "-U",
                                           "simulated", "-P", "simulated", *arguments], capture_output=True, text=True,
                                          timeout=60, check=False).stdout
                rows = {line.split("|")[0].strip(): [c.strip() for c in line.split("|")] for line in ask("sdr", "elist").splitlines()}
                ours = {line.split("|")[0].strip(): [c.strip() for c in line.split("|")]
                        for line in pathlib.Path(name, "server/files/ipmi-sdr.txt").read_text().splitlines()}
                self.assertEqual(set(rows), set(ours), "the same sensors")
                for sensor, row in ours.items():
                    self.assertEqual(rows[sensor][1], row[1], sensor)
                    if "Power" in sensor:
                        continue  # a byte holds them in steps of 20 W
                    self.assertEqual(rows[sensor][4].rstrip("0").rstrip("."), row[4].rstrip("0").rstrip("."), sensor)
                self.assertIn("2.0", ask("mc", "info"))
                self.assertIn("Asserted", ask("sel", "elist"))
            finally:
                process.terminate()
                process.wait(10)


if __name__ == "__main__":
    unittest.main()
