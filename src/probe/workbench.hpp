// SPDX-License-Identifier: Apache-2.0
// One precision by one engine on one device: what the compute probe does to it.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "probe/harness.hpp"

namespace gpuvet::probe {

/// What the check found over many products.
struct Tally {
  std::uint64_t products = 0, rows = 0, wrong = 0, not_finite = 0;
  double worst = 0;                ///< residual of a row, in units of what rounding explains
  std::string first;               ///< wrong row: "product 3, row 17"
  double multiply = 0, check = 0;  ///< seconds that they took

  void add(const device::ProductCheck& found);
  /// "40 products, 327680 rows; first wrong: product 3, row 17; worst residual 812 times its bound"
  [[nodiscard]] std::string words() const;
};

/// "cublas", "openblas" or "own": figures of different ones are not comparable.
std::string engine_name(const device::Device&, device::MatrixEngine);

class Workbench {
 public:
  /// Memory for products of `size`³, and for a second result.
  static Result<Workbench> make(Context&, device::Device&, device::Precision, device::MatrixEngine,
                                std::int64_t size);
  /// The largest power of two up to 8192 for which there is memory and a product takes no longer
  /// than `seconds`.
  static Result<std::int64_t> fitting_size(Context&, device::Device&, device::Precision,
                                           device::MatrixEngine, double seconds);

  /// Enqueues products of fresh normal values, each with its check, one after another so that the
  /// device never rests.
  Result<void> begin(int products);
  /// Waits for them. Returns the mean seconds of one product without its check.
  Result<double> finish(Tally& tally);
  /// Products of whole numbers, exact; inputs are read back and compared with the host's own.
  /// Returns the number of wrong elements in them.
  Result<std::uint64_t> exact(Tally& tally);
  /// The same product again, `times` times: how many 8-byte words differ.
  Result<std::uint64_t> repeat(int times);
  /// Of all bits of a product whose values only `seed` decides.
  Result<std::uint64_t> digest(std::uint64_t seed);

  [[nodiscard]] std::int64_t size() const { return size_; }
  [[nodiscard]] device::Device& device() const { return *device_; }
  [[nodiscard]] device::Precision precision() const { return precision_; }
  /// Seconds of one product, from a first run.
  Result<double> trial();
  [[nodiscard]] Result<bool> guards_intact() const;

 private:
  Workbench() = default;
  [[nodiscard]] device::Product product(std::int64_t side, std::int64_t k, bool exact) const;
  Result<void> fill(const device::Product& of, device::Values values, std::uint64_t seed);
  Result<std::uint64_t> wrong_inputs(device::Range range, std::uint64_t seed);
  std::uint64_t fresh() { return device::Pattern::mix(context_->seed + ++seeds_); }
  Result<void> synchronize() { return stream_->synchronize(context_->call_limit); }

  Context* context_ = nullptr;
  device::Device* device_ = nullptr;
  device::Precision precision_{};
  device::MatrixEngine engine_{};
  std::int64_t size_ = 0;
  std::uint64_t seeds_ = 0;
  // The stream ends before all that it may still work on.
  device::Buffer a_, b_, c_, again_;
  std::vector<device::ProductCheck> checks_;
  std::unique_ptr<std::uint64_t> differing_ = std::make_unique<std::uint64_t>();
  std::unique_ptr<device::Stream> stream_;
  std::vector<std::unique_ptr<device::Event>> marks_;  ///< before and after each product and check
};

}  // namespace gpuvet::probe
