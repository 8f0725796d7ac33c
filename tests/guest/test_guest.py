# SPDX-License-Identifier: Apache-2.0
"""gpuvet on a real kernel's tree: an emulated two-socket server with SMBIOS slots, a PCIe switch below
the second socket, an adapter that speaks RDMA in software and a management controller."""
import json
import os
import pathlib
import sys
import tempfile
import unittest

import guest

LIMIT = 600  # seconds; an idle machine needs about 15
# Where SeaBIOS puts what MACHINE describes: the second socket's buses begin at 40; 42:xx are the
# switch's ports, 43 and 44 lie behind two of them.
PORT, SWITCH, ADAPTER, DRIVE = "0000:40:00.0", "0000:41:00.0", "0000:43:00.0", "0000:44:00.0"
SLOTS = (("SLOT1", "x16 PCI Express 4 x16", ADAPTER), ("SLOT2", "x16 PCI Express 5 x16", None),
         ("SLOT3", "x16 PCI Express 4 x16", None), ("SLOT4", "x8 PCI Express 4 x16", None),
         ("U2-0", "x4 PCI Express 3 x4", DRIVE))
MACHINE = [
    "-machine", "q35,accel=tcg", "-cpu", "max", "-m", "1024", "-smp", "2,sockets=2,cores=1,threads=1",
    "-object", "memory-backend-ram,id=m0,size=512M", "-object", "memory-backend-ram,id=m1,size=512M",
    "-numa", "node,nodeid=0,cpus=0,memdev=m0", "-numa", "node,nodeid=1,cpus=1,memdev=m1",
    "-device", "intel-iommu,intremap=off",
    "-smbios", "type=0,vendor=Acme,version=1.2.3,date=01/02/2026",
    "-smbios", "type=1,manufacturer=Acme,product=GX-8 Emulated,version=A,serial=SN-0042",
    "-smbios", "type=2,manufacturer=Acme,product=GX-8 Board,serial=BN-0042",
    "-smbios", "type=3,manufacturer=Acme,serial=CN-0042",
    "-smbios", "type=17,manufacturer=Acme Memory,part=AM-1,speed=4800",
    # First socket: an adapter below a root port of its own.
    "-device", "pcie-root-port,id=rp0,bus=pcie.0,addr=0x10,chassis=1,slot=1,x-speed=16,x-width=16",
    "-netdev", "hubport,id=n0,hubid=0", "-device", "virtio-net-pci,bus=rp0,netdev=n0,speed=10000,duplex=full,romfile=",
    # Second socket: a switch, and behind it an adapter, a drive and a free port.
    "-device", "pxb-pcie,id=host1,bus=pcie.0,addr=0x11,bus_nr=0x40,numa_node=1",
    "-device", "pcie-root-port,id=rp1,bus=host1,chassis=2,slot=2,x-speed=16,x-width=16",
    "-device", "x3130-upstream,id=up,bus=rp1",
    "-device", "xio3130-downstream,id=down0,bus=up,addr=0,chassis=3,slot=3",
    "-device", "xio3130-downstream,id=down1,bus=up,addr=1,chassis=4,slot=4",
    "-device", "xio3130-downstream,id=down2,bus=up,addr=2,chassis=5,slot=5",
    "-netdev", "hubport,id=n1,hubid=0", "-device", "virtio-net-pci,bus=down0,netdev=n1,speed=100000,duplex=full,romfile=",
    "-device", "nvme,bus=down1,serial=DN-0042,drive=results",
    "-device", "ipmi-bmc-sim,id=bmc0", "-device", "isa-ipmi-kcs,bmc=bmc0",
]


