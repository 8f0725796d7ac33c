// SPDX-License-Identifier: Apache-2.0
#include "device/sim/machine.hpp"

#include <algorithm>
#include <utility>

#include "device/host/host.hpp"
#include "device/sim/stream.hpp"

namespace gpuvet::device {
namespace {

constexpr double slower = 3;  ///< what slow parts lack, unless a plant says otherwise

}  // namespace

Result<std::shared_ptr<Machine>> Machine::start(const sim::Scenario& scenario,
                                                std::vector<sim::Injected> faults,
                                                std::vector<Plant> plants) {
  for (const auto& plant : plants)
    if (static_cast<std::size_t>(std::max(plant.gpu, 0)) >= scenario.gpus.size())
      return fail(Errc::usage,
                  "fault " + std::string(info(plant.kind).name) + ": the server has no such GPU");
  GPUVET_TRY(auto simulation, sim::Simulation::start(scenario, std::move(faults)));
  simulation.set_load(1);
  GPUVET_TRY(const auto kinds, sim::gpu_parts(scenario.gpus));
  GPUVET_TRY(auto roads, sim::Roads::of(simulation.at(0), kinds));
  return std::shared_ptr<Machine>(
      new Machine(std::move(simulation), std::move(roads), std::move(plants)));
}

Machine::Machine(sim::Simulation simulation, sim::Roads roads, std::vector<Plant> plants)
    : simulation_{std::move(simulation)}, roads_{std::move(roads)}, plants_{std::move(plants)} {
  strike_roads();
}

/// Slow links and parts carry less from the beginning.
void Machine::strike_roads() {
  const auto gpus = static_cast<int>(world().gpus.size());
  for (const auto& plant : plants_) {
    const double factor = plant.strength > 0 ? plant.strength : slower;
    const auto slow = [&](sim::Part part, double healthy) {
      roads_.capacity(part) = std::min(roads_.capacity(part), healthy) / factor;
    };
    const auto peer = std::min(plant.peer, gpus - 1);
    const auto pair_rate = [&](int a, int b) {
      double out = 1e18;
      for (const auto& use : roads_.transfer(a, b, 1))
        out = std::min(out, roads_.capacity()[use.part] / use.amount);
      return out;
    };
    switch (plant.kind) {
      case PlantKind::link_slow:
        slow(roads_.pair(plant.gpu, peer), pair_rate(plant.gpu, peer));
        slow(roads_.pair(peer, plant.gpu), pair_rate(peer, plant.gpu));
        break;
      case PlantKind::link_slow_one_way:
        slow(roads_.pair(plant.gpu, peer), pair_rate(plant.gpu, peer));
        break;
      case PlantKind::links_swapped: {
        // What was due between gpu and peer goes to a third, and the other way round.
        const int third = [&] {
          for (int i = 0; i < gpus; ++i)
            if (i != plant.gpu && i != peer &&
                roads_.nvlink(plant.gpu, i) != roads_.nvlink(plant.gpu, peer))
              return i;
          return peer;
        }();
        const double a = pair_rate(plant.gpu, peer), b = pair_rate(plant.gpu, third);
        for (const auto& [x, y, rate] :
             {std::tuple(plant.gpu, peer, b), std::tuple(peer, plant.gpu, b),
              std::tuple(plant.gpu, third, a), std::tuple(third, plant.gpu, a)})
          roads_.capacity(roads_.pair(x, y)) = rate;
        break;
      }
      case PlantKind::host_link_slow:
        slow(roads_.host_link(plant.gpu, true), 1e18);
        slow(roads_.host_link(plant.gpu, false), 1e18);
        break;
      case PlantKind::host_link_slow_one_way:
        slow(roads_.host_link(plant.gpu, true), 1e18);
        break;
      case PlantKind::uplink_narrow:
        for (const auto& use : roads_.transfer(plant.gpu, -1, 1))
          if (use.part == roads_.transfer(plant.gpu, -1, 1).back().part)
            slow(use.part, 1.2 * pair_rate(plant.gpu, -1) * factor);
        break;
      case PlantKind::memory_slow:
        slow(roads_.memory(plant.gpu), 1e18);
        break;
      case PlantKind::compute_slow:
      case PlantKind::rank_slow:
        slow(roads_.processors(plant.gpu), 1e18);
        break;
      default:
        break;
    }
  }
}

const sim::World& Machine::world() {
  if (world_ == nullptr || now_ >= looked_ + 1) {
    world_ = &simulation_.at(now_);
    looked_ = now_;
  }
  return *world_;
}

std::shared_ptr<double> Machine::enqueue(SimulatedStream& stream,
                                         std::function<Result<void>()> effect,
                                         std::vector<sim::Use> uses, double fixed) {
  Piece piece;
  piece.stream = &stream;
  piece.effect = std::move(effect);
  piece.flow.uses = std::move(uses);
  piece.flow.fixed = fixed;
  piece.flow.earliest = std::max(now_, stream.end());
  for (std::size_t i = pending_.size(); i-- > 0;)
    if (pending_[i].stream == &stream) {
      piece.flow.after.push_back(i);
      break;
    }
  piece.end = std::make_shared<double>(-1);
  auto out = piece.end;
  pending_.push_back(std::move(piece));
  return out;
}

void Machine::wait(SimulatedStream& stream, std::shared_ptr<double> end) {
  enqueue(
      stream, [] { return Result<void>{}; }, {}, 0);
  auto& piece = pending_.back();
  for (std::size_t i = 0; i + 1 < pending_.size(); ++i)
    if (pending_[i].end == end) piece.flow.after.push_back(i);
  if (*end >= 0) piece.flow.earliest = std::max(piece.flow.earliest, *end);
}

void Machine::catch_up() {
  // The order of enqueuing is one in which everything may happen: what waits stands behind.
  for (auto& piece : pending_)
    if (piece.effect) {
      if (piece.stream != nullptr) piece.stream->run(piece.effect);
      piece.effect = nullptr;
    }
}

/// Finds when each piece ends.
void Machine::settle() {
  catch_up();
  std::vector<Flow> flows;
  for (auto& piece : pending_) flows.push_back(std::move(piece.flow));
  const auto ends = end_times(flows, roads_.capacity());
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    *pending_[i].end = ends[i];
    if (pending_[i].stream != nullptr) pending_[i].stream->ended(ends[i]);
  }
  pending_.clear();
}

