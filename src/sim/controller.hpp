// SPDX-License-Identifier: Apache-2.0
// The simulated management controller: its Redfish resources, and the files from which ipmi_sim
// (of OpenIPMI) plays one on a port.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "evidence/json.hpp"
#include "sim/world.hpp"

namespace gpuvet::sim {

struct Resource {
  std::string path;  ///< "/redfish/v1/Systems/1"
  Json body;
};

/// The service root and all below it that can be reached from it.
std::vector<Resource> redfish_resources(const World&);

struct ControllerFile {
  std::string name, text;  ///< name: relative to the folder of all
};

/// lan.conf, bmc.emu and one file a sensor, to run as `ipmi_sim -c lan.conf -f bmc.emu -s state
/// -n`. `folder` is where they will lie; user and password are of the simulation alone.
std::vector<ControllerFile> ipmi_sim_files(const World&, const std::string& folder, int port,
                                           const std::string& user, const std::string& password);

/// "Presence detected, Power Supply AC lost": a supply's discrete states in IPMI's words.
std::string supply_states(const Sensor&);
/// "ok", "cr", "ns": the column of states.
std::string sensor_state(const Sensor&);
/// Entity and instance: 29 fans, 10 supplies, 7 the board.
std::pair<int, int> sensor_entity(const World&, std::size_t index);

}  // namespace gpuvet::sim
