// SPDX-License-Identifier: Apache-2.0
// NVIDIA GPUs through the CUDA runtime. No header of CUDA's is needed to include this one.
#pragma once

#include <atomic>
#include <initializer_list>
#include <memory>
#include <vector>

#include "device/cuda/findings_pool.hpp"
#include "device/device.hpp"

struct CUstream_st;
struct CUevent_st;

namespace gpuvet::device {

namespace cuda {
class Management;
class MatrixWork;
struct Launch;
}  // namespace cuda

class CudaDevice final : public Device {
 public:
  CudaDevice(Properties properties, std::shared_ptr<cuda::Management> management);

  [[nodiscard]] const Properties& properties() const override { return properties_; }
  [[nodiscard]] Result<Telemetry> telemetry() override;
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

  /// Makes this the device of the calling thread's CUDA calls. Every method begins with it.
  [[nodiscard]] Result<void> select() const;
  /// Kernels here may use `range`: pageable memory only where the platform translates its
  /// addresses.
  [[nodiscard]] Result<void> usable(const Range& range) const;

  /// Work hangs. What it may still write to is never freed, and calls that would wait for it are
  /// not made: the driver cleans up when the process ends.
  void hangs(bool yes) { hangs_ = yes; }
  [[nodiscard]] bool hangs() const { return hangs_; }

 protected:
  Result<std::uint64_t> allocate_bytes(std::uint64_t bytes, Placement placement) override;
  void free_bytes(std::uint64_t address, Placement placement) noexcept override;

 private:
  Properties properties_;
  std::shared_ptr<cuda::Management> management_;
  std::atomic<bool> hangs_ = false;
};

class CudaEvent final : public Event {
 public:
  /// Takes `event` over.
  CudaEvent(CudaDevice& device, CUevent_st* event) : device_{device}, event_{event} {}
  CudaEvent(const CudaEvent&) = delete;
  CudaEvent& operator=(const CudaEvent&) = delete;
  ~CudaEvent() override;

  [[nodiscard]] Result<double> since(const Event& earlier) const override;
  [[nodiscard]] CUevent_st* handle() const { return event_; }

 private:
  CudaDevice& device_;
  CUevent_st* event_;
};

class CudaStream final : public Stream {
 public:
  /// Takes `stream` over.
  CudaStream(CudaDevice& device, CUstream_st* stream) : device_{device}, stream_{stream} {}
  CudaStream(const CudaStream&) = delete;
  CudaStream& operator=(const CudaStream&) = delete;
  ~CudaStream() override;

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

  [[nodiscard]] CudaDevice& device() { return device_; }
  [[nodiscard]] CUstream_st* handle() const { return stream_; }

 private:
  friend class CudaDevice;
  /// The device answers and kernels can use these ranges, all of one size.
  Result<void> ready(std::initializer_list<Range> ranges);
  [[nodiscard]] cuda::Launch launch() const;

  CudaDevice& device_;
  CUstream_st* stream_;
  cuda::MatrixWork& matrices();

  cuda::FindingsPool pool_;
  std::shared_ptr<cuda::MatrixWork> matrices_;
  bool late_ = false;  ///< synchronize() gave up
};

}  // namespace gpuvet::device
