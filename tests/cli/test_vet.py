# SPDX-License-Identifier: Apache-2.0
"""vet on the examples, on folders, on standard input; collect and report."""
import json
import pathlib
import tempfile
import unittest

from harness import CSV, EXAMPLES, KINDS, LOG, SOURCE, TOPO, XML, findings, gpuvet, observation


class Examples(unittest.TestCase):
    def test_good_server_is_fit(self):
        ran = gpuvet("vet", "examples/a100-8gpu-nvswitch", "--json", "-")
        self.assertEqual(ran.code, 0, ran.err)
        document = ran.json
        self.assertEqual(document["verdict"], "fit")
        self.assertEqual(findings(document, "fail") | findings(document, "warn"), set())
        self.assertEqual(observation(document, "topology.class"), "nvswitch")
        self.assertEqual({i["kind"] for i in document["inputs"]}, set(KINDS))

    def test_good_server_cannot_train_70b_in_full(self):
        ran = gpuvet("vet", "examples/a100-8gpu-nvswitch", "--for", "llama3-70b-full", "--json", "-")
        self.assertEqual((ran.code, ran.json["verdict"]), (1, "unfit"))
        self.assertEqual(gpuvet("vet", "--for", "llama3-8b-lora,resnet50", "examples/a100-8gpu-nvswitch", "-q").code, 0)

    def test_nvlink_ready_is_not_nvlink(self):
        ran = gpuvet("vet", "examples/pcie-nvlink-ready", "--json", "-")
        self.assertEqual(ran.code, 3)
        self.assertIn(("topology.nvlink.present", "node"), findings(ran.json, "warn"))
        self.assertEqual(findings(ran.json, "fail"), set())
        offer = [i for i in ran.json["inputs"] if i["file"].endswith("offer.txt")][0]
        self.assertFalse(offer["understood"])
        self.assertTrue(offer["reason"])

    def test_sick_gpu_is_found_on_the_right_subject(self):
        ran = gpuvet("vet", "examples/sick-gpu", "--json", "-")
        self.assertEqual(ran.code, 1)
        failed = findings(ran.json, "fail")
        by_index = {o["value"]: o["subject"] for o in ran.json["observations"] if o["id"] == "gpu.index"}
        for finding in [("gpu.remap.pending", by_index[3]), ("gpu.xid", by_index[3]), ("gpu.xid", by_index[5]),
                        ("thermal.core", by_index[6]), ("topology.nvlink.complete", "node"), ("collectives.all_reduce", "node")]:
            self.assertIn(finding, failed)
        healthy = {s for i, s in by_index.items() if i not in (3, 5, 6)}
        self.assertFalse({subject for _, subject in failed} & healthy)

    def test_short_thermal_log_satisfies_nothing_and_says_so(self):
        document = gpuvet("vet", "examples/sick-gpu", "--json", "-").json
        cool = [f for f in document["findings"] if f["id"] == "thermal.core" and f["status"] == "no_evidence"]
        self.assertEqual(len(cool), 7)
        self.assertIn("it lasts 2 h of the 48 h asked", cool[0]["message"])
        asked = gpuvet("vet", "examples/sick-gpu", "--thermal", "2h", "--json", "-").json
        self.assertEqual(len([f for f in asked["findings"] if f["id"] == "thermal.core" and f["status"] == "pass"]), 7)

    def test_strict_makes_warnings_count(self):
        log = LOG.replace("79, GPU has fallen off the bus.", "63, Row Remapper")
        self.assertEqual(gpuvet("vet", "-", "--stage", "purchase", "--strict", stdin=log).code, 3)


