// SPDX-License-Identifier: Apache-2.0
// Active tests -> evidence. A probe is a short file that says what is timed or checked; warm-up,
// repetition, throttled samples, time limits and cancelling are the harness's (harness.hpp).
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "device/device.hpp"
#include "device/job.hpp"
#include "evidence/evidence.hpp"
#include "platform/process.hpp"
#include "platform/root.hpp"

namespace gpuvet::probe {

/// What a probe works with and reports to.
struct Context {
  std::span<device::Device* const> devices;  ///< under test, of one backend
  device::Device* host = nullptr;            ///< the processors, as a party to a test
  std::span<device::Device* const> hosts;    ///< the same for each NUMA node; empty: `host` alone
  device::Job* job = nullptr;                ///< the processes that mpirun started; null: none
  double until = 0;                          ///< moment of the devices' clock when time is up
  bool thorough = false;                     ///< level 3: larger sizes, more rounds
  std::uint64_t seed = 1;                    ///< of all that is random
  double call_limit = 30;                    ///< seconds that one piece of work may take
  platform::Root root;                       ///< of /sys and /dev
  std::string folder;                        ///< a place for files of storage tests
  std::string peer;                          ///< host that network tests talk to; else this one
  bool listen = false;  ///< be the other side of network tests, until time is up
  Recorder* out = nullptr;
  /// What was recorded so far may be written: called after each subject.
  std::function<void()> publish = [] {};
  /// Bytes that a tool printed, for the bundle's sources: `name` is the file's there.
  std::function<void(std::string name, std::string bytes)> keep = [](auto, auto) {};
  /// Where a tool lies on this machine.
  std::function<Result<std::string>(std::string_view name)> tool = platform::find_tool;
  std::function<bool()> cancelled = [] { return false; };
  /// `share` of the probe is done; `what` is being looked at.
  std::function<void(double share, std::string_view what)> progress = [](double, auto) {};

  /// Seconds left, at least 0.
  [[nodiscard]] double left() const;
  /// Time is up or somebody asked to stop.
  [[nodiscard]] bool over() const { return cancelled() || left() <= 0; }
};

/// What there must be for a probe to make sense.
enum class Needs { device, two_devices, host };

struct Probe {
  std::string_view name;   ///< "memory.bandwidth"
  std::string_view title;  ///< one sentence
  Needs needs = Needs::device;
  int level = 2;         ///< lowest --level of vet that runs it
  double quick = 10;     ///< seconds at level 2
  double thorough = 60;  ///< seconds at level 3
  /// An error is the probe's as a whole; what single subjects lack is absence.
  Result<void> (*run)(Context&);
};

/// Sorted by name.
std::span<const Probe> all();
const Probe* probe_named(std::string_view name);

/// Whether an error of a probe says that the device failed, rather than that it can't be asked for
/// something.
[[nodiscard]] inline bool blames_device(Errc code) {
  return code == Errc::timeout || code == Errc::vendor_failure;
}

/// File of its method below docs/method: "memory-bandwidth.md".
std::string method_file(const Probe&);

}  // namespace gpuvet::probe
