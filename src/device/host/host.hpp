// SPDX-License-Identifier: Apache-2.0
// The host's processors as a device: real work on real memory, for testing that memory, and the
// oracle of what GPUs compute.
#pragma once

#include <functional>
#include <map>
#include <mutex>

#include "device/device.hpp"
#include "device/host/queue.hpp"
#include "device/host/team.hpp"

namespace gpuvet::device {

class HostDevice final : public Device {
 public:
  /// Works with a thread on each of `processors`; without any, in the caller's thread and at once.
  /// `memory` bytes are all that it may allocate.
  HostDevice(Properties properties, std::vector<int> processors, std::uint64_t memory);

  [[nodiscard]] const Properties& properties() const override { return properties_; }
  [[nodiscard]] Result<Telemetry> telemetry() override { return Telemetry{}; }
  [[nodiscard]] Result<std::uint64_t> free_memory() override;
  [[nodiscard]] double now() const override;
  void idle(double seconds) override;
  Result<std::unique_ptr<Stream>> stream() override;
  Result<void> read(Range from, std::span<std::byte> to) override;
  Result<void> write(Range to, std::span<const std::byte> from) override;
  Result<bool> reach(Device& peer) override;
  Result<LitmusCounts> litmus(const LitmusSetup& setup, Device* peer) override;
  Result<double> latency(Device* peer, int rounds) override;
  [[nodiscard]] std::vector<Precision> precisions(MatrixEngine engine) const override;

  [[nodiscard]] Team& team() { return team_; }
  [[nodiscard]] const std::vector<int>& processors() const { return processors_; }

 protected:
  Result<std::uint64_t> allocate_bytes(std::uint64_t bytes, Placement placement) override;
  void free_bytes(std::uint64_t address, Placement placement) noexcept override;

 private:
  Properties properties_;
  std::vector<int> processors_;
  Team team_;
  std::mutex mutex_;
  std::uint64_t left_;  ///< bytes
  std::map<std::uint64_t, std::uint64_t> allocations_;
};

class HostStream final : public Stream {
 public:
  explicit HostStream(HostDevice& device) : device_{device}, queue_{!device.processors().empty()} {}

  Result<void> fill(Range to, Pattern pattern) override;
  Result<void> check(Range of, Pattern pattern, CheckResult& out) override;
  Result<void> exchange(Range of, Pattern expected, Pattern next, Order order,
                        CheckResult& out) override;
  Result<void> hammer(Range of, int times) override;
  Result<void> pass(StreamKernel kernel, Range a, Range b, Range c) override;
  Result<void> copy(Range to, Range from, Engine engine) override;
  Result<void> add(Range to, Range from) override;
  Result<void> fill_matrix(Range to, Precision precision, Values values,
                           std::uint64_t seed) override;
  Result<void> multiply(const Product& product) override;
  Result<void> verify(const Product& product, std::uint64_t seed, ProductCheck& out) override;
  Result<void> compare(Range a, Range b, std::uint64_t& out) override;
  Result<std::unique_ptr<Event>> record() override;
  Result<void> wait(const Event& event) override;
  Result<void> synchronize(double limit) override;

 private:
  /// work(first, last) on each member's share of `words`, rounded to whole cache lines.
  Result<void> enqueue(std::uint64_t words,
                       std::function<void(std::uint64_t first, std::uint64_t last)> work);

  HostDevice& device_;
  Queue queue_;
};

}  // namespace gpuvet::device
