// SPDX-License-Identifier: Apache-2.0
// Collective operations of copies and sums alone, for machines without NCCL: each rank pulls from
// its neighbour. Right on every backend, and never as fast as NCCL.
#include <algorithm>
#include <utility>

#include "device/communicator.hpp"

namespace gpuvet::device {
namespace {

using Ranges = std::span<const Range>;
using Streams = std::span<Stream* const>;

Range part(Range of, std::uint64_t offset, std::uint64_t bytes) {
  of.address += offset;
  of.bytes = bytes;
  return of;
}

class Ring final : public Communicator {
 public:
  explicit Ring(int ranks) : ranks_{ranks} {}

  [[nodiscard]] int ranks() const override { return ranks_; }
  [[nodiscard]] Transport transport(Collective, std::uint64_t) const override {
    return {"ring over peer copies", "ring", "simple"};
  }

  Result<void> run(Collective op, Ranges send, Ranges receive, Streams streams) override {
    if (send.size() != count() || receive.size() != count() || streams.size() != count())
      return fail(Errc::usage, "a buffer to send, one to receive and a stream for each rank");
    GPUVET_CHECK(meet(streams));
    switch (op) {
      case Collective::all_reduce:
        GPUVET_CHECK(scatter_sums(send, receive, streams));
        return gather_sums(receive, streams);
      case Collective::reduce:
        GPUVET_CHECK(scatter_sums(send, receive, streams));
        return collect_sums(receive, streams);
      case Collective::reduce_scatter:
        return sum_parts(send, receive, streams);
      case Collective::all_gather:
        return pull(streams, [&](std::size_t rank, std::size_t from) {
          const auto bytes = send[from].bytes;
          return std::pair(part(receive[rank], from * bytes, bytes), send[from]);
        });
      case Collective::alltoall:
        return pull(streams, [&](std::size_t rank, std::size_t from) {
          const auto bytes = send[from].bytes / count();
          return std::pair(part(receive[rank], from * bytes, bytes),
                           part(send[from], rank * bytes, bytes));
        });
      case Collective::broadcast:
        for (std::size_t r = 0; r < count(); ++r)
          GPUVET_CHECK(copy(*streams[r], receive[r], send[0]));
        return {};
      case Collective::sendrecv:
        for (std::size_t r = 0; r < count(); ++r)
          GPUVET_CHECK(copy(*streams[r], receive[r], send[before(r)]));
        return {};
    }
    return {};
  }

 private:
  using Events = std::vector<std::unique_ptr<Event>>;

  [[nodiscard]] std::size_t count() const { return static_cast<std::size_t>(ranks_); }
  [[nodiscard]] std::size_t before(std::size_t rank, std::size_t steps = 1) const {
    return (rank + count() - steps % count()) % count();
  }

  /// The words of chunk `index` of `bytes`, as even as can be; empty where there are fewer words.
  [[nodiscard]] std::pair<std::uint64_t, std::uint64_t> chunk(std::uint64_t bytes,
                                                              std::size_t index) const {
    const auto words = bytes / 8, each = words / count(), rest = words % count();
    const auto start = index * each + std::min<std::uint64_t>(index, rest);
    return {start * 8, (each + (index < rest ? 1 : 0)) * 8};
  }

  static Result<void> copy(Stream& stream, Range to, Range from) {
    return to.bytes == 0 ? Result<void>{} : stream.copy(to, from, Engine::copy_engine);
  }

  static Result<Events> record(Streams streams) {
    Events out;
    for (auto* stream : streams) {
      GPUVET_TRY(auto event, stream->record());
      out.push_back(std::move(event));
    }
    return out;
  }

  /// Nobody begins before all have got here: buffers are filled, earlier results read.
  static Result<void> meet(Streams streams) {
    GPUVET_TRY(const auto here, record(streams));
    for (std::size_t r = 0; r < streams.size(); ++r)
      for (std::size_t other = 0; other < streams.size(); ++other)
        if (other != r) GPUVET_CHECK(streams[r]->wait(*here[other]));
    return {};
  }

