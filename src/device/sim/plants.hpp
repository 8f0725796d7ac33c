// SPDX-License-Identifier: Apache-2.0
// Faults that strike while probes run: what is wrong with a simulated device, and which probe must
// say so. What goes wrong with the server around it is src/sim/faults.hpp's.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet::device {

enum class PlantKind : std::uint8_t {
  // Memory cells; a word's bit unless said otherwise.
  stuck_high,
  stuck_low,
  transient,        ///< flips once
  transition_up,    ///< can't go from 0 to 1
  transition_down,  ///< can't go from 1 to 0
  coupling_invert,  ///< writing a word flips a bit of another
  coupling_set,     ///< writing a one sets a bit of another
  alias,            ///< two addresses are one word
  row,              ///< 128 words in a row, each with a stuck bit
  column,           ///< the same bit of 32 words, 1024 words apart
  block,            ///< 64 words that forget every other write
  stale_write,      ///< one write to a word does not take
  retention,        ///< a bit fades within seconds
  hammered,         ///< a bit flips when its neighbours are read very often
  read_disturbed,   ///< one read gives a wrong bit, the cell holds the right one
  ecc_corrected,    ///< the device corrects more and more errors
  ecc_uncorrected,  ///< a stuck bit that the device's own ECC reports
  row_remapped,     ///< a row is remapped meanwhile
  // Matrix products.
  wrong_element,
  nan_element,
  inf_element,
  wrong_row,
  wrong_column,
  wrong_tile,
  nondeterministic,  ///< the last bit of an element is not always the same
  sibling_differs,   ///< the last bit of an element is always another than the siblings'
  wrong_input,       ///< one element of what fill_matrix() writes
  // Links.
  link_slow,
  link_slow_one_way,
  links_swapped,  ///< two peers' cables are exchanged: fast where slow is due
  link_latency,
  peer_copy_stale,  ///< a piece of a copy does not arrive
  peer_copy_corrupt,
  h2d_corrupt,
  d2h_corrupt,
  host_link_slow,
  host_link_slow_one_way,
  uplink_narrow,  ///< all GPUs of a NUMA node get at memory through one narrow way
  // Memory order: an outcome that must never be.
  order_message_passing,
  order_store_buffering,
  order_load_buffering,
  order_iriw,
  order_coherence,
  atomic_add_lost,
  atomic_cas_twice,
  atomic_exchange_lost,
  // Collective operations.
  sum_wrong,
  rank_slow,
  // The device as a whole.
  memory_slow,
  compute_slow,
  memory_short,  ///< a good part of the memory can't be allocated
  lost,          ///< falls off the bus in the middle
  hangs,         ///< a piece of work never ends
};

struct PlantInfo {
  PlantKind kind{};
  std::string_view name;   ///< "memory-stuck-high"
  std::string_view title;  ///< for people
  std::string_view probe;  ///< that must find it
};

/// All kinds, in the order of PlantKind.
std::span<const PlantInfo> plant_kinds();
const PlantInfo& info(PlantKind);
const PlantInfo* plant_named(std::string_view name);

/// One fault in one place.
struct Plant {
  PlantKind kind{};
  int gpu = 0, peer = 1;   ///< indices; peer where two devices are concerned
  std::uint64_t seed = 1;  ///< decides word, bit, element and moment
  double strength = 0;     ///< how much slower: 0 takes the kind's own (3)
};

/// "memory-stuck-high", "memory-stuck-high:3", "link-slow:0-5". The error lists what is known.
Result<Plant> parse_plant(std::string_view text);

}  // namespace gpuvet::device
