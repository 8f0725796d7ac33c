#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fails when a file of src/ or apps/ includes what its room may not know. Run by `ctest -L lint`.

check_layers.py [ROOT] checks a checkout; check_layers.py --test checks the checker.
"""
import pathlib
import re
import sys
import tempfile

# Room: the rooms it may include besides itself, in the order in which they can be read.
ALLOWED = {
    "core": [],
    "platform": ["core"],
    "evidence": ["core"],
    "catalogue": ["core", "evidence"],
    "ingest": ["core", "evidence"],
    "derive": ["core", "evidence", "catalogue"],
    "model": ["core", "evidence", "catalogue", "derive"],
    "collect": ["core", "platform", "evidence", "ingest"],
    "judge": ["core", "evidence", "catalogue"],
    "report": ["core", "evidence", "catalogue", "judge"],
    "sim": ["core", "evidence", "catalogue"],
    "device": ["core", "platform", "sim"],
    "probe": ["core", "platform", "evidence", "ingest", "device"],
}
# A dependency has its homes, so that what is slow, hostile or platform-bound stays in one place.
# Rooms that do not exist yet stand here too.
HOMES = {
    "CLI/": {"apps"},
    "nlohmann/": {"evidence", "ingest", "report", "fleet"},
    "toml++/": {"catalogue", "ingest", "sim"},
    "pugixml": {"ingest", "report"},
    "re2/": {"ingest"},
    "curl/": {"platform"},
    "dlfcn.h": {"platform"},
    "sys/ioctl.h": {"platform"},
    "xxhash.h": {"catalogue"},
    "hwy/": {"device"},
    "mpi.h": {"device"},
    "cuda": {"device"},
    "liburing.h": {"platform"},
}
SOURCES = {".hpp", ".cpp", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s*[<"]([^>"]+)[>"]')


def complaint(room, path):
    """Why a file of `room` may not include `path`; None when it may."""
    for prefix, homes in HOMES.items():
        if path.startswith(prefix) and room not in homes:
            return f"{prefix} belongs to {', '.join(sorted(homes))}"
    top = path.split("/")[0]
    if room != "apps" and top == "gpuvet":
        return "no room may include apps/"
    if room != "apps" and top in ALLOWED and top not in [room, *ALLOWED[room]]:
        return f"{room}/ may not include {top}/"
    return None


def check(root):
    """All complaints about the files below `root`."""
    out = []
    for file in sorted(f for top in ("src", "apps") for f in (root / top).rglob("*")):
        if file.suffix not in SOURCES:
            continue
        parts = file.relative_to(root).parts
        room = "apps" if parts[0] == "apps" else parts[1]
        if room != "apps" and room not in ALLOWED:
            out.append(f"{file}: tools/check_layers.py does not know the room {room}/")
            continue
        for number, line in enumerate(file.read_text().splitlines(), 1):
            include = INCLUDE.match(line)
            why = include and complaint(room, include[1])
            if why:
                out.append(f"{file}:{number}: {why}")
    return out


def test():
    """Each kind of trespass is seen, and nothing else is."""
    given = {
        "src/core/a.cpp": '#include "evidence/ids.hpp"\n#include <fmt/format.h>\n',
        "src/judge/a.hpp": '#include "judge/b.hpp"\n#  include <pugixml.hpp>\n',
        "src/report/a.cpp": '#include "gpuvet/commands.hpp"\n#include "judge/judge.hpp"\n',
        "src/attic/a.cpp": "",
        "apps/gpuvet/a.cpp": '#include <CLI/CLI.hpp>\n#include "judge/judge.hpp"\n#include <toml++/toml.h>\n',
    }
    wanted = ["apps/gpuvet/a.cpp:3", "src/attic/a.cpp", "src/core/a.cpp:1", "src/judge/a.hpp:2", "src/report/a.cpp:1"]
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        for name, text in given.items():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(text)
        seen = sorted(c.removeprefix(f"{root}/").split(": ")[0] for c in check(root))
    if seen != wanted:
        sys.exit(f"the checker sees {seen}, not {wanted}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--test"]:
        test()
    else:
        complaints = check(pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else "."))
        print("\n".join(complaints))
        sys.exit(1 if complaints else 0)
