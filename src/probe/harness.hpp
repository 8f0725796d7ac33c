// SPDX-License-Identifier: Apache-2.0
// What all timing probes have in common: warm up, repeat until the figure is sure enough or the
// time is up, leave out what was throttled, say how sure it is and at which clock and power.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "probe/probe.hpp"

namespace gpuvet::probe {

struct Sampling {
  double seconds = 1;         ///< time that the figure may take
  double tightness = 0.01;    ///< half of the 95 % interval, relative, at which it is sure enough
  int least = 5, most = 400;  ///< samples
  int warm_up = 2;            ///< runs before the first that counts
};

struct Figure {
  double median = 0;         ///< seconds of one run
  double low = 0, high = 0;  ///< 95 % interval of the median
  int samples = 0;           ///< that count
  int throttled = 0;         ///< left out: the device was held back by heat or power brake
  std::optional<double> clock, power, temperature;  ///< medians over the samples

  /// "median of 31 (95 % within 0.4 %), 1410 MHz, 320 W, 2 throttled samples left out"
  [[nodiscard]] std::string quality() const;
};

/// Times `once`, which returns the seconds of one run by the device's own events. Where every
/// sample was throttled they all count, and `throttled` equals `samples`. Errors are those of
/// `once`; cancelled where not even one sample fit.
Result<Figure> sample(Context& context, device::Device& device, const Sampling& sampling,
                      const std::function<Result<double>()>& once);

/// Seconds that `enqueue` takes on `stream`, between two events of the device.
Result<double> timed(Context& context, device::Stream& stream,
                     const std::function<Result<void>()>& enqueue);

/// Records amount / figure under `id`, with the quality of the figure, and what share of the
/// samples was throttled.
void record_rate(Context& context, Id id, const std::string& subject, double amount,
                 const Figure& figure, Where where);

/// The figure of samples of which nothing but their seconds is known.
Figure figure_of_seconds(std::vector<double> seconds);

/// "link:<a>~<b>", the device with the lower index first.
std::string link_subject(const device::Device& a, const device::Device& b);
/// The reason to record where an operation failed so.
Absence absence_of(const Error&);

}  // namespace gpuvet::probe
