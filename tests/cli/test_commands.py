# SPDX-License-Identifier: Apache-2.0
"""explain, list, request, docs, help, README."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import SOURCE, gpuvet


class Knowledge(unittest.TestCase):
    def test_explain_a_criterion(self):
        out = gpuvet("explain", "thermal.core").out
        for words in ("Why", "tier 1", "What the article says", "C019", "What to do"):
            self.assertIn(words, out)

    def test_explain_codes_claims_and_the_rest(self):
        for name, words in {"79": "fallen off the bus", "xid:48": "ouble", "sxid:20034": "NVSwitch", "C015": "15 ns", "gpu.power.draw": "Unit",
                            "a100-sxm4-80gb": "2.04 TB/s", "dell-xe9680": "PowerEdge", "llama3-70b-full": "1,270 GB"}.items():
            ran = gpuvet("explain", name)
            self.assertEqual(ran.code, 0, name)
            self.assertIn(words, ran.out, name)

    def test_everything_listed_can_be_explained(self):
        for kind in ("claims", "criteria", "gpus", "observations", "servers", "sxids", "workloads", "xids"):
            entries = gpuvet("list", kind, "--json", "-").json["entries"]
            self.assertGreater(len(entries), 5, kind)
            for entry in entries[:: max(1, len(entries) // 10)]:
                self.assertEqual(gpuvet("explain", entry["id"]).code, 0, entry["id"])

    def test_unknown_name_suggests(self):
        ran = gpuvet("explain", "thermal.cor")
        self.assertEqual(ran.code, 2)
        self.assertIn("did you mean thermal.core", ran.err)

    def test_every_command_has_help_with_an_example(self):
        for command in ("vet", "collect", "report", "request", "explain", "list", "docs"):
            ran = gpuvet(command, "--help")
            self.assertEqual(ran.code, 0, command)
            self.assertIn("gpuvet " + command, ran.out)
            self.assertIn("Example", ran.out)

    def test_wrong_usage_is_exit_2(self):
        for args in ([], ["report"], ["nonsense"], ["vet", "x", "--stage", "never"], ["vet", "examples/sick-gpu", "--for", "nonsense"],
                     ["vet", "examples/sick-gpu", "--thermal", "soon"], ["list", "nonsense"]):
            self.assertEqual(gpuvet(*args).code, 2, args)

    def test_version(self):
        self.assertRegex(gpuvet("--version").out, r"^gpuvet \d+\.\d+\.\d+\n$")

    def test_data_dir_overrides_the_catalogue(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["cp", "-r", f"{SOURCE}/data/.", folder], check=True)
            file = pathlib.Path(folder) / "criteria" / "health.toml"
            before = gpuvet("vet", "examples/pcie-nvlink-ready", "--json", "-").json
            same = gpuvet("--data-dir", folder, "vet", "examples/pcie-nvlink-ready", "--json", "-").json
            self.assertEqual(before, same)
            file.write_text(file.read_text().replace('pass = "== None"', 'pass = "== Nothing"'))
            self.assertNotEqual(gpuvet("--data-dir", folder, "vet", "examples/pcie-nvlink-ready", "--json", "-").json["catalogue"], before["catalogue"])
            file.write_text(file.read_text() + "\n[[criterion]]\nid = 3\n")
            broken = gpuvet("--data-dir", folder, "vet", "examples/pcie-nvlink-ready")
            self.assertEqual(broken.code, 2)
            self.assertRegex(broken.err, r"criteria/health\.toml:\d+: id: must be text")


class Request(unittest.TestCase):
    def test_page_names_what_purchase_requires(self):
        out = gpuvet("request", "--for", "serve-13b").out
        for words in ("nvidia-smi topo -m", "all_reduce_perf", "thermal log", "Serving a 13B model", "declared.toml"):
            self.assertIn(words, out)

    def test_script_gathers_what_vet_understands(self):
        with tempfile.TemporaryDirectory() as folder:
            self.assertEqual(gpuvet("request", "--out", f"{folder}/request").code, 0)
            tools = pathlib.Path(folder) / "bin"
            tools.mkdir()
            # Stand-ins that print what the real tools print on a healthy server.
            good = SOURCE / "examples" / "a100-8gpu-nvswitch"
            (tools / "nvidia-smi").write_text(
                f'#!/bin/sh\ncase "$*" in "-q -x") cat {good}/nvidia-smi.xml;; "topo -m") cat {good}/topo.txt;; --list-gpus) seq 8;; *) exit 1;; esac\n')
            (tools / "all_reduce_perf").write_text(f"#!/bin/sh\ncat {good}/all_reduce.txt\n")
            (tools / "dmesg").write_text(f"#!/bin/sh\ncat {good}/dmesg.txt\n")
            for tool in tools.iterdir():
                tool.chmod(0o755)
            subprocess.run(["sh", f"{folder}/request/gather.sh", f"{folder}/evidence"], check=True, capture_output=True,
                           env={**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"})
            kinds = {i["kind"] for i in gpuvet("vet", f"{folder}/evidence", "--json", "-").json["inputs"] if i["understood"]}
            self.assertLessEqual({"nvidia_smi_xml", "nvidia_smi_topo", "nccl_tests", "kernel_log"}, kinds)


def completed(*typed):
    """What bash offers for the last of these words."""
    words = " ".join(shlex.quote(w) for w in typed)
    script = f"""source <({shlex.quote(os.environ["GPUVET"])} docs bash)
