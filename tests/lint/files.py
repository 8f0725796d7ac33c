#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""files.py size|words ROOT: what can be said about a source file without compiling it."""
import pathlib
import re
import sys

CODE = {".hpp", ".cpp"}
MOST_LINES = 500
SPDX = "// SPDX-License-Identifier: Apache-2.0"
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b(?!\.X)")  # XXX.XX is a figure in nccl-tests' README
# A path below someone's home or working folder means nothing on another machine.
FOREIGN_PATH = re.compile(r"""(?:^|[\s"'=(])(/(?:work|home|root|Users|build)/\w+)""")


def files(root, *tops):
    """Text files below the folders named, sorted."""
    for file in sorted(f for top in tops for f in (root / top).rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            yield file, file.read_text(encoding="utf-8", errors="replace").splitlines()


def size(root):
    for file, lines in files(root, "src", "apps"):
        if file.suffix in CODE and len(lines) > MOST_LINES:
            yield f"{file}: {len(lines)} lines, at most {MOST_LINES} are allowed"


def words(root):
    for file, lines in files(root, "src", "apps", "tests", "bench", "tools"):
        if file.suffix in CODE and (not lines or lines[0] != SPDX):
            yield f"{file}:1: must be {SPDX}"
    for file, lines in files(root, "src", "apps", "scripts"):
        for number, line in enumerate(lines, 1):
            for found in UNFINISHED.findall(line):
                yield f"{file}:{number}: {found}: finish it or drop it"
    for file, lines in files(root, "src", "apps", "scripts", "cmake", "tools", "bench"):
        for number, line in enumerate(lines, 1):
            for found in FOREIGN_PATH.findall(line):
                yield f"{file}:{number}: {found} is a path of one machine"


if __name__ == "__main__":
    check = {"size": size, "words": words}[sys.argv[1]]
    complaints = list(check(pathlib.Path(sys.argv[2])))
    print("\n".join(complaints))
    sys.exit(1 if complaints else 0)
