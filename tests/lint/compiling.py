#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What compilers say about the sources, with the flags of the build.

compiling.py headers ROOT BUILD        every header of src/ can be included first, and twice
compiling.py tidy ROOT BUILD [FILE…]   clang-tidy with ROOT/.clang-tidy over src/ and apps/
"""
import concurrent.futures
import json
import os
import pathlib
import shlex
import shutil
import subprocess
import sys
import tempfile

SKIPPED = 77


def commands(root, build):
    """File below src/ or apps/ -> how it is compiled, without launcher, output and precompiled header."""
    out = {}
    for entry in json.loads((build / "compile_commands.json").read_text()):
        file = pathlib.Path(entry["file"])
        if not any(file.is_relative_to(root / top) for top in ("src", "apps")):
            continue
        given, kept = shlex.split(entry["command"]), []
        if pathlib.Path(given[0]).name == "ccache":
            given = given[1:]
        arguments = iter(given)
        for argument in arguments:
            if argument in ("-o", "-c", "-MF", "-MT", "-MQ", "-include"):
                next(arguments)
            elif argument not in ("-MD", "-Winvalid-pch"):
                kept.append(argument)
        out[file] = kept
    return out


def in_parallel(run, items):
    """Runs `run` on each item and prints what it says as it comes; 1 when it said anything."""
    bad = 0
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for text in pool.map(run, items):
            if text:
                print(text, flush=True)
                bad = 1
    return bad


def headers(root, build):
    # An object, where -fsyntax-only would do: ccache keeps it, and only what changed is compiled again.
    launcher = ["ccache"] if shutil.which("ccache") else []
    folder = build / "self_contained_headers"
    folder.mkdir(exist_ok=True)
    flags = {}
    for file, command in commands(root, build).items():
        flags.setdefault(file.parent, command)

    def compile_alone(header):
        name = header.relative_to(root / "src")
        unit = folder / ("_".join(name.with_suffix(".cpp").parts))
        unit.write_text(f'#include "{name}"\n' * 2)  # twice, so that a missing #pragma once shows
        command = [*launcher, *flags[header.parent], "-O0", "-g0", "-c", str(unit), "-o", str(unit.with_suffix(".o"))]
        done = subprocess.run(command, cwd=build, text=True, capture_output=True)
        return done.stderr if done.returncode else ""

    all_headers = sorted(h for h in (root / "src").rglob("*.hpp") if h.parent in flags)
    if not all_headers:
        sys.exit("no header is compiled: is BUILD a build folder?")
    return in_parallel(compile_alone, all_headers)


def tidy(root, build, named):
    if not shutil.which("clang-tidy"):
        print("clang-tidy is missing: skipped")
        return SKIPPED
    database = commands(root, build)
    chosen = [pathlib.Path(f).resolve() for f in named] or sorted(database)
    with tempfile.TemporaryDirectory() as folder:
        entries = [{"directory": str(build), "file": str(f), "arguments": [*c, "-c", str(f)]} for f, c in database.items()]
        (pathlib.Path(folder) / "compile_commands.json").write_text(json.dumps(entries))

        def check(file):
            command = ["clang-tidy", "--quiet", "-p", folder, f"--config-file={root / '.clang-tidy'}", str(file)]
            done = subprocess.run(command, text=True, capture_output=True)
            return done.stdout + done.stderr if done.returncode else ""

        return in_parallel(check, chosen)


if __name__ == "__main__":
    root, build = (pathlib.Path(p).resolve() for p in sys.argv[2:4])
    sys.exit(headers(root, build) if sys.argv[1] == "headers" else tidy(root, build, sys.argv[4:]))
