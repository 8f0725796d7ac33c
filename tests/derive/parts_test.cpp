// SPDX-License-Identifier: Apache-2.0
#include "derive/building.hpp"

namespace gpuvet::derive::testing {
namespace {

double number(const Evidence& evidence, std::string_view id) {
  const auto* o = find(evidence, id);
  return o == nullptr || o->number() == nullptr ? -1 : *o->number();
}

/// The same, from a source whose names are those of `tool`.
Evidence by(const std::string& tool, const std::function<void(Recorder&)>& write) {
  return from(tool + ".txt", [&](Recorder& out) {
    out.tool(tool);
    write(out);
  });
}

Evidence joined(Evidence a, Evidence b) {
  a.append(std::move(b));
  return derived(std::move(a));
}

constexpr double gib = 1 << 30;

TEST(PartsTest, ModulesAreCountedSummedAndCompared) {
  const auto e = derived(from("dmi", [](Recorder& out) {
    out.number("dimm.size"_id, "dimm:A1", 64 * gib);
    out.number("dimm.speed.rated"_id, "dimm:A1", 3200);
    out.number("dimm.speed.configured"_id, "dimm:A1", 3200);
    out.text("dimm.health"_id, "dimm:A1", "OK");
    out.number("dimm.size"_id, "dimm:A2", 32 * gib);
    out.number("dimm.speed.rated"_id, "dimm:A2", 3200);
    out.number("dimm.speed.configured"_id, "dimm:A2", 2933);
    out.text("dimm.health"_id, "dimm:A2", "Critical");
    out.absent("dimm.size"_id, "dimm:A3", Absence::not_supported, "empty");
  }));
  EXPECT_EQ(number(e, "node.dimm.slots"), 3);
  EXPECT_EQ(number(e, "node.dimm.populated"), 2);
  EXPECT_EQ(number(e, "node.memory.installed"), 96 * gib);
  EXPECT_EQ(shown(e, "node.dimm.below_rated"), "A2 at 2933 of 3200 MT/s");
  EXPECT_EQ(shown(e, "node.dimm.unhealthy"), "A2: Critical");
}

TEST(PartsTest, EmptySocketsAreNoMemoryOfZero) {
  const auto e = derived(from("dmi", [](Recorder& out) {
    out.absent("dimm.size"_id, "dimm:A1", Absence::not_supported, "empty");
  }));
  EXPECT_EQ(number(e, "node.dimm.populated"), 0);
  EXPECT_EQ(find(e, "node.memory.installed"), nullptr);
  EXPECT_EQ(find(e, "node.dimm.below_rated"), nullptr);
  EXPECT_EQ(find(e, "node.dimm.unhealthy"), nullptr);
}

TEST(PartsTest, SuppliesThatAreAbsentDoNotCountAndThoseWithoutInputFailed) {
  const auto e = derived(from("bmc", [](Recorder& out) {
    for (const auto* supply : {"psu:1", "psu:2", "psu:3"}) {
      out.number("psu.capacity"_id, supply, 3000);
      out.text("psu.health"_id, supply, "ok");
    }
    out.text("psu.health"_id, "psu:3", "no_input");
    out.number("psu.capacity"_id, "psu:4", 3000);
    out.text("psu.health"_id, "psu:4", "absent");
  }));
  EXPECT_EQ(number(e, "node.psu.count"), 3);
  EXPECT_EQ(number(e, "node.power.capacity"), 9000);
  EXPECT_EQ(shown(e, "node.psu.failed"), "3: no_input");
}

TEST(PartsTest, EachToolHasItsOwnNamesForTheSameParts) {
  const auto firmware = [](Recorder& out) {
    for (const auto* supply : {"psu:PSU1", "psu:PSU2"}) {
      out.number("psu.capacity"_id, supply, 2000);
      out.text("psu.health"_id, supply, "ok");
    }
    out.number("dimm.size"_id, "dimm:P0_A1", 64 * gib);
    out.text("slot.usage"_id, "slot:SLOT 1", "free");
  };
  auto redfish = by("Redfish", [](Recorder& out) {
    for (const auto* supply : {"psu:Power Supply 1", "psu:Power Supply 2"}) {
      out.number("psu.capacity"_id, supply, 2000);
      out.text("psu.health"_id, supply, "ok");
    }
    out.text("fan.health"_id, "fan:Fan 1", "ok");
    out.number("dimm.size"_id, "dimm:PROC 1 DIMM 1", 64 * gib);
    out.text("slot.usage"_id, "slot:1", "free");
    out.text("drive.bus"_id, "drive:Disk 1", "nvme");
    out.number("drive.capacity"_id, "drive:Disk 1", 2e12);
  });
  redfish.append(by("ipmitool sdr", [](Recorder& out) {
    out.text("psu.health"_id, "psu:PS1", "ok");
    out.text("psu.health"_id, "psu:PS2", "critical");
    out.text("fan.health"_id, "fan:FAN1", "ok");
    out.text("fan.health"_id, "fan:FAN2", "ok");
  }));
  redfish.append(by("nvme list", [](Recorder& out) {
    out.text("drive.bus"_id, "drive:nvme0", "nvme");
    out.number("drive.capacity"_id, "drive:nvme0", 2e12);
  }));
  redfish.append(
      by("smartctl", [](Recorder& out) { out.text("drive.model"_id, "drive:sda", "ACME"); }));
  const auto e = joined(by("dmidecode", firmware), std::move(redfish));
  EXPECT_EQ(number(e, "node.psu.count"), 2);
  EXPECT_EQ(number(e, "node.power.capacity"), 4000);
  EXPECT_EQ(shown(e, "node.psu.failed"), "PS2: critical");
  EXPECT_EQ(number(e, "node.fan.count"), 2);
  EXPECT_EQ(number(e, "node.dimm.populated"), 1);
  EXPECT_EQ(number(e, "node.memory.installed"), 64 * gib);
  EXPECT_EQ(number(e, "node.slot.count"), 1);
  EXPECT_EQ(number(e, "node.slot.free"), 1);
  EXPECT_EQ(number(e, "node.drive.nvme.count"), 1);
  EXPECT_EQ(number(e, "node.drive.nvme.capacity"), 2e12);
  EXPECT_EQ(number(e, "node.drives"), 2);  // the system's tools share their names: nvme0 and sda
}

TEST(PartsTest, NoOtherSourceCoversUpWhatIsSick) {
  const auto say = [](const std::string& health) {
    return [health](Recorder& out) { out.text("fan.health"_id, "fan:FAN1", health); };
  };
  EXPECT_EQ(shown(joined(by("ipmitool sdr", say("critical")), by("Redfish", say("OK"))),
                  "node.fan.failed"),
            "FAN1: critical");
  EXPECT_EQ(shown(joined(by("Redfish", say("OK")), by("ipmitool sdr", say("critical"))),
                  "node.fan.failed"),
            "FAN1: critical");
  // A bay that one source cannot see is not empty.
  const auto seen = joined(by("Redfish", say("absent")), by("ipmitool sdr", say("ok")));
  EXPECT_EQ(number(seen, "node.fan.count"), 1);
  EXPECT_EQ(shown(seen, "node.fan.failed"), "none");
}

TEST(PartsTest, FanThatStandsStillAmongOthers) {
  const auto fans = [](double first) {
    return from("sdr", [first](Recorder& out) {
      out.number("fan.speed"_id, "fan:1", first);
      out.number("fan.speed"_id, "fan:2", 0);
      out.text("fan.health"_id, "fan:3", "absent");
    });
  };
  EXPECT_EQ(shown(derived(fans(6000)), "node.fan.failed"), "2: stands still");
  EXPECT_EQ(number(derived(fans(6000)), "node.fan.count"), 2);
  // Where none turns there may be none to turn.
  EXPECT_EQ(shown(derived(fans(0)), "node.fan.failed"), "none");
}

TEST(PartsTest, Drives) {
  const auto e = derived(from("drives", [](Recorder& out) {
    out.text("drive.bus"_id, "drive:nvme0", "nvme");
    out.number("drive.capacity"_id, "drive:nvme0", 4e12);
    out.number("drive.critical_warning"_id, "drive:nvme0", 4);
    out.number("drive.power_on"_id, "drive:nvme0", 3600);
    out.text("drive.bus"_id, "drive:nvme1", "nvme");
    out.number("drive.capacity"_id, "drive:nvme1", 3e12);
    out.number("drive.critical_warning"_id, "drive:nvme1", 0);
    out.text("drive.health"_id, "drive:nvme1", "passed");
    out.number("drive.power_on"_id, "drive:nvme1", 7200);
    out.text("drive.bus"_id, "drive:sda", "sata");
    out.number("drive.capacity"_id, "drive:sda", 1e12);
    out.text("drive.health"_id, "drive:sda", "failed");
  }));
  EXPECT_EQ(number(e, "node.drives"), 3);
  EXPECT_EQ(number(e, "node.drive.nvme.count"), 2);
  EXPECT_EQ(number(e, "node.drive.nvme.capacity"), 7e12);
  EXPECT_EQ(number(e, "node.power_on"), 7200);
  EXPECT_EQ(shown(e, "node.drive.unhealthy"), "nvme0: critical warning 4, sda: failed");
}

/// What follows about the kind of storage: "true", "false", why not, or nothing.
std::string storage(const std::function<void(Recorder&)>& write) {
  const auto e = derived(from("drives", write));
  const auto* o = find(e, "node.drive.m2_or_sata_only");
  if (o == nullptr) return "nothing";
  return o->flag() == nullptr ? o->detail : *o->flag() ? "true" : "false";
}

void drive(Recorder& out, const std::string& name, const std::string& bus,
           const std::string& form = "") {
  if (!bus.empty()) out.text("drive.bus"_id, "drive:" + name, bus);
  if (!form.empty()) out.text("drive.form_factor"_id, "drive:" + name, form);
}

TEST(PartsTest, StorageOfM2OrSataAlone) {
  EXPECT_EQ(storage([](Recorder& out) {
              drive(out, "sda", "sata", "2.5 inches");
              drive(out, "nvme0", "nvme", "M.2");
              drive(out, "nvme1", "nvme", "M2_2280");
              drive(out, "sdb", "usb");
            }),
            "true");
  EXPECT_EQ(storage([](Recorder& out) {
              drive(out, "nvme0", "nvme", "M.2");
              drive(out, "nvme1", "nvme", "U.2");
            }),
            "false");
}

TEST(PartsTest, StorageOfUnknownFormIsNotJudged) {
  EXPECT_EQ(storage([](Recorder& out) {
              drive(out, "nvme0", "nvme");
              drive(out, "nvme1", "nvme");
              drive(out, "sda", "sata");
            }),
            "whether they are M.2 or SATA is not told of 2 drives");
  EXPECT_EQ(storage([](Recorder& out) { drive(out, "0", "", "2.5 inches"); }),
            "whether they are M.2 or SATA is not told of 1 drives")
      << "a SATA drive looks the same";
  EXPECT_EQ(storage([](Recorder& out) { drive(out, "sda", "sas", "2.5 inches"); }),
            "whether they are M.2 or SATA is not told of 1 drives")
      << "a SATA drive behind a SAS adapter looks the same";
  EXPECT_EQ(storage([](Recorder& out) { drive(out, "sdb", "usb"); }), "nothing");
}

TEST(PartsTest, BaysSayWhatStorageCanBe) {
  for (const std::string type : {"U2", "x4 PCI Express 4 SFF-8639"})
    EXPECT_EQ(storage([&](Recorder& out) {
                out.text("slot.type"_id, "slot:bay", type);
                drive(out, "sda", "sata");
              }),
              "false");
  const auto declared = [](double bays) {
    return storage([&](Recorder& out) {
      out.number("node.bays.nvme"_id, "node", bays);
      drive(out, "nvme0", "nvme");
    });
  };
  EXPECT_EQ(declared(0), "true");
  EXPECT_EQ(declared(1), "false");
  EXPECT_EQ(storage([](Recorder& out) { out.text("slot.type"_id, "slot:1", "x16 PCI Express 4"); }),
            "nothing");
}

TEST(PartsTest, DrivesOfUnknownBusAreNoNvmeDrives) {
  const auto e =
      derived(from("x", [](Recorder& out) { out.text("drive.model"_id, "drive:a", "ACME"); }));
  EXPECT_EQ(number(e, "node.drives"), 1);
  EXPECT_EQ(find(e, "node.drive.nvme.count"), nullptr);
  EXPECT_EQ(find(e, "node.drive.unhealthy"), nullptr);
}

TEST(PartsTest, FreeSlotsNeedLanesWidthAndGeneration) {
  const auto e = derived(from("dmi", [](Recorder& out) {
    const auto slot = [&](const std::string& name, const std::string& usage, double lanes,
                          double width, double generation) {
      out.text("slot.usage"_id, name, usage);
      out.number("slot.lanes"_id, name, lanes);
      out.number("slot.width"_id, name, width);
      out.number("slot.generation"_id, name, generation);
    };
    slot("slot:good", "free", 16, 16, 4);
    slot("slot:used", "used", 16, 16, 4);
    slot("slot:half the lanes", "free", 8, 16, 4);
    slot("slot:too short", "free", 16, 8, 4);
    slot("slot:old", "free", 16, 16, 3);
    out.text("slot.usage"_id, "slot:says nothing", "free");
    slot("slot:bay", "free", 4, 4, 4);
    out.text("slot.type"_id, "slot:bay", "U2");
  }));
  EXPECT_EQ(number(e, "node.slot.count"), 7);
  EXPECT_EQ(number(e, "node.slot.free"), 5);
  EXPECT_EQ(number(e, "node.slot.free_x16"), 1);
}

TEST(PartsTest, SensorsThatTwoSourcesNameAlikeAreOne) {
  auto e = by("ipmitool sdr", [](Recorder& out) {
    out.text("sensor.health"_id, "sensor:CPU0 Temp", "ok");
    out.text("sensor.health"_id, "sensor:P12V", "warning");
    out.text("sensor.health"_id, "sensor:PCH Temp", "critical");
    out.absent("sensor.health"_id, "sensor:GPU Temp", Absence::not_supported);
  });
  const auto both = joined(std::move(e), by("Redfish", [](Recorder& out) {
                             out.text("sensor.health"_id, "sensor:CPU0 Temp", "ok");
                             out.text("sensor.health"_id, "sensor:PCH Temp", "critical");
                           }));
  EXPECT_EQ(number(both, "bmc.sensors"), 3);
  EXPECT_EQ(shown(both, "bmc.sensor.critical"), "PCH Temp");
  EXPECT_EQ(shown(both, "bmc.sensor.warning"), "P12V");
}

TEST(PartsTest, PortsOfRdmaOnly) {
  const auto e = derived(from("ibstat", [](Recorder& out) {
    const auto port = [&](const std::string& name, const std::string& layer,
                          const std::string& state, double gigabits) {
      out.text("nic.link_layer"_id, name, layer);
      out.text("nic.state"_id, name, state);
      out.number("nic.rate"_id, name, gigabits * 1e9 / 8);
    };
    port("nic:mlx5_0", "InfiniBand", "Active", 200);
    port("nic:mlx5_1", "InfiniBand", "active", 40);
    port("nic:mlx5_2", "InfiniBand", "Down", 10);
    out.text("nic.physical_state"_id, "nic:mlx5_2", "Polling");
    port("nic:eno1", "Ethernet", "Down", 1);
    port("nic:mlx5_3", "Ethernet", "Active", 200);
    out.flag("nic.rdma"_id, "nic:mlx5_3", true);
    port("nic:rxe0", "Ethernet", "Active", 100);  // played in software
    out.flag("nic.rdma"_id, "nic:rxe0", true);
  }));
  EXPECT_EQ(number(e, "node.nic.rdma.ports"), 4);
  EXPECT_EQ(number(e, "node.nic.rdma.fast"), 2);
  EXPECT_EQ(number(e, "node.nic.rdma.rate"), 55e9);
  EXPECT_EQ(shown(e, "node.nic.down"), "mlx5_2: Down (Polling)");
  EXPECT_EQ(shown(e, "node.nic.link_layers"), "InfiniBand, Ethernet");
  const auto* rates = find(e, "node.nic.rates");
  ASSERT_NE(rates, nullptr);
  EXPECT_EQ(*rates->as<std::vector<double>>(), (std::vector<double>{25e9, 5e9}));
}

TEST(PartsTest, BridgesThatRedirect) {
  const auto e = derived(from("lspci", [](Recorder& out) {
    out.flag("pci.acs"_id, "pci:0000:01:00.0", true);
    out.flag("pci.acs"_id, "pci:0000:02:00.0", false);
  }));
  EXPECT_EQ(shown(e, "node.acs.enabled"), "0000:01:00.0");
  EXPECT_EQ(find(derived(from("x", [](Recorder&) {})), "node.acs.enabled"), nullptr);
}

TEST(PartsTest, DiagnosticNamesTestAndGpu) {
  const auto diag = [](const std::string& first, const std::string& second) {
    return derived(from("dcgm", [&](Recorder& out) {
      out.text("diag.result"_id, "node", first, {{"test", "software"}});
      out.text("diag.result"_id, "gpu:0000:01:00.0", second, {{"test", "pcie"}});
    }));
  };
  const auto failed = diag("pass", "fail");
  EXPECT_EQ(shown(failed, "node.diag.failed"), "test=pcie on gpu:0000:01:00.0");
  EXPECT_EQ(shown(failed, "node.diag.warned"), "none");
  const auto warned = diag("warn", "pass");
  EXPECT_EQ(shown(warned, "node.diag.failed"), "none");
  EXPECT_EQ(shown(warned, "node.diag.warned"), "test=software");
  EXPECT_EQ(find(diag("skip", "skip"), "node.diag.failed"), nullptr);
}

TEST(PartsTest, NothingFollowsFromNothing) {
  const auto e = derived(from("x", [](Recorder& out) { out.text("node.model"_id, "node", "y"); }));
  for (const auto* id :
       {"node.dimm.slots", "node.psu.count", "node.psu.failed", "node.fan.count", "node.fan.failed",
        "node.drives", "node.slot.free", "bmc.sensors", "node.nic.rdma.ports", "node.nic.down",
        "node.power.capacity", "node.diag.failed"})
    EXPECT_EQ(find(e, id), nullptr) << id;
}

}  // namespace
}  // namespace gpuvet::derive::testing