class Guest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        init = (guest.HERE / "init.sh").read_text().replace("@SWITCH@", SWITCH)
        with tempfile.TemporaryDirectory() as folder:
            cls.ran = guest.run(pathlib.Path(folder), os.environ["GPUVET"], init, MACHINE, SLOTS, LIMIT)
        print(f"the guest ran for {cls.ran.seconds:.1f} s:\n{cls.ran.console}", flush=True)
        if "vet.out" not in cls.ran.files:
            raise AssertionError("the guest left no results")
        cls.vet = json.loads(cls.ran.files["vet.out"])

    def code(self, name):
        return int(self.ran.files[name + ".code"])

    def all(self, id_, subject="node", document=None):
        return [o for o in (document or self.vet)["observations"] if o["id"] == id_ and o["subject"] == subject]

    def said(self, id_, subject="node", document=None):
        """The one value that all sources agree on which have one."""
        values = [o["value"] for o in self.all(id_, subject, document) if o["reason"] is None]
        self.assertTrue(values, f"{id_} of {subject} is not there")
        self.assertEqual([v for v in values if v != values[0]], [], f"{id_} of {subject}")
        return values[0]

    def status(self, id_, document=None):
        return {f["status"] for f in (document or self.vet)["findings"] if f["id"] == id_}

    def test_firmware_names_the_machine(self):
        for id_, value in {"node.vendor": "Acme", "node.model": "GX-8 Emulated", "node.serial": "SN-0042",
                           "node.board.model": "GX-8 Board", "node.bios.version": "1.2.3", "node.bios.date": "2026-01-02",
                           "node.hostname": "gx8"}.items():
            self.assertEqual(self.said(id_), value, id_)

    def test_slots_free_and_used(self):
        self.assertEqual(self.said("node.slot.count"), 5)
        self.assertEqual(self.said("node.slot.free"), 3)
        self.assertEqual(self.said("node.slot.free_x16"), 2, "one of the free ones has eight lanes")
        for name, kind, address in SLOTS:
            slot = "slot:" + name
            self.assertEqual(self.said("slot.usage", slot), "used" if address else "free")
            self.assertEqual([o["value"] for o in self.all("slot.pci.address", slot)], [address] if address else [])
            lanes, _, _, generation, width = kind.split()
            self.assertEqual((self.said("slot.lanes", slot), self.said("slot.generation", slot), self.said("slot.width", slot)),
                             (int(lanes[1:]), int(generation), int(width[1:])), name)

    def test_the_tree_with_its_switch(self):
        # The adapter is known by its RDMA name; what the tree says of its address is said of it.
        self.assertEqual(self.said("nic.pci.address", "nic:rxe0"), ADAPTER)
        self.assertEqual(self.said("nic.pci.path", "nic:rxe0"), [PORT, SWITCH, "0000:42:00.0", ADAPTER])
        self.assertEqual(self.said("nic.pci.upstream", "nic:rxe0"), SWITCH)
        self.assertEqual(self.said("nic.pci.root", "nic:rxe0"), "0000:40")
        self.assertEqual(self.said("nic.numa", "nic:rxe0"), "1")
        self.assertEqual(self.said("nic.pci.path", "nic:0000:01:00.0"), ["0000:00:10.0", "0000:01:00.0"])
        self.assertEqual(self.said("nic.pci.root", "nic:0000:01:00.0"), "0000:00")
        self.assertEqual({o["subject"] for o in self.vet["observations"] if o["id"] == "nic.pci.path"},
                         {"nic:rxe0", "nic:0000:01:00.0"})

    def test_iommu_and_the_ports_that_redirect(self):
        # The kernel switches ACS on where it has an IOMMU; QEMU's switch has no such capability.
        self.assertEqual(self.said("node.iommu"), "enabled")
        self.assertEqual(self.said("node.acs.enabled"), ["0000:00:10.0", PORT])

    def test_rdma_port_and_its_rate(self):
        for id_, value in {"nic.rdma": True, "nic.state": "Active", "nic.physical_state": "LinkUp",
                           "nic.link_layer": "Ethernet", "nic.rate": 100e9 / 8}.items():
            self.assertEqual(self.said(id_, "nic:rxe0"), value, id_)
        self.assertEqual(self.said("node.nic.rdma.ports"), 1)
        self.assertEqual(self.said("node.nic.link_layers"), ["Ethernet"])

    def test_the_drive(self):
        self.assertEqual(self.said("drive.serial", "drive:nvme0"), "DN-0042")
        self.assertEqual(self.said("drive.capacity", "drive:nvme0"), 64 << 20)
        self.assertEqual(self.said("node.drive.nvme.count"), 1)

    def test_the_management_controller(self):
        self.assertEqual(self.said("bmc.ipmi.version", "bmc"), "2.0")
        self.assertEqual(self.status("bmc.ipmi"), {"pass"})
        self.assertEqual({o["provenance"]["source"] for o in self.all("bmc.ipmi.version", "bmc")},
                         {"this machine: ipmi-mc.txt", "this machine: dmidecode.txt"})
        self.assertIn("Watchdog", self.ran.files["bundle/sources/007-this_machine__ipmi-sdr.txt"])
        self.assertEqual(self.said("bmc.sel.entries", "bmc"), 0)
        self.assertEqual(self.status("bmc.sel"), {"pass"}, "an empty event log is a good one")

    def test_an_event_of_the_controller_is_seen(self):
        document = json.loads(self.ran.files["event.out"])
        self.assertEqual(self.said("bmc.sel.entries", "bmc", document), 1)
        self.assertEqual(len(self.said("bmc.sel.critical", "bmc", document)), 1)
        self.assertTrue(self.status("bmc.sel", document) & {"fail", "warn"})

    def test_processors_memory_and_what_a_virtual_machine_cannot_know(self):
        self.assertEqual((self.said("node.cpu.sockets"), self.said("node.cpu.numa_nodes")), (2, 2))
        self.assertEqual((self.said("numa.cpus", "numa:0"), self.said("numa.cpus", "numa:1")), ("0", "1"))
        self.assertEqual(self.said("node.memory.installed"), 1 << 30)
        self.assertEqual(self.said("dimm.type", "dimm:DIMM 0"), "RAM")
        self.assertNotIn(self.said("node.virtualization"), (None, "none"))
        self.assertEqual([(o["value"], o["reason"]) for o in self.all("node.memory.ecc")], [(None, "not_supported")],
                         "QEMU calls its memory ECC, which says nothing of the host's")

    def test_no_gpu_is_said_plainly(self):
        self.assertEqual(self.said("node.gpu.on_bus"), 0)
        self.assertEqual(self.said("topology.gpu_count"), 0)
        self.assertEqual(self.code("vet"), 3)
        self.assertEqual(self.vet["verdict"], "inconclusive")
        self.assertRegex(self.vet["reasons"][0], "There is no NVIDIA GPU in this machine")
        self.assertRegex(self.ran.files["page.out"], "There is no NVIDIA GPU in this machine")

    def test_only_the_driver_is_missing_and_nothing_alarms(self):
        self.assertEqual([i["file"] for i in self.vet["inputs"] if not i["understood"]], ["this machine: nvml"])
        self.assertEqual([f["id"] for f in self.vet["findings"] if f["status"] in ("fail", "warn", "error")], [])
        self.assertEqual(self.ran.files["vet.err"], "")

    def test_the_bundle_says_the_same(self):
        self.assertEqual(self.code("collect"), 0)
        self.assertRegex(self.ran.files["collect.out"], r"^/out/bundle: \d+ observations and 0 tables from 8 of 8 files\n$")
        again = json.loads(self.ran.files["again.out"])

        def facts(document):
            moving = ("kernel_log.", "node.memory.available", "numa.memory.free")
            return {json.dumps([o[k] for k in ("id", "subject", "value", "reason")]) for o in document["observations"]
                    if not o["id"].startswith(moving)}
        self.assertEqual(facts(again), facts(self.vet))
        self.assertEqual(again["verdict"], self.vet["verdict"])

    def test_without_root_the_reason_is_said(self):
        document = json.loads(self.ran.files["plain.out"])
        self.assertEqual({o["reason"] for o in self.all("node.slot.count", "node", document)}, {"permission"})
        self.assertEqual({o["reason"] for o in self.all("node.acs.enabled", "node", document)}, {"permission"})
        self.assertEqual(self.said("node.model", "node", document), "GX-8 Emulated")
        self.assertEqual(self.said("nic.pci.upstream", "nic:rxe0", document), SWITCH)
        self.assertEqual(self.said("nic.rate", "nic:rxe0", document), 100e9 / 8)
        self.assertEqual(self.status("bmc.sel", document), {"no_evidence"})


if __name__ == "__main__":
    try:
        guest.check_host(os.environ["GPUVET"])
        guest.kernel()
    except guest.Missing as missing:
        print("skipped:", missing)
        sys.exit(77)
    unittest.main()