Result<void> Machine::wait_for(SimulatedStream& stream, double limit) {
  settle();
  if (stream.end() > now_ + limit) {
    now_ += limit;
    return fail(Errc::timeout, "the work did not end in time");
  }
  now_ = std::max(now_, stream.end());
  return {};
}

void Machine::forget(SimulatedStream& stream) {
  catch_up();
  for (auto& piece : pending_)
    if (piece.stream == &stream) piece.stream = nullptr;
}

Result<std::vector<std::unique_ptr<Device>>> simulated_devices(
    std::shared_ptr<Machine> machine, std::vector<std::unique_ptr<Device>> inner) {
  const auto& gpus = machine->world().gpus;
  if (inner.size() < gpus.size())
    return fail(Errc::usage, "fewer devices than the simulated server has GPUs");
  std::vector<std::unique_ptr<Device>> out;
  for (std::size_t i = 0; i < gpus.size(); ++i)
    if (!gpus[i].lost)
      out.push_back(
          std::make_unique<SimulatedDevice>(machine, std::move(inner[i]), static_cast<int>(i)));
  if (out.empty()) return fail(Errc::not_found, "the simulated server has no GPU");
  return out;
}

Result<std::vector<std::unique_ptr<Device>>> simulated_devices(std::shared_ptr<Machine> machine,
                                                               std::uint64_t memory) {
  std::vector<std::unique_ptr<Device>> inner;
  for (std::size_t i = 0; i < machine->world().gpus.size(); ++i)
    inner.push_back(std::make_unique<HostDevice>(Properties{}, std::vector<int>{}, memory));
  return simulated_devices(std::move(machine), std::move(inner));
}

}  // namespace gpuvet::device
