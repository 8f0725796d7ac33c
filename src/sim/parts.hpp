// SPDX-License-Identifier: Apache-2.0
// Inside sim: the parts that a world is put together from.
#pragma once

#include "sim/world.hpp"

namespace gpuvet::sim {

/// A GPU of the catalogue's kind, as number `index` of the server, not yet placed or linked.
Gpu make_gpu(const catalogue::Gpu& kind, int index, const Scenario& scenario);

/// Puts a GPU of another kind in the place of one, as somebody with a spare part does.
Result<void> replace_gpu(World& world, int index, std::string_view kind);

/// Joins the GPUs as the scenario's fabric says.
void link_gpus(World& world);

/// Adapters, drives and switches, before they have places.
void add_devices(World& world);

/// Memory, slots, processors: once all have places.
void add_host(World& world);

/// The management controller's sensors, where there is one.
void add_controller(World& world);

/// What the kernel says until the server is up.
void add_boot_log(World& world);

/// The same text always gives the same number: serials and UUIDs that stay from run to run.
std::uint64_t stable_number(std::string_view text);

}  // namespace gpuvet::sim
