// SPDX-License-Identifier: Apache-2.0
#include "sim/controller.hpp"

#include <gmock/gmock.h>

#include <set>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "sim/servers.hpp"

namespace gpuvet::sim {
namespace {

using testing::number;
using testing::server;
using testing::text;

void links_in(const Json& body, std::set<std::string>& out) {
  if (body.is_object() || body.is_array())
    for (const auto& [key, value] : body.items()) {
      if (key == "@odata.id" && value.is_string() && !contains(value.get<std::string>(), "#"))
        out.insert(value.get<std::string>());
      links_in(value, out);
    }
}

TEST(Controller, EveryLinkOfTheServiceLeadsToAResource) {
  for (const auto* id : {"dgx-a100", "dgx-h100", "t4-box"}) {
    std::set<std::string> paths, links;
    for (const auto& resource : redfish_resources(server(id, {"sel-entries"}))) {
      EXPECT_TRUE(paths.insert(resource.path).second) << resource.path;
      links_in(resource.body, links);
    }
    for (const auto& link : links)
      EXPECT_TRUE(paths.contains(link) || link.ends_with("/Sessions") ||
                  contains(link, "/Entries/"))
          << link;
  }
}

Evidence imported(const World& world) {
  Json all = Json::object();
  for (auto& resource : redfish_resources(world)) all[resource.path] = std::move(resource.body);
  const auto json = dump(all);
  const auto* importer = ingest::recognise(json);
  EXPECT_NE(importer, nullptr);
  Evidence out;
  Recorder recorder(out, Provenance{});
  MemorySource source(json);
  EXPECT_TRUE(importer->read(source, recorder));
  return out;
}

TEST(Controller, RedfishTellsTheWorld) {
  const auto world = server("dgx-a100");
  const auto found = imported(world);
  EXPECT_EQ(text(found, "node.hostname"_id), world.hostname);
  EXPECT_EQ(text(found, "node.model"_id), world.made.host.product);
  EXPECT_EQ(number(found, "node.cpu.sockets"_id), world.cpu.sockets);
  EXPECT_EQ(number(found, "node.temperature.inlet"_id), world.ambient);
  EXPECT_EQ(text(found, "psu.health"_id, "psu:PSU1"), "ok");
  EXPECT_EQ(number(found, "dimm.size"_id, "dimm:" + world.dimms[0].locator),
            static_cast<double>(world.dimms[0].size));
}

TEST(Controller, RedfishShowsFaults) {
  const auto lost = imported(server("dgx-a100", {"supply-lost"}));
  std::size_t bad = 0;
  for (const auto& o : lost.observations)
    if (o.id == "psu.health"_id && o.text() != nullptr && *o.text() != "ok") ++bad;
  EXPECT_EQ(bad, 1U);
  const auto log = imported(server("dgx-a100", {"sel-entries"}));
  EXPECT_FALSE(
      testing::find(log, "bmc.sel.critical"_id, "bmc")->as<std::vector<std::string>>()->empty());
}

TEST(Controller, SensorRecordsHaveTheLengthThatTheySay) {
  const auto world = server("dgx-a100");
  std::size_t records = 0;
  for (const auto& file : ipmi_sim_files(world, "/nowhere", 9623, "u", "p")) {
    if (file.name != "bmc.emu") continue;
    for (const auto line : split(file.text, '\n')) {
      if (!line.starts_with("main_sdr_add")) continue;
      ++records;
      const auto bytes = words(line);  // command, controller, then 5 of header and the length
      ASSERT_GT(bytes.size(), 7U);
      EXPECT_EQ(parse_integer(bytes[6].substr(2), 16), static_cast<std::int64_t>(bytes.size() - 7));
    }
  }
  EXPECT_EQ(records, world.sensors.size());
}

}  // namespace
}  // namespace gpuvet::sim
