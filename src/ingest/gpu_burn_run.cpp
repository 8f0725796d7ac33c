// SPDX-License-Identifier: Apache-2.0
#include "ingest/gpu_burn_run.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "core/statistics.hpp"
#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr double giga = 1e9;
constexpr std::size_t most_gpus = 64, most_rates = 1U << 16U;

/// The values between " - ": "0 - 3  (WARNING!) - 0".
std::vector<std::string_view> parts(std::string_view s) {
  std::vector<std::string_view> out;
  while (out.size() <= most_gpus) {
    const auto dash = s.find(" - ");
    out.push_back(trim(s.substr(0, dash)));
    if (dash == std::string_view::npos) break;
    s.remove_prefix(dash + 3);
  }
  return out;
}

double mean(const double* begin, std::size_t n) {
  return std::accumulate(begin, begin + n, 0.0) / static_cast<double>(n);
}

}  // namespace

std::optional<BurnProgress> burn_progress(std::string_view text) {
  const auto percent = text.find('%'), processed = text.find("proc'd: "),
             errors = text.find("errors: "), temps = text.find("temps: ");
  if (temps == std::string_view::npos || !(percent < processed && processed < errors) ||
      errors > temps)
    return {};
  BurnProgress out;
  const auto done = parse_number(trim(text.substr(0, percent)));
  if (!done || *done < 0 || *done > 100) return {};
  out.percent = *done;
  const auto rates = parts(text.substr(processed + 8, errors - processed - 8));
  const auto faults = parts(text.substr(errors + 8, temps - errors - 8));
  const auto power = text.find("power: ", temps);
  const auto heats = parts(text.substr(
      temps + 7, power == std::string_view::npos ? std::string_view::npos : power - temps - 7));
  if (rates.size() > most_gpus || rates.size() != faults.size() || rates.size() != heats.size())
    return {};
  for (std::size_t i = 0; i < rates.size(); ++i) {
    auto& gpu = out.gpus.emplace_back();
    const auto rate = words(rates[i]), fault = words(faults[i]), heat = words(heats[i]);
    if (rate.size() != 3 || rate[2] != "Gflop/s)" || fault.empty() || heat.empty()) return {};
    const auto count = parse_integer(rate[0]);
    const auto speed = parse_number(rate[1].substr(1));
    const auto wrong = parse_integer(fault[0]);
    if (!count || !speed || *speed < 0 || *speed > 1e9 || !wrong) return {};
    gpu.processed = *count;
    gpu.rate = *speed;
    gpu.errors = *wrong;
    if (heat[0] == "--") continue;
    const auto degrees = parse_number(heat[0]);
    if (heat.size() != 2 || heat[1] != "C" || !degrees || *degrees < -50 || *degrees > 250)
      return {};
    gpu.temperature = degrees;
  }
  return out;
}

void BurnGpu::add(const BurnProgress::Gpu& now, std::size_t line) {
  if (now.processed < 0) {
    if (died_line_ == 0) died_line_ = line;
    return;
  }
  if (now.errors > errors_since_) {
    errors_since_ = now.errors;
    errors_line_ = line;
  }
  if (now.temperature && (!hottest_ || *now.temperature > *hottest_)) {
    hottest_ = now.temperature;
    hottest_line_ = line;
  }
  if (line_ == 0) line_ = line;
  // The figure is printed again until the GPU reports anew.
  if (now.processed == processed_ || now.rate == 0) return;
  if (processed_ == 0) first_processed_ = now.processed;
  processed_ = now.processed;
  if (++skipped_ < stride_) return;
  skipped_ = 0;
  rates_.push_back(now.rate * giga);
  if (rates_.size() < most_rates) return;
  for (std::size_t i = 0; 2 * i < rates_.size(); ++i) rates_[i] = rates_[2 * i];
  rates_.resize(most_rates / 2);
  stride_ *= 2;
}

void BurnGpu::summary() {
  constexpr std::int64_t most = std::int64_t{1} << 52;
  errors_ = std::min(most, errors_ + std::min(most, errors_since_));
  errors_since_ = 0;
}

void BurnGpu::record(Recorder& out, const std::string& gpu, std::string_view backend,
                     std::optional<std::int64_t> pass, bool own) const {
  const Where where{{"backend", std::string(backend)}};
  const bool warm_up = pass && first_processed_ <= *pass;
  const std::size_t skip = warm_up && rates_.size() > 1 ? 1 : 0;
  const std::size_t n = rates_.size() - skip;
  out.line(line_);
  if (n == 0) {
    out.absent("compute.burn"_id, gpu, Absence::malformed, "it reported no finished pass", where);
  } else {
    out.number("compute.burn"_id, gpu,
               median({rates_.begin() + static_cast<std::ptrdiff_t>(skip), rates_.end()}), where);
    out.detail(warm_up && skip == 0 ? "one report, with the start-up in it"
                                    : fmt::format("median of {} reports", n));
  }
  constexpr std::size_t enough = 5;
  if (n < enough) {
    out.absent("compute.burn.drop"_id, gpu, Absence::not_asked,
               fmt::format("{} reports are too few", n));
  } else {
    const std::size_t tenth = std::max<std::size_t>(1, n / 10);
    const double first = mean(rates_.data() + skip, tenth);
    const double last = mean(rates_.data() + rates_.size() - tenth, tenth);
    out.number("compute.burn.drop"_id, gpu, 1 - last / first);
    out.detail(fmt::format("from {:.0f} to {:.0f} Gflop/s", first / giga, last / giga));
  }
  if (hottest_ && own) {
    out.line(hottest_line_);
    out.number("compute.burn.temperature.max"_id, gpu, *hottest_);
  } else {
    out.absent("compute.burn.temperature.max"_id, gpu,
               own ? Absence::not_supported : Absence::malformed,
               own ? "" : "run on some GPUs, gpu_burn mixes the temperatures of all");
  }
  out.line(errors_line_ > 0 ? errors_line_ : line_);
  out.number("compute.wrong"_id, gpu, static_cast<double>(errors_ + errors_since_), where);
}

}  // namespace gpuvet::ingest
