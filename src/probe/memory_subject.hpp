// SPDX-License-Identifier: Apache-2.0
// A device whose memory is under test: its buffers, and what was found so far.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "probe/memory_faults.hpp"
#include "probe/memory_programs.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe {

class MemorySubject {
 public:
  /// Takes nearly all memory that is free. An error is kept: see error().
  explicit MemorySubject(device::Device& device);

  [[nodiscard]] device::Device& device() const { return device_; }
  /// What ended the test of this device; the others go on.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  [[nodiscard]] std::size_t buffers() const { return error_ ? 0 : buffers_.size(); }
  [[nodiscard]] std::uint64_t bytes() const;
  [[nodiscard]] std::uint64_t first_bytes() const { return buffers_.front().size(); }
  /// Gives memory back until at most `most` bytes are left.
  void shrink(std::uint64_t most);

  /// Enqueues `step` on one buffer; settle() waits and takes what was found to `program`.
  void enqueue(const MemoryStep& step, std::size_t buffer);
  void settle(std::size_t buffer, const std::string& program, double limit);
  /// Reads pieces of the memory very often until `seconds` have passed, evenly spread.
  void hammer(double seconds, double limit);

  void finished(const std::string& program) { finished_.push_back(program); }
  void left_out(const std::string& program, std::string why) {
    left_out_[program] = std::move(why);
  }
  /// Counters of the device after the test, and whether anything wrote beside the buffers.
  void look_again();
  void record(Context& context, double seconds) const;

 private:
  void keep(Error error);
  template <class T>
  bool ok(const Result<T>& result) {
    if (!result) keep(result.error());
    return result.has_value();
  }
  /// A buffer beside which something was written counts as one wrong value.
  [[nodiscard]] std::uint64_t wrong_total() const;
  void record_programs(Recorder& out, const Where& where) const;
  void record_counters(Recorder& out, const Where& where) const;
  void record_faults(Recorder& out, const Where& where) const;

  device::Device& device_;
  std::uint64_t free_ = 0, allocated_ = 0;  ///< bytes
  std::vector<device::Buffer> buffers_;
  std::vector<std::uint64_t> firsts_;  ///< offset of each buffer in the whole
  device::CheckResult results_[2];
  std::unique_ptr<device::Stream> stream_;  ///< ends before what its work uses
  std::optional<Error> error_;
  device::Telemetry before_, after_;
  MemoryFaults faults_;
  std::uint64_t verified_ = 0;  ///< bytes, over and over
  double hammered_ = 1;         ///< share of the memory
  std::size_t guards_broken_ = 0;
  std::map<std::string, std::uint64_t> wrong_by_;
  std::map<std::string, std::string> left_out_;
  std::vector<std::string> finished_;
};

}  // namespace gpuvet::probe
