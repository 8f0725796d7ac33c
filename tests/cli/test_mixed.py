# SPDX-License-Identifier: Apache-2.0
"""A folder with everything that the field's tools say of one server: one coherent verdict, and
exactly one finding for each thing that is changed in it."""
import json
import pathlib
import re
import shutil
import tempfile
import unittest

from harness import SOURCE, findings, gpuvet, observation

EVERYTHING = SOURCE / "examples" / "a100-everything"
HOST, SERIAL = "gpu-node-14", "AX8A100-0014"
UUIDS = re.findall(r"<uuid>(.*?)</uuid>", (EVERYTHING / "nvidia-smi.xml").read_text())


def substitute(old, new, count=1):
    """An edit of a text; old must be there."""
    def edit(text):
        changed = re.sub(old, new, text, count=count, flags=re.S)
        assert changed != text, old
        return changed
    return edit


def in_json(edit):
    def changed(text):
        document = json.loads(text)
        edit(document)
        return json.dumps(document, indent=1)
    return changed


def nth(n, old, new):
    """Replaces the n-th occurrence of old, counted from 0."""
    def edit(text):
        parts = text.split(old)
        assert len(parts) > n + 1, old
        return old.join(parts[:n + 1]) + new + old.join(parts[n + 1:])
    return edit


