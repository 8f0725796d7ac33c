// SPDX-License-Identifier: Apache-2.0
#include "device/sim/plants.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"

namespace gpuvet::device {
namespace {

using enum PlantKind;

constexpr std::array kinds = {
    PlantInfo{stuck_high, "memory-stuck-high", "A bit of memory is always 1", "memory.integrity"},
    PlantInfo{stuck_low, "memory-stuck-low", "A bit of memory is always 0", "memory.integrity"},
    PlantInfo{transient, "memory-transient", "A bit of memory flips once", "memory.integrity"},
    PlantInfo{transition_up, "memory-transition-up", "A bit can't go from 0 to 1",
              "memory.integrity"},
    PlantInfo{transition_down, "memory-transition-down", "A bit can't go from 1 to 0",
              "memory.integrity"},
    PlantInfo{coupling_invert, "memory-coupling-invert", "Writing a word flips a bit of another",
              "memory.integrity"},
    PlantInfo{coupling_set, "memory-coupling-set", "Writing a one sets a bit of another word",
              "memory.integrity"},
    PlantInfo{alias, "memory-alias", "Two addresses lead to one word", "memory.integrity"},
    PlantInfo{row, "memory-row", "A row of memory has stuck bits", "memory.integrity"},
    PlantInfo{column, "memory-column", "A column of memory has a stuck bit", "memory.integrity"},
    PlantInfo{block, "memory-block", "A block of memory forgets writes", "memory.integrity"},
    PlantInfo{stale_write, "memory-stale-write", "One write to a word does not take",
              "memory.integrity"},
    PlantInfo{retention, "memory-retention", "A bit fades within a second", "memory.integrity"},
    PlantInfo{hammered, "memory-hammered", "A bit flips when its neighbours are read often",
              "memory.integrity"},
    PlantInfo{read_disturbed, "memory-read-disturbed", "One read gives a wrong bit",
              "memory.integrity"},
    PlantInfo{ecc_corrected, "ecc-corrected", "The memory corrects errors all the time",
              "memory.integrity"},
    PlantInfo{ecc_uncorrected, "ecc-uncorrected", "A stuck bit that ECC reports",
              "memory.integrity"},
    PlantInfo{row_remapped, "row-remapped", "A row is remapped during the test",
              "memory.integrity"},
    PlantInfo{wrong_element, "gemm-element", "One element of each product is wrong", "compute"},
    PlantInfo{nan_element, "gemm-nan", "One element of a product is NaN", "compute"},
    PlantInfo{inf_element, "gemm-inf", "One element of a product is infinite", "compute"},
    PlantInfo{wrong_row, "gemm-row", "A row of each product is wrong", "compute"},
    PlantInfo{wrong_column, "gemm-column", "A column of each product is wrong", "compute"},
    PlantInfo{wrong_tile, "gemm-tile", "A tile of each product is wrong", "compute"},
    PlantInfo{nondeterministic, "gemm-nondeterministic", "The same product has changing bits",
              "compute"},
    PlantInfo{sibling_differs, "gemm-sibling", "One GPU's products differ in a last bit",
              "compute"},
    PlantInfo{wrong_input, "gemm-input", "A kernel writes one wrong number", "compute"},
    PlantInfo{link_slow, "link-slow", "A pair of GPUs is slow both ways", "peer"},
    PlantInfo{link_slow_one_way, "link-slow-one-way", "A pair of GPUs is slow one way", "peer"},
    PlantInfo{links_swapped, "links-swapped", "Two peers' links are exchanged", "peer"},
    PlantInfo{link_latency, "link-latency", "A pair of GPUs answers late", "peer"},
    PlantInfo{peer_copy_stale, "peer-copy-stale", "A piece of a copy between GPUs does not arrive",
              "peer"},
    PlantInfo{peer_copy_corrupt, "peer-copy-corrupt", "A copy between GPUs flips a bit", "peer"},
    PlantInfo{h2d_corrupt, "h2d-corrupt", "A copy to the GPU flips a bit", "host-link"},
    PlantInfo{d2h_corrupt, "d2h-corrupt", "A copy from the GPU flips a bit", "host-link"},
    PlantInfo{host_link_slow, "host-link-slow", "A GPU's PCIe link is slow", "host-link"},
    PlantInfo{host_link_slow_one_way, "host-link-slow-one-way", "A PCIe link is slow one way",
              "host-link"},
    PlantInfo{uplink_narrow, "uplink-narrow", "GPUs of one NUMA node share a narrow way",
              "host-link"},
    PlantInfo{order_message_passing, "order-message-passing", "A flag is seen before its message",
              "coherency"},
    PlantInfo{order_store_buffering, "order-store-buffering", "Fenced stores pass loads",
              "coherency"},
    PlantInfo{order_load_buffering, "order-load-buffering", "Loads see what comes later",
              "coherency"},
    PlantInfo{order_iriw, "order-iriw", "Two readers see two writes in two orders", "coherency"},
    PlantInfo{order_coherence, "order-coherence", "Reads of one word go back", "coherency"},
    PlantInfo{atomic_add_lost, "atomic-add-lost", "An atomic addition is lost", "coherency"},
    PlantInfo{atomic_cas_twice, "atomic-cas-twice", "A compare-and-swap succeeds twice",
              "coherency"},
    PlantInfo{atomic_exchange_lost, "atomic-exchange-lost", "An atomic exchange loses a value",
              "coherency"},
    PlantInfo{sum_wrong, "sum-wrong", "One GPU adds wrongly", "collectives"},
    PlantInfo{rank_slow, "rank-slow", "One GPU holds all others up", "collectives"},
    PlantInfo{memory_slow, "memory-slow", "A GPU's memory is slow", "memory.bandwidth"},
    PlantInfo{compute_slow, "compute-slow", "A GPU multiplies slowly", "compute"},
    PlantInfo{memory_short, "memory-short", "A part of the memory can't be allocated",
              "memory.integrity"},
    PlantInfo{lost, "lost", "A GPU falls off the bus in the middle of a probe", "memory.integrity"},
    PlantInfo{hangs, "hangs", "A piece of work never ends", "memory.bandwidth"},
};

}  // namespace

std::span<const PlantInfo> plant_kinds() { return kinds; }

const PlantInfo& info(PlantKind kind) { return kinds[static_cast<std::size_t>(kind)]; }

const PlantInfo* plant_named(std::string_view name) {
  const auto* found = std::find_if(kinds.begin(), kinds.end(),
                                   [&](const PlantInfo& plant) { return plant.name == name; });
  return found == kinds.end() ? nullptr : found;
}

Result<Plant> parse_plant(std::string_view text) {
  const auto colon = text.find(':');
  const auto* found = plant_named(text.substr(0, colon));
  if (found == nullptr)
    return fail(Errc::usage,
                "no such fault: " + std::string(text.substr(0, colon)) + " (gpuvet sim list)");
  Plant out;
  out.kind = found->kind;
  if (colon == std::string_view::npos) return out;
  const auto where = text.substr(colon + 1);
  const auto dash = where.find('-');
  const auto gpu = parse_integer(where.substr(0, dash));
  const auto peer = dash == std::string_view::npos ? std::optional<std::int64_t>(gpu == 0 ? 1 : 0)
                                                   : parse_integer(where.substr(dash + 1));
  constexpr std::int64_t most = 255;
  if (!gpu || !peer || *gpu < 0 || *peer < 0 || *gpu > most || *peer > most || *gpu == *peer)
    return fail(Errc::usage, "fault " + std::string(text) + ": write NAME:GPU or NAME:GPU-PEER");
  out.gpu = static_cast<int>(*gpu);
  out.peer = static_cast<int>(*peer);
  return out;
}

}  // namespace gpuvet::device
