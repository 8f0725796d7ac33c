# SPDX-License-Identifier: Apache-2.0
"""Real outputs of real servers, in the folder that GPUVET_CAPTURES names, against tests/captures/labels/."""
import os
import pathlib
import sys
import unittest

from harness import SOURCE, gpuvet, observation

CAPTURES = os.environ.get("GPUVET_CAPTURES")


def labels():
    for line in "\n".join(file.read_text() for file in sorted((SOURCE / "tests" / "captures" / "labels").glob("*.tsv"))).splitlines():
        if line and not line.startswith("#"):
            file, expected, alarms, why = line.split("\t")
            yield file, expected, set() if alarms == "-" else set(alarms.split("; ")), why


class Captures(unittest.TestCase):
    def test_each_is_understood_and_judged_as_labelled(self):
        for file, expected, alarms, why in labels():
            with self.subTest(file):
                self.assertTrue(why)
                ran = gpuvet("vet", pathlib.Path(CAPTURES) / file, "--json", "-")
                given = ran.json["inputs"][0]
                self.assertEqual(given["kind"] if given["understood"] else "refused: " + given["reason"], expected)
                found = {f"{f['status']} {f['id']} {f['subject']}" for f in ran.json["findings"] if f["status"] in ("fail", "warn")}
                self.assertEqual(found, alarms)
                self.assertEqual(ran.code, 2 if not given["understood"] else 1 if any(a.startswith("fail") for a in alarms) else 3)

    def test_none_of_the_five_kinds_is_left_out(self):
        kinds = {"nvidia_smi_topo", "nvidia_smi_xml", "nvidia_smi_xml_mock", "nvidia_smi_query_csv", "nccl_tests", "kernel_log"}
        index = (pathlib.Path(CAPTURES) / "INDEX.tsv").read_text().splitlines()[1:]
        listed = {row.split("\t")[0] for row in index if row.split("\t")[1] in kinds}
        self.assertEqual(listed - {file for file, *_ in labels()}, set())

    def test_other_kinds_are_not_mistaken_for_these(self):
        # NCCL's debug logs may hold an nccl-tests table, and telemetry may be an nvidia-smi log.
        allowed = {"nccl_debug": {"nccl_tests"}, "telemetry_csv": {"nvidia_smi_query_csv"}}
        labelled = {file for file, *_ in labels()}
        for row in (pathlib.Path(CAPTURES) / "INDEX.tsv").read_text().splitlines()[1:]:
            file, kind = row.split("\t")[:2]
            path = pathlib.Path(CAPTURES) / file
            if file in labelled or not path.is_file():
                continue
            with self.subTest(file):
                given = gpuvet("vet", path, "--json", "-").json["inputs"][0]
                self.assertIn(given["kind"], allowed.get(kind, set()) | {None})

    def test_topology_of_known_servers(self):
        for file, expected in {"a100x8-nv12-2space.txt": ("nvswitch", [8], 2), "dgx1-v100-4ib.txt": ("nvlink-partial", [8], 2),
                               "polaris-4xA100-nv4-4numa.txt": ("nvlink-all", [4], 4), "a100pcie-4gpu-2pairs-4numa.txt": ("nvlink-partial", [2, 2], 4),
                               "asus-esc8000a-e12-4gpu.txt": ("pcie", [], 2), "sb-azure-ndmv4-a100.txt": ("nvswitch", [8], 4)}.items():
            document = gpuvet("vet", pathlib.Path(CAPTURES) / "nvidia_smi_topo" / file, "--json", "-").json
            self.assertEqual(tuple(observation(document, f"topology.{name}") for name in ("class", "nvlink_groups", "numa_nodes")), expected, file)


if __name__ == "__main__":
    if not CAPTURES or not pathlib.Path(CAPTURES, "INDEX.tsv").is_file():
        print("skipped: GPUVET_CAPTURES names no folder with an INDEX.tsv")
        sys.exit(77)
    unittest.main()
