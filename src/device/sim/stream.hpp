// SPDX-License-Identifier: Apache-2.0
// Inside the simulation: a stream whose work is done by a real one and takes simulated time.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "device/sim/machine.hpp"

namespace gpuvet::device {

class SimulatedStream final : public Stream {
 public:
  SimulatedStream(SimulatedDevice& device, std::unique_ptr<Stream> inner);
  ~SimulatedStream() override;

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

  // What the machine calls while it settles.
  void run(const std::function<Result<void>()>& effect);
  void ended(double when) { end_ = when; }
  [[nodiscard]] double end() const { return end_; }

 private:
  using Effect = std::function<Result<void>()>;
  /// `wait` seconds pass before, or what starting costs where it is 0.
  Result<void> enqueue(Effect effect, std::vector<sim::Use> uses, double wait = 0);
  /// Does `work` on the inner stream and waits for it.
  Result<void> inside(const std::function<Result<void>(Stream&)>& work);
  /// work(words) on pieces of `range` that hold at most one faulty word, in `order`.
  Result<void> in_pieces(Range range, Order order, bool reads, bool writes,
                         const std::function<Result<void>(Range piece, std::uint64_t first)>& work,
                         CheckResult* out = nullptr);
  /// Reads and writes of whole ranges by other kernels: faults before and after.
  Result<void> with_cells(const std::vector<Range>& reads, const std::vector<Range>& writes,
                          const Effect& work);
  [[nodiscard]] std::vector<sim::Use> memory_use(double bytes, double share) const;
  void strike_copy(Range to, std::vector<std::byte> before);

  SimulatedDevice& device_;
  std::unique_ptr<Stream> inner_;
  std::optional<Error> error_;
  double end_ = 0;
};

}  // namespace gpuvet::device
