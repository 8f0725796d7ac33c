# SPDX-License-Identifier: Apache-2.0
"""Files that someone broke, or meant to break us with: a clear error, exit 2, bounded time and memory."""
import pathlib
import re
import tempfile
import unittest

from harness import CSV, KINDS, LOG, NCCL, TOPO, XML, gpuvet

MEMORY_MIB = 512


def vet(content):
    with tempfile.TemporaryDirectory() as folder:
        file = pathlib.Path(folder) / "file"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return gpuvet("vet", file, memory_mib=MEMORY_MIB, timeout=60)


class Hostile(unittest.TestCase):
    def refused(self, content, *words, line=None):
        ran = vet(content)
        self.assertEqual(ran.code, 2, ran.out[:300] + ran.err)
        for word in words:
            self.assertIn(word, ran.err)
        if line is not None:
            self.assertRegex(ran.err, rf"line {line}\b")
        self.assertNotRegex(ran.err, r"[\x00-\x08\x0b-\x1f]")

    def test_line_of_100_megabytes(self):
        for text in KINDS.values():
            if text is XML:
                continue
            self.refused(text.encode() + b"A" * 100_000_000, "longer than", line=text.count("\n") + 1)
        self.refused(XML.encode().replace(b"550.54.15", b"5" * 100_000_000), "larger than")

    def test_nul_bytes(self):
        for text in KINDS.values():
            self.refused(text.encode()[:-20] + b"\0\0" + text.encode()[-20:], "NUL")

    def test_utf16(self):
        for text in KINDS.values():
            self.refused(text.encode("utf-16"), "UTF-16", "iconv")

    def test_escape_codes_do_not_reach_the_terminal(self):
        evil = XML.replace("NVIDIA A100-SXM4-80GB", "&#27;[31mred&#7;")
        ran = vet(evil.replace("&#27;", "\x1b").replace("&#7;", "\x07"))
        self.assertNotIn("\x1b", ran.out + ran.err)
        self.assertNotIn("\x07", ran.out + ran.err)
        log = vet(LOG.replace("GPU has fallen", "\x1b]0;owned\x07 GPU has fallen"))
        self.assertEqual(log.code, 1)
        self.assertNotIn("\x1b", log.out)

    def test_programs_planted_in_path_are_not_run(self):
        with tempfile.TemporaryDirectory() as folder:
            ran_marker = pathlib.Path(folder) / "ran"
            for tool in ("chronyc", "timedatectl", "ipmitool", "nvidia-smi", "dmesg", "journalctl", "sh"):
                path = pathlib.Path(folder) / tool
                path.write_text(f"#!/bin/sh\necho {tool} >> {ran_marker}\n")
                path.chmod(0o755)
            gpuvet("vet", "--json", "-", env={"PATH": f"{folder}:/usr/bin:/bin"}, timeout=120)
            self.assertFalse(ran_marker.exists() and ran_marker.read_text())
            # Named by the user it is run: the plant works, and only its place kept it from running.
            gpuvet("vet", "--json", "-", "--tool", f"chronyc={folder}/chronyc", env={"PATH": folder}, timeout=120)
            self.assertEqual(ran_marker.read_text(), "chronyc\n")

    def test_crlf_and_underlined_headers_are_read(self):
        for kind, text in KINDS.items():
            ran = gpuvet("vet", "-", "--json", "-", stdin=text.replace("\n", "\r\n"))
            self.assertEqual([i["understood"] for i in ran.json["inputs"]], [True], kind)
        self.assertEqual(vet(TOPO.replace("\tGPU0\tGPU1", "\t\x1b[4mGPU0\tGPU1", 1)).code, 3)

    def test_decimal_commas(self):
        self.refused(CSV.replace("301.34 W", "301,34 W"), "LC_ALL=C", line=3)
        self.refused(XML.replace("81920 MiB", "81920,5 MiB"), "LC_ALL=C")

    def test_billion_laughs(self):
        entities = '<!ENTITY a0 "lol">' + "".join(f'<!ENTITY a{i} "{f"&a{i - 1};" * 10}">' for i in range(1, 12))
        ran = vet(XML.replace("<nvidia_smi_log>", f"<!DOCTYPE nvidia_smi_log [{entities}]>\n<nvidia_smi_log>").replace("550.54.15", "&a11;"))
        self.assertIn(ran.code, (2, 3))

    def test_deep_xml(self):
        self.refused(XML.replace("</nvidia_smi_log>", "<a>" * 100_000 + "</nvidia_smi_log>"))

    def test_truncated_anywhere(self):
        for kind, text in KINDS.items():
            for cut in range(0, len(text), 13):
                ran = vet(text[:cut])
                # What is left may be a smaller file of its kind; it is never a crash and never fit.
                self.assertIn(ran.code, (1, 2, 3), (kind, cut, ran.err))
                if ran.code == 2:
                    self.assertTrue(ran.err.strip(), (kind, cut))

    def test_truncated_inside_its_structure_names_the_line(self):
        self.refused(TOPO[:TOPO.index("GPU1\tNV12")], "cut off", line=2)
        self.refused(XML[:XML.index("</uuid>")], line=7)
        self.refused(NCCL[:NCCL.index("  4294967296")], "no row of figures", line=4)

    def test_empty_and_binary(self):
        self.refused(b"", "empty")
        self.refused(b"\x7fELF\x02\x01\x01\x00" + bytes(range(256)) * 100, "binary")
        self.refused(b"%PDF-1.7 ...", "document")

    def test_missing_file_and_folder(self):
        ran = gpuvet("vet", "/nonexistent/evidence")
        self.assertEqual(ran.code, 2)
        self.assertIn("/nonexistent/evidence", ran.err)
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(gpuvet("vet", folder).code, 2)

    def test_hostile_neighbour_loses_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "a-topo").write_text(TOPO)
            (pathlib.Path(folder) / "b-cut.xml").write_text(XML[:200])
            ran = gpuvet("vet", folder, "--json", "-")
            self.assertEqual(ran.code, 2)
            self.assertIn("b-cut.xml", ran.err)
            self.assertEqual([i["understood"] for i in ran.json["inputs"]], [True, False])
            self.assertTrue([o for o in ran.json["observations"] if o["id"] == "topology.class"])

    def test_sick_stays_sick_beside_an_unreadable_file(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "log").write_text(LOG)
            (pathlib.Path(folder) / "cut.xml").write_text(XML[:200])
            self.assertEqual(gpuvet("vet", folder).code, 1)

    def test_comma_locale_changes_nothing(self):
        text = gpuvet("vet", "examples/pcie-nvlink-ready", env={"LC_ALL": "de_DE.UTF-8"})
        self.assertEqual(text.out, gpuvet("vet", "examples/pcie-nvlink-ready", env={"LC_ALL": "C"}).out)

    def test_width_and_colour(self):
        ran = gpuvet("vet", "examples/sick-gpu", "-v")
        self.assertLessEqual(max(map(len, ran.out.splitlines())), 80)
        self.assertIsNone(re.search("\x1b", ran.out))


if __name__ == "__main__":
    unittest.main()