COMP_WORDS=({words}); COMP_CWORD=$(({len(typed)} - 1)); COMPREPLY=()
_gpuvet; printf '%s\\n' "${{COMPREPLY[@]}}\""""
    return set(subprocess.run(["bash", "-c", script], cwd=SOURCE, check=True, capture_output=True, text=True).stdout.split())


class Shell(unittest.TestCase):
    def test_bash_completes_commands_options_values_and_names(self):
        program = os.environ["GPUVET"]
        self.assertEqual(completed(program, "re"), {"report", "request"})
        self.assertLessEqual({"--stage", "--for", "--json", "--quiet"}, completed(program, "vet", "--"))
        self.assertNotIn("--stage", completed(program, "list", "--"))
        self.assertEqual(completed(program, "vet", "--stage", "p"), {"purchase", "prejob"})
        self.assertIn("llama3-8b-lora", completed(program, "vet", "--for", "llama"))
        self.assertIn("thermal.core", completed(program, "explain", "thermal.c"))
        self.assertIn("README.md", completed(program, "vet", "READ"))

    def test_zsh_accepts_its_completion(self):
        if shutil.which("zsh") is None:
            self.skipTest("no zsh")
        subprocess.run(["zsh", "-n"], input=gpuvet("docs", "zsh").out, text=True, check=True)

    def test_the_man_page_names_every_command_and_option_without_a_warning(self):
        page = gpuvet("docs", "man").out
        for command in ("vet", "collect", "report", "request", "explain", "list", "docs"):
            self.assertIn(f".SS gpuvet {command}\n", page)
        for option in re.findall(r"^  (?:-\w,)?(--[\w-]+)", gpuvet("vet", "--help").out, re.M):
            self.assertIn(option.replace("-", "\\-"), page)
        if shutil.which("groff") is None:
            self.skipTest("no groff")
        ran = subprocess.run(["groff", "-man", "-Tutf8", "-ww"], input=page, text=True, capture_output=True, check=True)
        self.assertEqual(ran.stderr, "")


class Documents(unittest.TestCase):
    def test_generated_pages_are_fresh(self):
        for page in ("criteria", "observations", "article", "verified-on"):
            file = SOURCE / "docs" / f"{page}.md"
            self.assertEqual(file.read_text(), gpuvet("docs", page).out, f"stale: gpuvet docs {page} > docs/{page}.md")

    def test_the_page_of_imports_is_fresh(self):
        made = subprocess.run([sys.executable, SOURCE / "tools" / "imports_page.py", os.environ["GPUVET"]], check=True, capture_output=True, text=True)
        self.assertEqual((SOURCE / "docs" / "imports.md").read_text(), made.stdout, "stale: tools/imports_page.py build/dev/gpuvet > docs/imports.md")

    def test_readme_shows_real_output(self):
        text = (SOURCE / "README.md").read_text()
        blocks = re.findall(r"```console\n(.*?)```", text, re.S)
        self.assertTrue(blocks)
        ran = 0
        for command, expected in (pair for block in blocks for pair in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.M)):
            words = shlex.split(command, comments=True)
            if words[0] == "scripts/test":
                total = re.search(r"Total Tests: (\d+)", subprocess.run(["ctest", "-N"], cwd=pathlib.Path(os.environ["GPUVET"]).parent, check=True,
                                                                       capture_output=True, text=True).stdout)
                self.assertEqual(expected, f"100% tests passed, 0 tests failed out of {total[1]}\n")
            if words[0] != "scripts/gpuvet":
                continue
            pipe = words.index("|") if "|" in words else len(words)
            out = gpuvet(*words[1:pipe]).out
            if "|" in words:
                self.assertEqual(words[pipe + 1], "head")
                out = "".join(out.splitlines(True)[: -int(words[pipe + 2])])
            self.assertEqual(out, expected, command)
            ran += 1
        self.assertGreaterEqual(ran, 1)


if __name__ == "__main__":
    unittest.main()