class Coherent(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.ran = gpuvet("vet", "examples/a100-everything", "--json", "-")
        cls.document = cls.ran.json

    def test_every_file_is_understood(self):
        inputs = self.document["inputs"]
        self.assertEqual([i for i in inputs if not i["understood"]], [])
        self.assertGreaterEqual(len({i["kind"] for i in inputs}), 22)
        self.assertEqual(len(inputs), len(list(EVERYTHING.iterdir())))

    def test_verdict_is_one_and_honest(self):
        # Nothing is wrong, and the 48 hours that purchase asks for are not there.
        self.assertEqual((self.ran.code, self.document["verdict"]), (3, "inconclusive"))
        self.assertEqual(findings(self.document, "fail"), set())
        self.assertEqual(findings(self.document, "warn"), set())
        prejob = gpuvet("vet", "examples/a100-everything", "--stage", "prejob", "--json", "-")
        self.assertEqual((prejob.code, prejob.json["verdict"]), (0, "fit"))

    def test_sources_contradict_each_other_nowhere(self):
        for name in ("inventory", "other"):
            self.assertEqual(observation(self.document, f"evidence.contradictions.{name}"), [])

    def test_every_gpu_is_one_subject(self):
        self.assertEqual(observation(self.document, "topology.gpu_count"), 8)
        subjects = {o["subject"] for o in self.document["observations"]}
        gpus = {s for s in subjects if s.startswith("gpu:") and not s.startswith("gpu:cuda#")}
        self.assertEqual(gpus, {"gpu:" + u for u in UUIDS})
        pairs = {s for s in subjects if s.startswith("link:")}
        self.assertEqual(len(pairs), 8 * 7 // 2)
        for fact in ("gpu.index", "gpu.name", "gpu.nvlink.active", "compute.burn", "diag.result", "memory.bandwidth.copy", "gpu.pci.root"):
            self.assertEqual({o["subject"] for o in self.document["observations"] if o["id"] == fact} - {"node"}, gpus, fact)

    def test_parts_that_several_tools_name_are_counted_once(self):
        for fact, value in {"node.psu.count": 4, "node.power.capacity": 12000, "node.fan.count": 6, "node.dimm.populated": 32,
                            "node.memory.installed": 2 << 40, "node.drive.nvme.count": 4, "node.nic.rdma.fast": 8,
                            "node.slot.free_x16": 2, "node.cpu.cores": 128, "topology.gpus_per_uplink": 2}.items():
            self.assertEqual(observation(self.document, fact), value, fact)
        self.assertEqual(observation(self.document, "node.hostname"), HOST)

    def test_bundle_is_judged_identically(self):
        with tempfile.TemporaryDirectory() as folder:
            collected = gpuvet("collect", "--from", "examples/a100-everything", "--out", f"{folder}/bundle")
            self.assertEqual(collected.code, 0, collected.err)
            self.assertEqual(gpuvet("report", f"{folder}/bundle", "--json", "-").json, self.document)

    def test_groups_rest_on_evidence(self):
        passed = {f["id"] for f in self.document["findings"] if f["status"] == "pass"}
        for criterion in ("topology.nvlink.complete", "hostlink.h2d", "peer.bandwidth", "memory.bandwidth.copy", "collectives.all_reduce",
                          "compute.below_best", "compute.wrong", "diag", "drives.nvme", "slots.free", "bays.nvme", "bmc.ipmi", "bmc.redfish", "storage.gpudirect",
                          "software.fabric_manager.version", "host.memory", "host.memory.ecc", "host.memory.speed", "host.numa", "host.iommu",
                          "host.drives", "host.clock", "gpu.nvlink.inactive", "gpu.nvlink.errors", "gpu.pcie.width.slot", "network.ports",
                          "network.rdma", "network.gpudirect", "bmc.sel", "bmc.sensors", "power.supplies", "fans", "topology.uplinks",
                          "topology.acs", "topology.p2p", "uniformity.vbios", "upgrade.path", "certification", "workload.completed"):
            self.assertIn(criterion, passed)


class Changed(unittest.TestCase):
    def vet(self, edits, *args):
        with tempfile.TemporaryDirectory() as folder:
            copy = pathlib.Path(folder) / "server"
            shutil.copytree(EVERYTHING, copy)
            for name, edit in edits.items():
                file = copy / name
                file.write_text(edit(file.read_text() if file.exists() else ""))
            return gpuvet("vet", copy, *args, "--json", "-")

    def gives(self, edits, fail=(), warn=()):
        """The edits give these findings and no others, and every file is still understood."""
        ran = self.vet(edits)
        self.assertIn(ran.code, (1, 3), ran.err)
        document = ran.json
        self.assertEqual([i for i in document["inputs"] if not i["understood"]], [])
        self.assertEqual(findings(document, "fail"), set(fail))
        self.assertEqual(findings(document, "warn"), set(warn))
        self.assertEqual(document["verdict"], "unfit" if fail else "inconclusive")
        return document

    def two_machines(self, edits, *names):
        ran = self.vet(edits)
        self.assertEqual(ran.code, 2)
        for name in ("two machines", "--server", *names):
            self.assertIn(name, ran.err)

    def test_seven_gpus_in_one_file(self):
        def lost(text):
            text = text[:text.rindex("\t<gpu id=")] + text[text.rindex("</gpu>") + len("</gpu>\n"):]
            return substitute("<attached_gpus>8", "<attached_gpus>7")(text)
        document = self.gives({"nvidia-smi.xml": lost}, fail=[("evidence.inventory", "node")])
        self.assertEqual(observation(document, "topology.gpu_count"), 8)
        self.assertIn("nvidia-smi.xml says 7", observation(document, "evidence.contradictions.inventory")[0])

    def test_inactive_link(self):
        self.gives({"nvlink-s.txt": nth(3, "Link 5: 25 GB/s", "Link 5: <inactive>")}, fail=[("gpu.nvlink.inactive", "gpu:" + UUIDS[3])])

    def test_eleven_links_listed_where_the_matrix_shows_twelve(self):
        document = self.gives({"nvlink-s.txt": nth(3, "\t Link 11: 25 GB/s\n", "")}, warn=[("evidence.consistent", "node")])
        contradictions = observation(document, "evidence.contradictions.other")
        self.assertEqual(len(contradictions), 1)
        for words in (UUIDS[3], "topo.txt shows 12 NVLinks", "nvlink-s.txt says 11"):
            self.assertIn(words, contradictions[0])

    def test_other_driver_version_in_one_file(self):
        document = self.gives({"nvidia-smi-q.txt": substitute(r"Driver Version( +): 570\.124\.06", r"Driver Version\1: 535.104.05")},
                              warn=[("evidence.consistent", "node")])
        self.assertEqual([c.split(":")[0] for c in observation(document, "evidence.contradictions.other")], ["node.driver.version"])

    def test_slower_module(self):
        document = self.gives({"dmidecode.txt": nth(5, "Configured Memory Speed: 3200", "Configured Memory Speed: 2933")}, warn=[("host.memory.speed", "node")])
        self.assertEqual(observation(document, "node.dimm.below_rated"), ["P0_DIMM_C2 at 2933 of 3200 MT/s"])

    def test_port_down(self):
        down = substitute(r"(CA 'mlx5_6'.*?)State: Active(.*?)LinkUp(.*?)Rate: 200", r"\1State: Down\2Polling\3Rate: 10")
        document = self.gives({"ibstat.txt": down}, warn=[("network.ports", "node")])
        self.assertEqual(observation(document, "node.nic.down"), ["mlx5_6: Down (Polling)"])

    def test_failed_supply(self):
        document = self.gives({"sdr.txt": substitute(r"(PS2 Status[^\n]*Presence detected)", r"\1, Failure detected")}, fail=[("power.supplies", "node")])
        self.assertEqual(observation(document, "node.psu.failed"), ["PS2: critical"])

    def test_failed_fan(self):
        def stop(thermal):
            thermal["Fans"][4].update({"Reading": 0, "Status": {"Health": "Critical", "State": "Enabled"}})
        document = self.gives({"redfish-thermal.json": in_json(stop)}, fail=[("fans", "node")])
        self.assertEqual(observation(document, "node.fan.failed"), ["System Fan 5: critical"])

    def test_drive_with_critical_warning(self):
        def wear(drive):
            drive["nvme_smart_health_information_log"]["critical_warning"] = 4
        document = self.gives({"smart-nvme2.json": in_json(wear)}, fail=[("host.drives", "node")])
        self.assertEqual(observation(document, "node.drive.unhealthy"), ["nvme2: critical warning 4"])

    def test_values_spelled_otherwise_are_no_contradiction(self):
        def spelled(system):
            system.update({"Manufacturer": "Example Systems Inc.", "SerialNumber": " ax8a100-0014 ", "HostName": "GPU-NODE-14.example.org"})
        self.gives({"redfish-system.json": in_json(spelled),
                    "lscpu.txt": substitute("AMD EPYC 7763 64-Core Processor", "AMD EPYC 7763")})

    def test_serial_number_that_one_tool_sees_otherwise(self):
        other = substitute(f"(System Information.*?Serial Number: ){SERIAL}", r"\1AX8A100-0077")
        self.gives({"dmidecode.txt": other}, warn=[("evidence.consistent", "node")])

    def test_serial_numbers_of_two_servers(self):
        original = (EVERYTHING / "dmidecode.txt").read_text()
        other = substitute(f"(System Information.*?Serial Number: ){SERIAL}", r"\1AX8A100-0077")
        self.two_machines({"dmidecode-2.txt": lambda _: other(original)}, "dmidecode-2.txt", "ax8a100-0077")

    def test_placeholder_is_no_serial_number(self):
        for words in ("To be filled by O.E.M.", "Default string", "0123456789", "0000000000"):
            self.gives({"dmidecode.txt": substitute(f"(System Information.*?Serial Number: ){SERIAL}", r"\g<1>" + words)})

    def test_redfish_of_another_machine(self):
        def other(system):
            system.update({"SerialNumber": "AX8A100-0077", "HostName": "gpu-node-77"})
        self.two_machines({"redfish-system.json": in_json(other)}, "redfish-system.json", "gpu-node-77", HOST)

    def test_container_is_no_other_machine(self):
        self.gives({"nccl.log": substitute(HOST, "8a9faed5c3c4", 0)})


if __name__ == "__main__":
    unittest.main()
