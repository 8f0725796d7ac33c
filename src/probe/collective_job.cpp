// SPDX-License-Identifier: Apache-2.0
#include "probe/collective_job.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "probe/collective_sweep.hpp"

namespace gpuvet::probe {
namespace {

/// Whether all processes of the job agree that `done`; else the error of one of them.
Result<void> all_well(device::Job& job, const Result<void>& done) {
  const double own = done ? 0 : 1;
  GPUVET_TRY(const auto all, job.gather(std::span(&own, 1)));
  if (!done) return done;
  for (std::size_t rank = 0; rank < all.size(); ++rank)
    if (all[rank] > 0)
      return fail(Errc::not_supported,
                  fmt::format("process {} on {} could not take part", rank, job.hosts()[rank]));
  return {};
}

/// What every process has, the least of it.
Result<std::uint64_t> least_of(device::Job& job, std::uint64_t own) {
  const auto mine = static_cast<double>(own);
  GPUVET_TRY(const auto all, job.gather(std::span(&mine, 1)));
  return static_cast<std::uint64_t>(*std::min_element(all.begin(), all.end()));
}

/// Leaving ranks out would take a new job.
void nobody_left_out(Context& context, const device::Communicator& communicator) {
  if (context.job->rank() != 0) return;
  const auto library = communicator.transport(device::Collective::all_reduce, 8).library;
  culprits_not_sought(
      context, Absence::not_supported,
      "among several processes none is left out to see whether it is to blame; run on one "
      "node for that",
      {{"gpus", static_cast<double>(communicator.ranks())}, {"library", library}});
}

/// The GPUs here that are this process's own, where several share a node.
std::span<device::Device* const> own_share(const Context& context) {
  const auto place = context.job->place();
  const auto size = static_cast<std::size_t>(place.size);
  const auto each = context.devices.size() / size;
  return context.devices.subspan(each * static_cast<std::size_t>(place.rank), each);
}

/// NCCL does the work; MPI tells its id and gathers what each process measured.
Result<void> over_gpus_of_job(Context& context) {
  auto& job = *context.job;
  Context own = context;
  own.devices = own_share(context);
  const auto here = own.devices.size();
  GPUVET_TRY(const auto least, least_of(job, here));
  Result<void> ready;
  if (here == 0 || least != here)
    ready = fail(Errc::not_supported,
                 fmt::format("{} GPUs for a process here, {} elsewhere: all need as many, and at "
                             "least one",
                             here, least));
  GPUVET_CHECK(all_well(job, ready));
  device::World world;
  world.first = job.rank() * static_cast<int>(here);
  world.ranks = job.size() * static_cast<int>(here);
  std::array<std::byte, 128> id{};  // NCCL_UNIQUE_ID_BYTES
  if (job.rank() == 0) {
    auto made = device::nccl_unique_id();
    if (made && made->size() == id.size())
      std::memcpy(id.data(), made->data(), id.size());
    else
      ready = made ? Result<void>(fail(Errc::not_supported, "NCCL's id has another size"))
                   : Result<void>(tl::make_unexpected(std::move(made).error()));
  }
  GPUVET_CHECK(all_well(job, ready));
  GPUVET_CHECK(job.broadcast(id, 0));
  world.id.assign(reinterpret_cast<const char*>(id.data()), id.size());
  auto communicator = device::nccl_communicator(own.devices, world);
  if (!communicator) ready = tl::make_unexpected(std::move(communicator).error());
  GPUVET_CHECK(all_well(job, ready));
  GPUVET_TRY(auto most, largest_buffer(own));
  GPUVET_TRY(most, least_of(job, most));
  nobody_left_out(own, **communicator);
  return sweep_collectives(own, **communicator, most);
}

Result<void> over_hosts_of_job(Context& context) {
  const auto communicator = device::job_communicator(*context.job);
  Context own = context;
  auto* host = context.host != nullptr ? context.host : context.devices.front();
  own.devices = std::span(&host, 1);
  // Every process must come to the same sizes, and those of one host share its memory.
  GPUVET_TRY(auto most, largest_buffer(own));
  GPUVET_TRY(most,
             least_of(*context.job, most / static_cast<std::uint64_t>(context.job->place().size)));
  nobody_left_out(own, *communicator);
  return sweep_collectives(own, *communicator, most);
}

}  // namespace

Result<void> collectives_of_job(Context& context) {
  const bool gpus = !context.devices.empty() &&
                    context.devices.front()->properties().backend == device::Backend::cuda;
  return gpus ? over_gpus_of_job(context) : over_hosts_of_job(context);
}

}  // namespace gpuvet::probe
