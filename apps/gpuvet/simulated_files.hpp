// SPDX-License-Identifier: Apache-2.0
// A simulated server written to folders: the tree that --root takes, the files that a vendor would
// send, and what plays its management controller.
#pragma once

#include <string>
#include <vector>

#include "core/result.hpp"
#include "sim/world.hpp"

namespace gpuvet::app {

/// /sys, /proc, /dev of the server, below `folder`.
Result<void> write_tree(const sim::World& world, const std::string& folder);

/// What tools print of it; `log` are the samples of its thermal log, of which the last is the
/// server.
Result<void> write_rendered(const std::vector<sim::World>& log, const std::string& folder);

/// redfish.json (all resources by path) and ipmi_sim's files; nothing where there is no controller.
/// ipmi_sim is to listen on `port` of this machine.
Result<void> write_controller(const sim::World& world, const std::string& folder, int port);

}  // namespace gpuvet::app