class Targets(unittest.TestCase):
    def test_standard_input_is_recognised_by_content(self):
        for kind, text in KINDS.items():
            ran = gpuvet("vet", "-", "--json", "-", stdin=text)
            self.assertEqual([(i["kind"], i["understood"]) for i in ran.json["inputs"]], [(kind, True)])

    def test_names_do_not_matter(self):
        with tempfile.TemporaryDirectory() as folder:
            for n, text in enumerate(KINDS.values()):
                (pathlib.Path(folder) / f"{n}.bin").write_text(text)
            inputs = gpuvet("vet", folder, "--json", "-").json["inputs"]
            self.assertEqual([i["kind"] for i in inputs], list(KINDS))

    def test_folder_is_read_three_levels_deep(self):
        with tempfile.TemporaryDirectory() as folder:
            deep = pathlib.Path(folder) / "a" / "b" / "c"
            deep.mkdir(parents=True)
            (deep / "topo.txt").write_text(TOPO)
            (deep / "d").mkdir()
            (deep / "d" / "too-deep.txt").write_text(TOPO)
            self.assertEqual(len(gpuvet("vet", folder, "--json", "-").json["inputs"]), 1)

    def test_two_machines_are_an_error_unless_one_is_picked(self):
        with tempfile.TemporaryDirectory() as folder:
            for host in ("alpha", "beta"):
                (pathlib.Path(folder) / host).mkdir()
                (pathlib.Path(folder) / host / "log").write_text(f"Nov 15 10:59:09 {host} kernel: [ 1.0] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.54.15\n" * 3)
            ran = gpuvet("vet", folder)
            self.assertEqual(ran.code, 2)
            self.assertIn("alpha", ran.err)
            self.assertIn("beta", ran.err)
            self.assertIn("--server", ran.err)
            self.assertEqual(gpuvet("vet", folder, "--server", "beta").code, 3)
            self.assertEqual(gpuvet("vet", folder, "--server", "gamma").code, 2)

    def test_contradictions_are_findings(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "topo").write_text(TOPO)
            (pathlib.Path(folder) / "xml").write_text(XML)
            (pathlib.Path(folder) / "log").write_text(LOG.replace("550.54.15", "535.104.05"))
            ran = gpuvet("vet", folder, "--json", "-")
            self.assertEqual(ran.code, 1)
            self.assertIn(("evidence.inventory", "node"), findings(ran.json, "fail"))
            self.assertIn(("evidence.consistent", "node"), findings(ran.json, "warn"))

    def test_no_evidence_is_never_fit(self):
        for text in KINDS.values():
            self.assertNotEqual(gpuvet("vet", "-", stdin=text).code, 0)

    def test_other_formats_are_written(self):
        with tempfile.TemporaryDirectory() as folder:
            files = {f: f"{folder}/report.{f}" for f in ("html", "json", "junit", "markdown", "prometheus")}
            ran = gpuvet("vet", "examples/sick-gpu", *[x for f, path in files.items() for x in (f"--{f}", path)])
            self.assertEqual(ran.code, 1)
            self.assertTrue(ran.out.startswith("UNFIT"))
            for path in files.values():
                self.assertIn("thermal.core", pathlib.Path(path).read_text())

    def test_unwritable_report_is_an_error(self):
        ran = gpuvet("vet", "examples/pcie-nvlink-ready", "--json", "/nonexistent/report.json")
        self.assertEqual(ran.code, 2)
        self.assertIn("/nonexistent/report.json", ran.err)


