// SPDX-License-Identifier: Apache-2.0
// Something that has memory and computes: a GPU, the host's processors, or a simulated GPU. Probes
// are written against these classes alone, so that the same probe runs on all three. Work is
// enqueued on streams and runs later; what it found lies where the caller asked for it once
// synchronize() has come back.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "device/litmus.hpp"
#include "device/matrix.hpp"
#include "device/memory.hpp"

namespace gpuvet::device {

enum class Backend { cuda, host, sim };
std::string_view name(Backend);

/// What does not change while a device is open.
struct Properties {
  Backend backend = Backend::host;
  std::string name;          ///< "NVIDIA A100-SXM4-80GB", "AMD EPYC 7742 64-Core Processor"
  std::string subject;       ///< of evidence: "gpu:GPU-5e1f…", "node"
  std::string address;       ///< on the PCI bus, "0000:07:00.0"; empty for the host
  int index = 0;             ///< among the devices of its backend
  int numa = -1;             ///< nearest NUMA node; -1: unknown
  int capability = 0;        ///< CUDA's: 80, 90; 0 for the host
  int processors = 0;        ///< multiprocessors, or threads of the host
  std::uint64_t memory = 0;  ///< bytes in all
  std::uint64_t cache = 0;   ///< bytes of the last-level cache
  std::string driver;        ///< version; empty for the host
  /// Host and device may use managed memory at the same time. Absent: the backend can't tell.
  std::optional<bool> managed_concurrent;
  std::optional<bool> pageable_access;   ///< kernels may use memory of malloc's
  std::optional<bool> host_page_tables;  ///< and translate it by the host's page tables (ATS)
};

/// How the device is now; a figure carries it along. Absent: the backend can't tell.
struct Telemetry {
  std::optional<double> clock;                          ///< hertz of the multiprocessors
  std::optional<double> memory_clock;                   ///< hertz
  std::optional<double> power;                          ///< watts
  std::optional<double> temperature;                    ///< degrees Celsius
  std::optional<unsigned long long> reasons;            ///< bits of nvml::Reason
  std::optional<std::uint64_t> corrected, uncorrected;  ///< memory errors (ECC) since boot
  std::optional<std::uint64_t> remapped;                ///< rows, by uncorrectable errors
  std::optional<bool> remap_pending;

  /// Held back by heat or a power brake. A power cap is how a GPU works and does not count.
  [[nodiscard]] bool throttled() const;
};

class Device;

/// An allocation. Bytes on both sides hold a known pattern, so that a kernel that writes outside is
/// noticed (guards_intact). Freed when this ends; must not outlive its device.
class Buffer {
 public:
  Buffer() = default;
  Buffer(Buffer&& other) noexcept { *this = std::move(other); }
  Buffer& operator=(Buffer&& other) noexcept;
  Buffer(const Buffer&) = delete;
  Buffer& operator=(const Buffer&) = delete;
  ~Buffer();

  [[nodiscard]] Range all() const { return {device_, placement_, base_ + guard, bytes_}; }
  /// `bytes` from `offset` on; throws where that leaves the buffer.
  [[nodiscard]] Range part(std::uint64_t offset, std::uint64_t bytes) const;
  [[nodiscard]] std::uint64_t size() const { return bytes_; }

  /// Whether nobody wrote beside the buffer.
  [[nodiscard]] Result<bool> guards_intact() const;

  static constexpr std::uint64_t guard = 4096;

 private:
  friend class Device;
  Device* device_ = nullptr;
  Placement placement_ = Placement::device;
  std::uint64_t base_ = 0, bytes_ = 0;
};

/// A moment in a stream's work.
class Event {
 public:
  virtual ~Event() = default;
  /// Seconds of the device's own clock from `earlier` of the same device to this; both are past.
  [[nodiscard]] virtual Result<double> since(const Event& earlier) const = 0;
};

/// Work in order. Operations return at once; an error shows at the latest in synchronize(), after
/// which the stream is of no more use. `Range`s must stay allocated, and results in place, until
/// then.
class Stream {
 public:
  virtual ~Stream() = default;

