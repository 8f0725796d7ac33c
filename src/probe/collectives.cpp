// SPDX-License-Identifier: Apache-2.0
// How fast collective operations are, and whether every element of every result is right
// (docs/method/collectives.md).
#include <fmt/format.h>

#include <algorithm>

#include "core/statistics.hpp"
#include "probe/collective_data.hpp"
#include "probe/collective_job.hpp"
#include "probe/collective_sweep.hpp"
#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using device::Collective;

using Made = Result<std::unique_ptr<device::Communicator>>;

Made communicator_over(std::span<device::Device* const> devices, bool ring) {
  return ring ? device::ring_communicator(devices) : device::nccl_communicator(devices);
}

struct AllReduce {
  double seconds = 0;
  double wrong = 0;  ///< words of the results
};

/// An all_reduce over `devices`.
Result<AllReduce> all_reduce(Context& context, std::span<device::Device* const> devices, bool ring,
                             std::uint64_t bytes) {
  Context part = context;
  part.devices = devices;
  GPUVET_TRY(const auto communicator, communicator_over(devices, ring));
  const auto piece = 8 * devices.size();
  GPUVET_TRY(auto data, CollectiveData::make(part, *communicator, Collective::all_reduce,
                                             bytes / piece * piece));
  AllReduce out;
  GPUVET_TRY(out.wrong, data.wrong(*communicator, Collective::all_reduce));
  std::vector<double> seconds;
  for (int i = 0; i < 6; ++i) {
    const double begin = devices.front()->now();
    GPUVET_CHECK(data.enqueue(*communicator, Collective::all_reduce));
    GPUVET_CHECK(data.synchronize());
    if (i > 0) seconds.push_back(devices.front()->now() - begin);
  }
  out.seconds = median(std::move(seconds));
  return out;
}

/// In a collective all ranks take as long as the slowest, and what one adds wrongly reaches them
/// all, so neither tells which one it is. Leaving each out in turn does.
Result<void> find_culprits(Context& context, bool ring, const std::string& library,
                           std::uint64_t most) {
  const auto& devices = context.devices;
  const auto bytes = std::min(most, std::uint64_t{256} << 20);
  const Where where{{"gpus", static_cast<double>(devices.size())},
                    {"bytes", static_cast<double>(bytes)},
                    {"library", library}};
  if (devices.size() < 4) {
    culprits_not_sought(context, Absence::not_supported,
                        "among fewer than four devices none can be told apart", where);
    return {};
  }
  if (context.over()) {
    culprits_not_sought(context, Absence::not_asked, "the time was up", where);
    return {};
  }
  std::vector<AllReduce> without;
  for (std::size_t r = 0; r < devices.size(); ++r) {
    context.progress(0.9 + 0.1 * static_cast<double>(r) / static_cast<double>(devices.size()),
                     "without each in turn");
    std::vector<device::Device*> others(devices.begin(), devices.end());
    others.erase(others.begin() + static_cast<std::ptrdiff_t>(r));
    GPUVET_TRY(const auto one, all_reduce(context, others, ring, bytes));
    without.push_back(one);
  }
  std::vector<double> seconds;
  for (const auto& one : without) seconds.push_back(one.seconds);
  const double usual = median(std::move(seconds));
  const auto right = std::count_if(without.begin(), without.end(),
                                   [](const AllReduce& one) { return one.wrong == 0; });
  for (std::size_t r = 0; r < devices.size(); ++r) {
    const auto& subject = devices[r]->properties().subject;
    context.out->number("collective.gpu.speedup_without"_id, subject, usual / without[r].seconds,
                        where);
    context.out->flag("collective.gpu.spoils"_id, subject, right == 1 && without[r].wrong == 0,
                      where);
    context.out->detail(fmt::format("rank {}: {:.0f} wrong words without it", r, without[r].wrong));
  }
  return {};
}

}  // namespace

Result<void> collectives(Context& context) {
  if (context.job != nullptr && context.job->size() > 1) return collectives_of_job(context);
  if (context.devices.size() < 2) return fail(Errc::not_supported, "two devices are needed");
  auto communicator = communicator_over(context.devices, false);
  const bool ring = !communicator;
  if (ring) {
    const auto why = communicator.error().message();
    context.out->absent("collective.all_reduce.busbw"_id, "node", Absence::not_supported, why,
                        {{"gpus", static_cast<double>(context.devices.size())}, {"nodes", 1.0}});
    communicator = communicator_over(context.devices, true);
    if (!communicator) return tl::make_unexpected(std::move(communicator).error());
  }
  GPUVET_TRY(const auto most, largest_buffer(context));
  Context sweep = context;
  sweep.job = nullptr;
  const double now = context.devices.front()->now();
  sweep.until = now + 0.85 * (context.until - now);  // the rest is for culprits
  GPUVET_CHECK(sweep_collectives(sweep, **communicator, most));
  const auto library = (*communicator)->transport(Collective::all_reduce, most).library;
  communicator->reset();
  auto found = find_culprits(context, ring, library, most);
  context.publish();
  return found;
}

}  // namespace gpuvet::probe