class Bundles(unittest.TestCase):
    def same(self, targets):
        with tempfile.TemporaryDirectory() as folder:
            collected = gpuvet("collect", "--from", *targets, "--out", f"{folder}/bundle")
            self.assertEqual(collected.code, 0, collected.err)
            direct, stored = gpuvet("vet", *targets, "--json", "-"), gpuvet("vet", f"{folder}/bundle", "--json", "-")
            self.assertEqual(direct.code, stored.code)
            self.assertEqual(direct.json, stored.json)
            self.assertEqual(gpuvet("report", f"{folder}/bundle", "--json", "-").json, stored.json)
            index = json.loads((pathlib.Path(folder) / "bundle" / "bundle.json").read_text())
            self.assertEqual(index["schema"], "gpuvet.bundle/1")
            return index

    def test_bundle_is_judged_identically(self):
        for example in EXAMPLES[1:]:
            self.same([f"examples/{example}"])

    def test_several_targets_keep_their_names(self):
        index = self.same(["examples/sick-gpu/topo.txt", "examples/sick-gpu/nvidia-smi.xml"])
        self.assertEqual([s["name"] for s in index["sources"]], ["examples/sick-gpu/topo.txt", "examples/sick-gpu/nvidia-smi.xml"])

    def test_a_script_beside_a_log_without_header_names_its_columns(self):
        with tempfile.TemporaryDirectory() as folder:
            log = pathlib.Path(folder) / "power.csv"
            log.write_text("".join(f"2026/04/04 00:39:{s:02}.597, 29.47, {60 + s // 2}, 99\n" for s in range(60)))
            alone = gpuvet("vet", folder, "--json", "-")
            self.assertEqual(alone.code, 2)
            self.assertIn("no header names its columns", alone.err)
            script = pathlib.Path(folder) / "run.sh"
            script.write_text("# how it was logged\nnvidia-smi --query-gpu=timestamp,power.draw,temperature.gpu,utilization.gpu --format=csv,noheader,nounits -lms 1000 > power.csv\n")
            named = gpuvet("vet", folder, "--json", "-").json
            hot = next(o for o in named["observations"] if o["id"] == "gpu.temperature.core")
            self.assertEqual((hot["value"], hot["provenance"]["line"]), (89, 60))
            self.assertIn("columns inferred from", hot["provenance"]["tool"])
            self.assertIn("run.sh line 2", hot["provenance"]["tool"])
            self.same([folder])
            # Another script that names another field of the same form: nobody knows which it was.
            (pathlib.Path(folder) / "other.sh").write_text(script.read_text().replace("temperature.gpu", "temperature.memory"))
            self.assertEqual(gpuvet("vet", folder, "--json", "-").code, 2)

    def test_existing_bundle_is_not_overwritten(self):
        with tempfile.TemporaryDirectory() as folder:
            args = ("collect", "--from", "examples/sick-gpu/topo.txt", "--out", f"{folder}/bundle")
            self.assertEqual((gpuvet(*args).code, gpuvet(*args).code), (0, 2))

    def test_bundle_that_reaches_outside_is_refused(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "bundle.json").write_text(json.dumps({
                "schema": "gpuvet.bundle/1", "machine": {}, "observations": [], "tables": [],
                "sources": [{"file": "../../etc/passwd", "name": "x", "kind": "kernel_log", "bytes": 1}]}))
            ran = gpuvet("vet", folder)
            self.assertEqual(ran.code, 2)
            self.assertIn("leaves the bundle", ran.err)


class Schemas(unittest.TestCase):
    def test_verdicts_and_bundles_follow_their_schema(self):
        try:
            import jsonschema
        except ImportError:
            self.skipTest("python3-jsonschema is not installed")
        verdict, bundle = (json.loads((SOURCE / "docs" / "schema" / f"{name}-1.schema.json").read_text()) for name in ("verdict", "bundle"))
        for example in EXAMPLES[1:]:
            jsonschema.validate(gpuvet("vet", f"examples/{example}", "--json", "-").json, verdict)
        for text in [*KINDS.values(), "nothing that anyone knows"]:
            jsonschema.validate(gpuvet("vet", "-", "--json", "-", stdin=text).json, verdict)
        with tempfile.TemporaryDirectory() as folder:
            gpuvet("collect", "--from", "examples/pcie-nvlink-ready", "--out", f"{folder}/b")
            jsonschema.validate(json.loads((pathlib.Path(folder) / "b" / "bundle.json").read_text()), bundle)


if __name__ == "__main__":
    unittest.main()
