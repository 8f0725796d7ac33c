// SPDX-License-Identifier: Apache-2.0
#include "probe/harness.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "core/statistics.hpp"

namespace gpuvet::probe {
namespace {

struct Sample {
  double seconds = 0;
  device::Telemetry state;
};

/// The median of what `pick` finds in the samples.
template <class Pick>
std::optional<double> median_of(const std::vector<Sample>& samples, Pick pick) {
  std::vector<double> values;
  for (const auto& s : samples)
    if (const auto value = pick(s)) values.push_back(*value);
  if (values.empty()) return {};
  return median(std::move(values));
}

Figure figure_of(const std::vector<Sample>& all) {
  std::vector<Sample> clean;
  for (const auto& s : all)
    if (!s.state.throttled()) clean.push_back(s);
  Figure out;
  out.throttled = static_cast<int>(all.size() - clean.size());
  const auto& used = clean.empty() ? all : clean;
  out.samples = static_cast<int>(used.size());
  std::vector<double> seconds;
  for (const auto& s : used) seconds.push_back(s.seconds);
  const auto interval = median_interval(seconds);
  out.median = median(std::move(seconds));
  out.low = interval.low;
  out.high = interval.high;
  out.clock = median_of(used, [](const Sample& s) { return s.state.clock; });
  out.power = median_of(used, [](const Sample& s) { return s.state.power; });
  out.temperature = median_of(used, [](const Sample& s) { return s.state.temperature; });
  return out;
}

bool sure_enough(const Figure& figure, double tightness) {
  return std::max(figure.high - figure.median, figure.median - figure.low) <=
         tightness * figure.median;
}

}  // namespace

std::string Figure::quality() const {
  std::string out = fmt::format("median of {}", samples);
  if (median > 0 && samples > 1)
    out += fmt::format(" (95 % within {:.1f} %)",
                       100 * std::max(high - median, median - low) / median);
  if (clock) out += fmt::format(", {:.0f} MHz", *clock / 1e6);
  if (power) out += fmt::format(", {:.0f} W", *power);
  if (temperature) out += fmt::format(", {:.0f} °C", *temperature);
  if (throttled == samples && throttled > 0) return out + ", all samples throttled";
  if (throttled > 0) out += fmt::format(", {} throttled samples left out", throttled);
  return out;
}

Result<Figure> sample(Context& context, device::Device& device, const Sampling& sampling,
                      const std::function<Result<double>()>& once) {
  const double end = std::min(device.now() + sampling.seconds, context.until);
  const auto over = [&] { return context.cancelled() || device.now() >= end; };
  for (int i = 0; i < sampling.warm_up && (i == 0 || !over()); ++i)
    if (auto warm = once(); !warm) return tl::make_unexpected(std::move(warm).error());
  std::vector<Sample> samples;
  // What was throttled does not make the figure surer, so more samples are taken in its place.
  while (static_cast<int>(samples.size()) < sampling.most) {
    if (over() && !samples.empty() &&
        (static_cast<int>(samples.size()) >= sampling.least || context.over()))
      break;
    if (context.cancelled()) return fail(Errc::cancelled, "stopped before the first figure");
    GPUVET_TRY(const double seconds, once());
    GPUVET_TRY(const auto state, device.telemetry());
    samples.push_back({seconds, state});
    if (static_cast<int>(samples.size()) < sampling.least) continue;
    const auto figure = figure_of(samples);
    if (figure.samples >= sampling.least && figure.throttled < figure.samples &&
        sure_enough(figure, sampling.tightness))
      break;
  }
  return figure_of(samples);
}

Result<double> timed(Context& context, device::Stream& stream,
                     const std::function<Result<void>()>& enqueue) {
  GPUVET_TRY(const auto begin, stream.record());
  GPUVET_CHECK(enqueue());
  GPUVET_TRY(const auto end, stream.record());
  GPUVET_CHECK(stream.synchronize(context.call_limit));
  return end->since(*begin);
}

void record_rate(Context& context, Id id, const std::string& subject, double amount,
                 const Figure& figure, Where where) {
  context.out->number(id, subject, amount / figure.median, std::move(where));
  context.out->detail(figure.quality());
}

Figure figure_of_seconds(std::vector<double> seconds) {
  std::vector<Sample> samples;
  for (const double one : seconds) samples.push_back({one, {}});
  return figure_of(samples);
}

std::string link_subject(const device::Device& a, const device::Device& b) {
  const auto bare = [](const device::Device& device) {
    const auto& subject = device.properties().subject;
    return subject.substr(subject.find(':') + 1);  // all of it where there is no colon
  };
  return a.properties().index <= b.properties().index ? fmt::format("link:{}~{}", bare(a), bare(b))
                                                      : fmt::format("link:{}~{}", bare(b), bare(a));
}

Absence absence_of(const Error& error) {
  switch (error.code) {
    case Errc::permission:
      return Absence::permission;
    case Errc::timeout:
      return Absence::timeout;
    case Errc::cancelled:
      return Absence::not_asked;
    case Errc::malformed:
    case Errc::vendor_failure:
      return Absence::malformed;
    case Errc::not_found:
    case Errc::not_supported:
    case Errc::too_large:
    case Errc::usage:
      return Absence::not_supported;
  }
  return Absence::not_supported;
}

}  // namespace gpuvet::probe
