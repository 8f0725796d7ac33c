// SPDX-License-Identifier: Apache-2.0
// A simulated server's devices: each wraps a real one that does the work on a small memory, while
// the time it takes comes from the scenario and faults strike what it computes.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "device/device.hpp"
#include "device/sim/cells.hpp"
#include "device/sim/flows.hpp"
#include "device/sim/plants.hpp"
#include "sim/roads.hpp"
#include "sim/simulation.hpp"

namespace gpuvet::device {

class SimulatedStream;

/// What devices of one server share: its clock, its roads, the work that nobody waited for yet.
class Machine {
 public:
  /// `faults` are the server's own, `plants` the devices'.
  static Result<std::shared_ptr<Machine>> start(const sim::Scenario& scenario,
                                                std::vector<sim::Injected> faults,
                                                std::vector<Plant> plants);

  [[nodiscard]] double now() const { return now_; }
  void idle(double seconds) { now_ += seconds; }
  [[nodiscard]] const std::vector<Plant>& plants() const { return plants_; }
  [[nodiscard]] const sim::Roads& roads() const { return roads_; }
  /// The server at this moment, at most a second old.
  const sim::World& world();

  /// Enqueues `effect`, which does the work, and says what it takes.
  /// Returns the moment at which it ends, known once it was settled.
  std::shared_ptr<double> enqueue(SimulatedStream& stream, std::function<Result<void>()> effect,
                                  std::vector<sim::Use> uses, double fixed);
  /// What `stream` does next waits for the work whose end `end` tells.
  void wait(SimulatedStream& stream, std::shared_ptr<double> end);
  /// Does all that was enqueued; the time it takes stays open.
  void catch_up();
  /// The host waits for `stream`, at most `limit` seconds.
  Result<void> wait_for(SimulatedStream& stream, double limit);
  void forget(SimulatedStream& stream);

 private:
  struct Piece {
    SimulatedStream* stream = nullptr;
    std::function<Result<void>()> effect;
    Flow flow;
    std::shared_ptr<double> end;
  };
  Machine(sim::Simulation simulation, sim::Roads roads, std::vector<Plant> plants);
  void strike_roads();
  void settle();

  sim::Simulation simulation_;
  sim::Roads roads_;
  std::vector<Plant> plants_;
  double now_ = 0, looked_ = -1;
  const sim::World* world_ = nullptr;
  std::vector<Piece> pending_;
};

/// The devices of a machine, each on one of `inner`, which must be at least as many as its GPUs.
Result<std::vector<std::unique_ptr<Device>>> simulated_devices(
    std::shared_ptr<Machine> machine, std::vector<std::unique_ptr<Device>> inner);

/// The same on `memory` bytes of this host each, with a thread each.
Result<std::vector<std::unique_ptr<Device>>> simulated_devices(std::shared_ptr<Machine> machine,
                                                               std::uint64_t memory);

class SimulatedDevice final : public Device {
 public:
  SimulatedDevice(std::shared_ptr<Machine> machine, std::unique_ptr<Device> inner, int index);

  [[nodiscard]] const Properties& properties() const override { return properties_; }
  [[nodiscard]] Result<Telemetry> telemetry() override;
  [[nodiscard]] Result<std::uint64_t> free_memory() override;
  [[nodiscard]] double now() const override { return machine_->now(); }
  void idle(double seconds) override { machine_->idle(seconds); }
  Result<std::unique_ptr<Stream>> stream() override;
  Result<void> read(Range from, std::span<std::byte> to) override;
  Result<void> write(Range to, std::span<const std::byte> from) override;
  Result<bool> reach(Device& peer) override;
  Result<LitmusCounts> litmus(const LitmusSetup& setup, Device* peer) override;
  Result<double> latency(Device* peer, int rounds) override;
  [[nodiscard]] std::vector<Precision> precisions(MatrixEngine engine) const override;

  [[nodiscard]] Machine& machine() { return *machine_; }
  [[nodiscard]] Device& inner() { return *inner_; }
  [[nodiscard]] Cells& cells() { return cells_; }
  [[nodiscard]] int index() const { return properties_.index; }
  /// The fault of that kind that this device has; null: it has none.
  [[nodiscard]] const Plant* plant(PlantKind kind) const;
  /// How many of a litmus test's runs come out as a fault of that kind wants.
  [[nodiscard]] std::uint64_t runs_struck(PlantKind kind, const LitmusSetup& setup) const;
  /// The first word of `range` counted from the beginning of the device's memory.
  [[nodiscard]] std::optional<std::uint64_t> first_word(Range range) const;
  /// What cells do to words of allocated memory.
  [[nodiscard]] Cells::Access access();
  /// The device counts a piece of work; an error once it is lost.
  Result<void> begin_work();
  [[nodiscard]] std::uint64_t work() const { return work_; }
  /// Bytes of real memory for one of the simulated device's: what fixed costs shrink by.
  [[nodiscard]] double scale() const { return scale_; }

 protected:
  Result<std::uint64_t> allocate_bytes(std::uint64_t bytes, Placement placement) override;
  void free_bytes(std::uint64_t address, Placement placement) noexcept override;

 private:
  [[nodiscard]] std::optional<std::uint64_t> address_of(std::uint64_t word) const;

  struct Allocation {
    std::uint64_t first_word = 0, words = 0;
    Buffer inner;
  };
  std::shared_ptr<Machine> machine_;
  std::unique_ptr<Device> inner_;
  Properties properties_;
  std::uint64_t capacity_ = 0;  ///< bytes
  double scale_ = 1;
  Cells cells_;
  std::map<std::uint64_t, Allocation> allocations_;  ///< by inner address
  std::uint64_t work_ = 0, lost_after_ = 0;
};

/// The inner device's range, for what the inner stream is asked to do.
Range inner_range(Range range);

}  // namespace gpuvet::device
