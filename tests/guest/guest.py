# SPDX-License-Identifier: Apache-2.0
"""A machine that QEMU emulates in software: Debian's kernel, a memory disk of busybox and gpuvet.
Nothing is installed and nothing needs root."""
import gzip
import lzma
import os
import pathlib
import platform
import re
import shutil
import struct
import subprocess
import tarfile
import time

HERE = pathlib.Path(__file__).parent
CACHE = pathlib.Path(os.environ.get("GPUVET_GUEST_CACHE") or
                     pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache", "gpuvet/guest"))
# What the kernel is not built with. Others ask for a checksum by name; newer kernels have it built in.
CHECKSUMS = ("crc32c_generic", "crc32_generic")
MODULES = ("virtio_pci", "virtio_net", "nvme", "ipmi_si", "ipmi_devintf", "rdma_rxe")
TOOLS = ("ipmitool", "rdma")
APPLETS = ("sh", "mount", "mkdir", "insmod", "sleep", "ip", "readlink", "cat", "cut", "cp", "dmesg", "tar", "dd", "poweroff",
           "hostname", "su")


class Missing(Exception):
    """What the host lacks; the test is skipped."""


def find(tool):
    found = shutil.which(tool, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin:/usr/bin:/bin")
    if not found:
        raise Missing(tool + " is not installed")
    return found


def check_host(gpuvet):
    if any(word in pathlib.Path(gpuvet).read_bytes() for word in (b"__asan_init", b"__tsan_init")):
        raise Missing("a sanitizer's memory does not fit the guest")
    if platform.machine() != "x86_64":
        raise Missing("the guest is an x86-64 machine, as gpuvet must be to run in it")
    for tool in ("qemu-system-x86_64", "busybox", "dpkg-deb", "apt-get", "apt-cache", *TOOLS):
        find(tool)
    if subprocess.run(["ldd", find("busybox")], capture_output=True, check=False).returncode == 0:
        raise Missing("busybox is not the static one")


# ---- The kernel ---------------------------------------------------------------------------------


def kernel():
    """The folder with vmlinuz and modules of Debian's kernel, fetched once."""
    said = subprocess.run(["apt-cache", "depends", "linux-image-amd64"], capture_output=True, text=True, check=False,
                          env={**os.environ, "LC_ALL": "C"}).stdout
    packages = re.findall(r"Depends: (linux-image-\d\S+-amd64)\s", said)
    if not packages:
        raise Missing("apt knows no package linux-image-amd64")
    at = CACHE / packages[0]
    if (at / "vmlinuz").exists():
        return at
    shutil.rmtree(at, ignore_errors=True)
    fetched = CACHE / (packages[0] + ".part")
    shutil.rmtree(fetched, ignore_errors=True)
    fetched.mkdir(parents=True)
    try:
        ran = subprocess.run(["apt-get", "download", packages[0]], cwd=fetched, capture_output=True, text=True, check=False,
                             timeout=300)
        why = ran.stderr.strip()
    except subprocess.TimeoutExpired:
        why = "it took more than 300 s"
    files = list(fetched.glob("*.deb"))
    if not files:
        shutil.rmtree(fetched)
        raise Missing(f"{packages[0]} could not be fetched: {why}")
    unpack(files[0], fetched)
    files[0].unlink()
    fetched.rename(at)
    return at


def unpack(package, into):
    """Takes vmlinuz and MODULES, with all that they depend on, out of a package of 400 MB."""
    found, image = {}, None
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as process:
        with tarfile.open(fileobj=process.stdout, mode="r|") as archive:
            for member in archive:
                name = member.name.rsplit("/", 1)[-1]
                if "/boot/vmlinuz-" in member.name:
                    image = archive.extractfile(member).read()
                # Where such modules lie; others would only fill the memory.
                kinds = r"/kernel/(arch|block|crypto|lib|net/(core|ipv[46])|drivers/(char/ipmi|infiniband|net/[^/]+$|nvme|virtio))"
                if ".ko" in name and re.search(kinds, member.name):
                    found[name.split(".ko")[0].replace("-", "_")] = (name, archive.extractfile(member).read())
    order = []

    def need(module):
        if module in order:
            return
        if module not in found:
            raise AssertionError(f"{package.name} has no module {module} where it was looked for")
        name, data = found[module]
        data = lzma.decompress(data) if name.endswith(".xz") else gzip.decompress(data) if name.endswith(".gz") else data
        depends = re.search(rb"\0depends=([^\0]*)\0", data)
        for other in depends.group(1).decode().split(",") if depends else ():
            if other:
                need(other.replace("-", "_"))
        order.append(module)
        (into / (module + ".ko")).write_bytes(data)
    for module in (*(c for c in CHECKSUMS if c in found), *MODULES):
        need(module)
    (into / "order").write_text("".join(f"/modules/{m}.ko\n" for m in order))
    (into / "vmlinuz").write_bytes(image)


# ---- The memory disk ----------------------------------------------------------------------------


class Disk:
    """An archive as cpio writes it ("newc"), which the kernel unpacks as its root folder."""

    def __init__(self):
        self.parts, self.names = [], set()

    def add(self, path, mode, data=b""):
        path = path.strip("/")
        if path in self.names:
            return
        parent = path.rpartition("/")[0]
        if parent:
            self.folder(parent)
        self.names.add(path)
        name = path.encode() + b"\0"
        # Number, mode, owner, group, links, time, size, device (2), special file (2), name, checksum.
        fields = (len(self.names), mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name), 0)
        entry = b"070701" + b"".join(b"%08X" % f for f in fields) + name
        self.parts += [entry, b"\0" * (-len(entry) % 4), data, b"\0" * (-len(data) % 4)]

    def folder(self, path):
        self.add(path, 0o40755)

    def link(self, path, to):
        self.add(path, 0o120777, to.encode())

    def file(self, path, data):
        self.add(path, 0o100755, data)

    def program(self, path, source):
        """With the libraries that it is linked with, where it looks for them."""
        self.file(path, pathlib.Path(source).read_bytes())
        linked = subprocess.run(["ldd", source], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", linked):
            self.file(library, pathlib.Path(library).read_bytes())

    def write(self, to):
        self.add("TRAILER!!!", 0)
        to.write_bytes(b"".join(self.parts))


def memory_disk(to, kernel_at, gpuvet, init):
    disk = Disk()
    disk.file("init", init.encode())
    disk.file("bin/busybox", pathlib.Path(find("busybox")).read_bytes())
    for applet in APPLETS:
        disk.link("bin/" + applet, "busybox")
    for tool in TOOLS:
        disk.program("usr/bin/" + tool, find(tool))
    # A debug build is several times as large as what runs.
    stripped = to.with_suffix(".gpuvet")
    shutil.copy(gpuvet, stripped)
    if shutil.which("strip"):
        subprocess.run(["strip", stripped], check=False)
    disk.program("usr/bin/gpuvet", str(stripped))
    for file in kernel_at.glob("*"):
        if file.name != "vmlinuz":
            disk.file("modules/" + file.name, file.read_bytes())
    disk.file("etc/passwd", b"root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n")
    disk.file("etc/group", b"root:x:0:\nnogroup:x:65534:\n")
    disk.write(to)


# ---- Firmware -----------------------------------------------------------------------------------

SLOT_KINDS = {"x16 PCI Express 4 x16": (0xBD, 0x0D), "x16 PCI Express 5 x16": (0xC3, 0x0D),
              "x8 PCI Express 4 x16": (0xBD, 0x0B), "x4 PCI Express 3 x4": (0xB4, 0x0A)}


def slot_structure(number, name, kind, address):
    """SMBIOS type 9; `address` of the card as "0000:43:00.0", or nothing for a free slot. QEMU's own
    option for slots came with version 9."""
    type_, lanes = SLOT_KINDS[kind]
    segment, bus, place = 0xFFFF, 0xFF, 0xFF
    if address:
        segment, bus, device, function = (int(p, 16) for p in re.split("[:.]", address))
        place = device << 3 | function
    area = struct.pack("<BBHBBBBBHBBHBB", 9, 17, 0x0900 + number, 1, type_, lanes, 4 if address else 3, 4, number, 0x0C, 1,
                       segment, bus, place)
    return area + name.encode() + b"\0\0"


# ---- The machine --------------------------------------------------------------------------------


class Outcome:
    """What the guest left on its drive: text by file name, how long it ran, what it printed."""

    def __init__(self, drive, seconds, console):
        self.seconds, self.console, self.files = seconds, console, {}
        try:
            with tarfile.open(drive) as archive:
                for member in archive:
                    if member.isfile():
                        self.files[member.name.removeprefix("./")] = archive.extractfile(member).read().decode("utf-8", "replace")
        except tarfile.TarError:
            pass


def run(folder, gpuvet, init, arguments, slots, limit):
    """Boots the machine that `arguments` describe and waits until it switches itself off."""
    at = kernel()
    memory_disk(folder / "root.cpio", at, gpuvet, init)
    drive, console = folder / "drive", folder / "console"
    with open(drive, "wb") as file:
        file.truncate(64 << 20)
    command = [find("qemu-system-x86_64"), "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
               "-kernel", at / "vmlinuz", "-initrd", folder / "root.cpio",
               # A busy host starves the emulated timer while the kernel tests it, and it would give up.
               "-append", "console=ttyS0 quiet panic=-1 intel_iommu=on no_timer_check nowatchdog", "-serial", f"file:{console}",
               "-drive", f"if=none,id=results,format=raw,file={drive}", *arguments]
    for number, slot in enumerate(slots):
        table = folder / f"slot{number}"
        table.write_bytes(slot_structure(number, *slot))
        command += ["-smbios", f"file={table}"]
    began = time.monotonic()
    try:
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=limit)
        said = ran.stderr
    except subprocess.TimeoutExpired:
        said = f"the guest was still running after {limit} s"
    seconds = time.monotonic() - began
    printed = console.read_text(errors="replace") if console.exists() else ""
    return Outcome(drive, seconds, printed + said)
