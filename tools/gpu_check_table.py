#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""gpu_check_table.py FOLDER GPUS: the table at the end of scripts/gpu-check.

Reads what its steps wrote to FOLDER and the data sheets in GPUS (data/gpus), and prints each figure
beside what it is held against. gpu_check_table.py --test checks itself.
"""
import json
import pathlib
import re
import sys
import tempfile


def observations(folder):
    out = []
    for file in sorted(folder.glob("probe-*.json")):
        try:
            out += json.loads(file.read_text())["observations"]
        except (ValueError, KeyError, TypeError):
            print(f"{file.name}: cannot be read", file=sys.stderr)
    return out


def values(seen, name, **where):
    """Numbers of an observation whose dimensions are as asked; flags count as 0 and 1."""
    return [
        float(o["value"])
        for o in seen
        if o["id"] == name
        and isinstance(o["value"], (int, float))
        and all(o["where"].get(k) == v for k, v in where.items())
    ]


def least(numbers):
    """The slowest GPU's."""
    return min(numbers) if numbers else None


def data_sheet(gpus, name):
    """Fields of the GPU that nvidia-smi calls `name`, in base units."""
    scale = {"GB/s": 1e9, "TB/s": 1e12, "TFLOPS": 1e12}
    for file in sorted(gpus.glob("*.toml")):
        text = file.read_text()
        names = re.search(r"^names\s*=\s*\[(.*?)\]", text, re.S | re.M)
        if not names or name not in re.findall(r'"([^"]*)"', names[1]):
            continue
        found = re.findall(r'^(\w+)\s*=\s*"([\d.]+) (\S+)"', text, re.M)
        return {field: float(number) * scale.get(unit, 1) for field, number, unit in found}
    return {}


def nvbandwidth(text):
    """The lowest figure of each test in bytes a second, as it prints them."""
    out = {}
    try:
        cases = json.loads(text[text.index("{"):])["nvbandwidth"]["testcases"]
    except (ValueError, KeyError, TypeError):
        return out
    for case in cases:
        cells = [c for row in case.get("bandwidth_matrix", []) for c in row]
        numbers = [float(c) for c in cells if re.fullmatch(r"[\d.]+", str(c))]
        if numbers:
            out[case["name"]] = min(numbers) * 1e9
    return out


def steps(folder):
    """name -> (what it said, seconds, why it was left out)."""
    out = {}
    for line in (folder / "steps.tsv").read_text().splitlines():
        name, said, seconds, why = line.split("\t")
        out[name] = (said, int(seconds), why)
    return out


def text(folder, name):
    file = folder / f"{name}.txt"
    return file.read_text(errors="replace") if file.exists() else ""


def rows(folder, gpus):
    """figure, ours, held against, what that is, asked (ratio: at least; below 0: at most)."""
    seen = observations(folder)
    gpu = text(folder, "gpu").split("\n")[0].split(",")[0].strip()
    sheet = data_sheet(gpus, gpu)
    peers = nvbandwidth(text(folder, "peer-nvbandwidth"))
    ran = steps(folder)
    read = least(values(seen, "memory.bandwidth.read"))
    copy = least(values(seen, "memory.bandwidth.copy"))
    tested = least(values(seen, "memory.tested.rate"))
    bf16 = least(values(seen, "compute.bf16", backend="cublas"))
    yield "read bandwidth", read, sheet.get("memory_bandwidth"), "data sheet", 0.93
    yield "copy bandwidth", copy, peers.get("device_local_copy"), "nvbandwidth device_local_copy", 1.0
    yield "integrity, bytes written and verified", tested and 2 * tested, copy, "own copy bandwidth", 0.85
    memtest = ran.get("peer-cuda_memtest", ("", 0, ""))
    total = re.search(r"(\d+) MiB", text(folder, "gpu"))
    rate = int(total[1]) * 2**20 / memtest[1] if total and memtest[0] == "ok" and memtest[1] else None
    yield "integrity, bytes verified", tested, rate, "cuda_memtest's test 1, whole run", 5.0
    yield "GEMM bf16, cuBLASLt", bf16, sheet.get("bf16"), "data sheet", 0.75
    yield "GEMM bf16, own kernel", least(values(seen, "compute.bf16", backend="own")), bf16, "own cuBLASLt figure", 0.5
    burn = [float(n) * 1e9 for n in re.findall(r"\(([\d.]+) Gflop/s\)", text(folder, "peer-gpu_burn"))]
    yield "GEMM tf32, cuBLASLt", least(values(seen, "compute.tf32", backend="cublas")), max(burn, default=None), "gpu_burn -tc", 1.0
    share = values(seen, "compute.check.share", size=32768.0) or values(seen, "compute.check.share")
    yield "Freivalds' check, share of time", max(share, default=None), 0.03, "limit", -1.0
    for ours, theirs in (("h2d", "host_to_device_memcpy_ce"), ("d2h", "device_to_host_memcpy_ce")):
        figure = values(seen, f"hostlink.{ours}", memory="pinned", concurrent=1.0) or values(seen, f"hostlink.{ours}")
        yield f"host link {ours}", max(figure, default=None), peers.get(theirs), "nvbandwidth " + theirs, 0.98
    yield "GPU to GPU", least(values(seen, "peer.bandwidth")), peers.get("device_to_device_memcpy_read_ce"), "nvbandwidth read_ce", 0.95
    busbw = re.search(r"Avg bus bandwidth\s*:\s*([\d.]+)", text(folder, "peer-all_reduce_perf"))
    yield ("all_reduce busbw", max(values(seen, "collective.all_reduce.busbw"), default=None),
           float(busbw[1]) * 1e9 if busbw else None, "all_reduce_perf", 0.95)
    for wrong in ("memory.wrong", "compute.wrong", "coherency.forbidden"):
        numbers = values(seen, wrong)
        yield wrong, sum(numbers) if numbers else None, 0.0, "must be", -1.0


