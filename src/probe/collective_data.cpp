// SPDX-License-Identifier: Apache-2.0
#include "probe/collective_data.hpp"

#include <algorithm>
#include <functional>

namespace gpuvet::probe {
namespace {

using device::Collective;
using device::Range;

/// Elements after which values repeat: twice a prime, so that no piece of a power of two of bytes
/// is like another one, and a multiple of a word.
constexpr std::uint64_t period = 2 * 65'537;
constexpr std::uint64_t element = sizeof(float);

/// Fills `to` with value(i): a period from here, doubled by the device until all is full.
Result<void> spread(device::Device& device, device::Stream& stream, Range to,
                    const std::function<float(std::uint64_t)>& value) {
  std::vector<float> tile(std::min(period, to.bytes / element));
  for (std::uint64_t i = 0; i < tile.size(); ++i) tile[i] = value(i);
  Range done = to;
  done.bytes = tile.size() * element;
  GPUVET_CHECK(device.write(done, std::as_bytes(std::span(tile))));
  while (done.bytes < to.bytes) {
    Range source = done, target = to;
    target.address = to.address + done.bytes;
    target.bytes = source.bytes = std::min(done.bytes, to.bytes - done.bytes);
    GPUVET_CHECK(stream.copy(target, source, device::Engine::kernel));
    done.bytes += target.bytes;
  }
  return {};
}

Range part(Range of, std::uint64_t offset, std::uint64_t bytes) {
  of.address += offset;
  of.bytes = bytes;
  return of;
}

/// Writes to `to` what `rank` must receive.
Result<void> spread_due(device::Device& device, device::Stream& stream, Range to, Collective op,
                        int rank, int ranks) {
  const auto piece = to.bytes / static_cast<std::uint64_t>(ranks);
  const auto sum = [&](std::uint64_t index) {
    float out = 0;
    for (int r = 0; r < ranks; ++r) out += collective_value(r, index);
    return out;
  };
  switch (op) {
    case Collective::all_reduce:
    case Collective::reduce:
      return spread(device, stream, to, sum);
    case Collective::reduce_scatter: {
      const auto offset = static_cast<std::uint64_t>(rank) * (to.bytes / element);
      return spread(device, stream, to, [&](std::uint64_t i) { return sum(offset + i); });
    }
    case Collective::broadcast:
      return spread(device, stream, to, [](std::uint64_t i) { return collective_value(0, i); });
    case Collective::sendrecv: {
      const int from = (rank + ranks - 1) % ranks;
      return spread(device, stream, to, [&](std::uint64_t i) { return collective_value(from, i); });
    }
    case Collective::all_gather:
    case Collective::alltoall:
      for (int from = 0; from < ranks; ++from) {
        const auto offset =
            op == Collective::alltoall ? static_cast<std::uint64_t>(rank) * (piece / element) : 0;
        GPUVET_CHECK(spread(device, stream,
                            part(to, static_cast<std::uint64_t>(from) * piece, piece),
                            [&](std::uint64_t i) { return collective_value(from, offset + i); }));
      }
      return {};
  }
  return {};
}

}  // namespace

float collective_value(int rank, std::uint64_t index) {
  const auto mixed =
      device::Pattern::mix(index % period + (static_cast<std::uint64_t>(rank) << 32U));
  return static_cast<float>(mixed % 64);
}

Result<CollectiveData> CollectiveData::make(Context& context,
                                            const device::Communicator& communicator, Collective op,
                                            std::uint64_t bytes) {
  const auto sizes = device::bytes_of(op, bytes, communicator.ranks());
  if (sizes.send == 0 || sizes.receive == 0 || sizes.send % 8 != 0 || sizes.receive % 8 != 0)
    return fail(Errc::usage, "each rank's part is a multiple of 8 bytes");
  CollectiveData out(context);
  out.first_ = communicator.first();
  for (auto* device : context.devices) {
    const int rank = out.first_ + static_cast<int>(out.devices_.size());
    out.devices_.push_back(device);
    GPUVET_TRY(auto stream, device->stream());
    GPUVET_TRY(auto send, device->allocate(sizes.send));
    GPUVET_TRY(auto receive, device->allocate(sizes.receive));
    GPUVET_TRY(auto due, device->allocate(sizes.receive));
    GPUVET_CHECK(spread(*device, *stream, send.all(),
                        [&](std::uint64_t i) { return collective_value(rank, i); }));
    GPUVET_CHECK(spread_due(*device, *stream, due.all(), op, rank, communicator.ranks()));
    out.send_ranges_.push_back(send.all());
    out.receive_ranges_.push_back(receive.all());
    out.stream_pointers_.push_back(stream.get());
    out.streams_.push_back(std::move(stream));
    out.send_.push_back(std::move(send));
    out.receive_.push_back(std::move(receive));
    out.due_.push_back(std::move(due));
  }
  GPUVET_CHECK(out.synchronize());
  return out;
}

Result<void> CollectiveData::synchronize() {
  for (std::size_t i = 0; i < streams_.size(); ++i)
    GPUVET_CHECK(in_context(streams_[i]->synchronize(context_->call_limit),
                            devices_[i]->properties().subject));
  return {};
}

Result<double> CollectiveData::wrong(device::Communicator& communicator, Collective op) {
  for (std::size_t i = 0; i < streams_.size(); ++i)
    GPUVET_CHECK(
        streams_[i]->fill(receive_ranges_[i], {device::PatternKind::constant, ~std::uint64_t{0}}));
  GPUVET_CHECK(enqueue(communicator, op));
  GPUVET_CHECK(synchronize());
  std::vector<std::uint64_t> found(streams_.size());
  for (std::size_t i = 0; i < streams_.size(); ++i) {
    const bool counts = op != Collective::reduce || first_ + static_cast<int>(i) == 0;
    if (counts) GPUVET_CHECK(streams_[i]->compare(receive_ranges_[i], due_[i].all(), found[i]));
  }
  GPUVET_CHECK(synchronize());
  double out = 0;
  for (const auto one : found) out += static_cast<double>(one);
  return out;
}

Result<std::vector<double>> CollectiveData::rank_seconds(device::Communicator& communicator,
                                                         Collective op) {
  std::vector<std::unique_ptr<device::Event>> begins, ends;
  for (auto& stream : streams_) {
    GPUVET_TRY(auto event, stream->record());
    begins.push_back(std::move(event));
  }
  GPUVET_CHECK(enqueue(communicator, op));
  for (auto& stream : streams_) {
    GPUVET_TRY(auto event, stream->record());
    ends.push_back(std::move(event));
  }
  GPUVET_CHECK(synchronize());
  std::vector<double> out;
  for (std::size_t i = 0; i < ends.size(); ++i) {
    GPUVET_TRY(const double seconds, ends[i]->since(*begins[i]));
    out.push_back(seconds);
  }
  return out;
}

}  // namespace gpuvet::probe