  /// Each rank copies one piece from every rank, starting with its own, then backwards: at no step
  /// do two read from the same one.
  template <class Piece>
  Result<void> pull(Streams streams, Piece piece) {
    for (std::size_t step = 0; step < count(); ++step)
      for (std::size_t r = 0; r < count(); ++r) {
        const auto [to, from] = piece(r, before(r, step));
        GPUVET_CHECK(copy(*streams[r], to, from));
      }
    return {};
  }

  /// Afterwards rank r holds the whole sum of chunk r + 1 in `receive`. At each step a rank adds
  /// what its neighbour has summed up so far to a chunk of its own.
  Result<void> scatter_sums(Ranges send, Ranges receive, Streams streams) {
    for (std::size_t r = 0; r < count(); ++r) GPUVET_CHECK(copy(*streams[r], receive[r], send[r]));
    steps_.clear();
    for (std::size_t step = 0; step + 1 < count(); ++step) {
      GPUVET_TRY(auto done, record(streams));
      for (std::size_t r = 0; r < count(); ++r) {
        GPUVET_CHECK(streams[r]->wait(*done[before(r)]));
        const auto [at, bytes] = chunk(receive[r].bytes, before(r, 1 + step));
        if (bytes != 0)
          GPUVET_CHECK(
              streams[r]->add(part(receive[r], at, bytes), part(receive[before(r)], at, bytes)));
      }
      steps_.push_back(std::move(done));
    }
    GPUVET_TRY(auto done, record(streams));
    steps_.push_back(std::move(done));
    return {};
  }

  /// Whole chunks go round.
  Result<void> gather_sums(Ranges receive, Streams streams) {
    for (std::size_t step = 0; step + 1 < count(); ++step) {
      const auto& done = steps_.back();
      for (std::size_t r = 0; r < count(); ++r) {
        GPUVET_CHECK(streams[r]->wait(*done[before(r)]));
        // What is overwritten here was read by the next rank in step `step` of the sums.
        GPUVET_CHECK(streams[r]->wait(*steps_[step + 1][(r + 1) % count()]));
        const auto [at, bytes] = chunk(receive[r].bytes, before(r, step));
        GPUVET_CHECK(
            copy(*streams[r], part(receive[r], at, bytes), part(receive[before(r)], at, bytes)));
      }
      GPUVET_TRY(auto next, record(streams));
      steps_.push_back(std::move(next));
    }
    return {};
  }

  /// The root copies all chunks that it lacks.
  Result<void> collect_sums(Ranges receive, Streams streams) {
    const auto& done = steps_.back();
    for (std::size_t r = 1; r < count(); ++r) {
      GPUVET_CHECK(streams[0]->wait(*done[r]));
      const auto [at, bytes] = chunk(receive[0].bytes, (r + 1) % count());
      GPUVET_CHECK(copy(*streams[0], part(receive[0], at, bytes), part(receive[r], at, bytes)));
    }
    return {};
  }

  /// Each rank adds up its own part of all.
  Result<void> sum_parts(Ranges send, Ranges receive, Streams streams) {
    for (std::size_t step = 0; step < count(); ++step)
      for (std::size_t r = 0; r < count(); ++r) {
        const auto bytes = receive[r].bytes;
        const auto from = part(send[before(r, step)], r * bytes, bytes);
        GPUVET_CHECK(step == 0 ? copy(*streams[r], receive[r], from)
                               : streams[r]->add(receive[r], from));
      }
    return {};
  }

  int ranks_;
  std::vector<Events> steps_;  ///< of the operation enqueued last
};

}  // namespace

Result<std::unique_ptr<Communicator>> ring_communicator(std::span<Device* const> devices) {
  if (devices.size() < 2) return fail(Errc::not_supported, "a ring needs two devices");
  for (auto* to : devices)
    for (auto* from : devices) {
      if (to == from) continue;
      GPUVET_TRY(const bool reached, to->reach(*from));
      if (!reached)
        return fail(Errc::not_supported, to->properties().subject + " can't use the memory of " +
                                             from->properties().subject);
    }
  return std::make_unique<Ring>(static_cast<int>(devices.size()));
}

}  // namespace gpuvet::device
