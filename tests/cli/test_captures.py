# SPDX-License-Identifier: Apache-2.0
"""Real outputs of real servers, in the folder that GPUVET_CAPTURES names, against tests/captures/labels/."""
import concurrent.futures
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
        # Captures that are kept back are labelled nowhere; a folder may also hold fewer than are labelled.
        cases = [label for label in labels() if (pathlib.Path(CAPTURES) / label[0]).is_file()]
        self.assertTrue(cases)
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            runs = pool.map(lambda label: gpuvet("vet", pathlib.Path(CAPTURES) / label[0], "--json", "-"), cases)
        for (file, expected, alarms, why), ran in zip(cases, runs):
            with self.subTest(file):
                self.assertTrue(why)
                given = ran.json["inputs"][0]
                self.assertEqual(given["kind"] if given["understood"] else "refused: " + given["reason"], expected)
                found = {f"{f['status']} {f['id']} {f['subject']}" for f in ran.json["findings"] if f["status"] in ("fail", "warn")}
                self.assertEqual(found, alarms)
                self.assertEqual(ran.code, 2 if not given["understood"] else 1 if any(a.startswith("fail") for a in alarms) else 3)

    def test_none_is_left_out(self):
        index = (pathlib.Path(CAPTURES) / "INDEX.tsv").read_text().splitlines()[1:]
        listed = {row.split("\t")[0] for row in index}
        self.assertEqual({file for file in listed if (pathlib.Path(CAPTURES) / file).is_file()} - {file for file, *_ in labels()}, set())

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
