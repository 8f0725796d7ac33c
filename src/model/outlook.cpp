// SPDX-License-Identifier: Apache-2.0
#include "model/outlook.hpp"

#include <fmt/format.h>

#include <array>
#include <cmath>

namespace gpuvet::model {

std::string_view name(Outlook::Status status) {
  constexpr std::array<std::string_view, 4> names = {"fits", "does not fit", "uncertain",
                                                     "unknown"};
  return names[static_cast<std::size_t>(status)];
}

Outlooks::Outlooks(const catalogue::Catalogue& catalogue)
    : catalogue_{catalogue}, models_{Constants(catalogue)}, intervals_{catalogue} {}

Outlook Outlooks::of(const catalogue::Workload& workload, const Machine& machine) const {
  Outlook out;
  out.workload = workload.id;
  out.machine = machine.name;
  const auto& net = workload.training  ? workload.training->architecture
                    : workload.serving ? workload.serving->architecture
                                       : std::string();
  const auto* architecture = catalogue_.architecture(net);
  if (architecture == nullptr) {
    out.because.push_back(net.empty() ? "the workload says neither what it trains nor serves"
                                      : "the catalogue has no architecture '" + net + "'");
    return out;
  }
  if (workload.serving)
    serve(*workload.serving, machine, out);
  else if (architecture->layers.empty())
    train(*workload.training, machine, out);
  else
    train_layers(*workload.training, *architecture, machine, out);
  if (const auto watts = power(machine, workload.serving ? Load::mixed : Load::dense))
    out.power = *watts;
  return out;
}

Answer<Prediction> Outlooks::power(const Machine& machine, Load load) const {
  GPUVET_ANSWER(auto estimate, models_.power.wall(machine.powered(), load));
  auto one = intervals_.around(estimate);
  if (!one) return one;
  for (double* figure : {&one->value, &one->low, &one->high}) *figure *= machine.fabric.servers;
  return one;
}

void record(const Outlook& outlook, Recorder& out) {
  const std::string subject = "workload:" + outlook.workload;
  const auto figure = [&](Id id, const std::optional<Prediction>& p) {
    if (!p) return;
    out.number(id, subject, p->value);
    out.detail(fmt::format("90 % between {} and {}", format_value(p->low, id.info().unit),
                           format_value(p->high, id.info().unit)));
  };
  out.text("workload.outlook"_id, subject, std::string(name(outlook.status)));
  if (!outlook.because.empty()) out.detail(outlook.because.front());
  figure("workload.memory.peak"_id, outlook.memory);
  figure("workload.rate"_id, outlook.rate);
  figure("workload.job.time"_id, outlook.job_time);
  figure("workload.first_token"_id, outlook.first_token);
  figure("workload.per_token"_id, outlook.per_token);
  figure("workload.power"_id, outlook.power);
  if (outlook.gpus_needed > 0) out.number("workload.gpus.needed"_id, subject, outlook.gpus_needed);
}

}  // namespace gpuvet::model