def show(number):
    if number is None:
        return "-"
    for unit, size in (("T", 1e12), ("G", 1e9)):
        if number >= size:
            return f"{number / size:.4g} {unit}"
    return f"{number:.4g}"


def table(folder, gpus):
    out = [("figure", "ours", "against", "", "ratio", "asked", "")]
    for figure, ours, against, what, asked in rows(folder, gpus):
        ratio, verdict = None, "not run"
        if ours is not None and against is not None:
            ratio = ours / against if against else None
            good = ours <= against if asked < 0 else ratio >= asked
            verdict = "ok" if good else "SHORT"
        elif ours is not None:
            verdict = "no peer"
        limit = f"<= {show(against)}" if asked < 0 else f">= {asked:g}"
        out.append((figure, show(ours), show(against), what, "-" if ratio is None else f"{ratio:.3f}", limit, verdict))
    widths = [max(len(row[i]) for row in out) for i in range(7)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in out]
    lines += ["", "steps:"]
    for name, (said, seconds, why) in steps(folder).items():
        lines.append(f"  {name:32} {said:8} {seconds:4} s  {why}".rstrip())
    contract = re.search(r"\[  PASSED  \] (\d+) tests", text(folder, "contract"))
    skipped = re.search(r"\[  SKIPPED \] (\d+) test", text(folder, "contract"))
    lines.append(f"contract: {contract[1] if contract else 0} passed, {skipped[1] if skipped else 0} skipped")
    return [text(folder, "gpu").strip(), ""] + lines


def test():
    """Ratios, missing peers and shortfalls are told apart."""
    with tempfile.TemporaryDirectory() as top:
        folder, gpus = pathlib.Path(top, "out"), pathlib.Path(top, "gpus")
        folder.mkdir()
        gpus.mkdir()
        (gpus / "x.toml").write_text('names = [\n  "GPU X",\n]\n[fields]\nmemory_bandwidth = "1000 GB/s"\n')
        (folder / "gpu.txt").write_text("GPU X, GPU-1, 580.1, 81920 MiB, 700 W, 1980 MHz\n")
        (folder / "steps.tsv").write_text("contract\tok\t3\t\npeer-gpu_burn\tskipped\t0\tGPU_BURN is not given\n")
        case = {"name": "host_to_device_memcpy_ce", "bandwidth_matrix": [["50.0", "N/A"]]}
        (folder / "peer-nvbandwidth.txt").write_text("nvbandwidth\n" + json.dumps({"nvbandwidth": {"testcases": [case]}}))

        def one(name, value, **where):
            return {"id": name, "value": value, "where": where}

        seen = [one("memory.bandwidth.read", 940e9), one("memory.bandwidth.read", None), one("hostlink.h2d", 48e9),
                one("memory.wrong", 1), one("compute.bf16", 5e14, backend="cublas")]
        (folder / "probe-x.json").write_text(json.dumps({"observations": seen}))
        shown = {line.split("  ")[0]: line for line in table(folder, gpus)}
        wanted = {"read bandwidth": "0.940  >= 0.93  ok", "host link h2d": "0.960  >= 0.98  SHORT",
                  "GEMM bf16, cuBLASLt": "no peer", "GPU to GPU": "not run", "memory.wrong": "SHORT"}
        for figure, end in wanted.items():
            found = re.sub(r" {2,}", "  ", shown.get(figure, ""))
            if not found.endswith(end):
                sys.exit(f"{figure}: {found!r} does not end in {end!r}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--test"]:
        test()
    else:
        print("\n".join(table(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))))