  /// Writes `pattern` all over `to`, a multiple of 8 bytes.
  virtual Result<void> fill(Range to, Pattern pattern) = 0;
  /// Reads `of` and adds to `out` what differs from `pattern`.
  virtual Result<void> check(Range of, Pattern pattern, CheckResult& out) = 0;
  /// For each word in `order`: reads it, adds to `out` if it is not that of `expected`, writes that
  /// of `next`. What a march test is made of.
  virtual Result<void> exchange(Range of, Pattern expected, Pattern next, Order order,
                                CheckResult& out) = 0;
  /// Reads `of` over and over, row by row, `times`, so that neighbouring rows are disturbed.
  virtual Result<void> hammer(Range of, int times) = 0;
  /// One pass of a bandwidth kernel; `b` and `c` are used where the kernel has that many arrays.
  virtual Result<void> pass(StreamKernel kernel, Range a, Range b, Range c) = 0;
  /// Copies within a device, between two, or between host memory and a device.
  virtual Result<void> copy(Range to, Range from, Engine engine) = 0;
  /// to += from, in fp32; `from` may lie on a peer.
  virtual Result<void> add(Range to, Range from) = 0;

  /// Fills a matrix of `precision` with values that only `seed` and the position decide.
  virtual Result<void> fill_matrix(Range to, Precision precision, Values values,
                                   std::uint64_t seed) = 0;
  /// c = a bᵀ, as matrix.hpp says.
  virtual Result<void> multiply(const Product& product) = 0;
  /// Freivalds' check of `product`: c r = a (bᵀ r) with random r. Adds to `out`.
  virtual Result<void> verify(const Product& product, std::uint64_t seed, ProductCheck& out) = 0;
  /// Adds to `out` the number of 8-byte words that differ.
  virtual Result<void> compare(Range a, Range b, std::uint64_t& out) = 0;

  virtual Result<std::unique_ptr<Event>> record() = 0;
  /// What follows here begins when `event`, of any stream of the same backend, has passed.
  virtual Result<void> wait(const Event& event) = 0;
  /// Comes back when all is done. Errors: timeout after `limit` seconds, vendor_failure where the
  /// device was lost or a kernel failed.
  virtual Result<void> synchronize(double limit) = 0;
};

class Device {
 public:
  virtual ~Device() = default;
  [[nodiscard]] virtual const Properties& properties() const = 0;
  [[nodiscard]] virtual Result<Telemetry> telemetry() = 0;
  /// Bytes that allocate() can still give.
  [[nodiscard]] virtual Result<std::uint64_t> free_memory() = 0;
  /// Seconds of the clock that time limits are kept by: real, or simulated.
  [[nodiscard]] virtual double now() const = 0;
  /// Time passes without work: a fading test waits.
  virtual void idle(double seconds) = 0;

  Result<Buffer> allocate(std::uint64_t bytes, Placement placement = Placement::device);
  virtual Result<std::unique_ptr<Stream>> stream() = 0;

  /// Small and at once, after all that was synchronized.
  virtual Result<void> read(Range from, std::span<std::byte> to) = 0;
  virtual Result<void> write(Range to, std::span<const std::byte> from) = 0;

  /// Whether this can use `peer`'s memory directly; makes it so where it can.
  virtual Result<bool> reach(Device& peer) = 0;
  /// Runs a litmus test with threads of this, of the host and of `peer` (litmus.hpp).
  /// not_supported where those can't share memory.
  virtual Result<LitmusCounts> litmus(const LitmusSetup& setup, Device* peer) = 0;
  /// Seconds for a word to go from one thread here to one on `peer` (null: on the host), the half
  /// of a round trip, the mean of `rounds`.
  virtual Result<double> latency(Device* peer, int rounds) = 0;
  /// Precisions that multiply() has here with `engine`.
  [[nodiscard]] virtual std::vector<Precision> precisions(MatrixEngine engine) const = 0;

 protected:
  friend class Buffer;
  virtual Result<std::uint64_t> allocate_bytes(std::uint64_t bytes, Placement placement) = 0;
  virtual void free_bytes(std::uint64_t address, Placement placement) noexcept = 0;
};

/// All devices of one backend that this machine has, or why there are none.
Result<std::vector<std::unique_ptr<Device>>> cuda_devices();
/// The machine's processors, a device for each NUMA node.
Result<std::vector<std::unique_ptr<Device>>> host_devices();

}  // namespace gpuvet::device
