// SPDX-License-Identifier: Apache-2.0
// Names and sizes of what devices compute with.
#include "device/communicator.hpp"
#include "device/litmus.hpp"
#include "device/matrix.hpp"

namespace gpuvet::device {

std::string_view name(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return "fp64";
    case Precision::fp32:
      return "fp32";
    case Precision::tf32:
      return "tf32";
    case Precision::bf16:
      return "bf16";
    case Precision::fp16:
      return "fp16";
    case Precision::fp8:
      return "fp8";
    case Precision::int8:
      return "int8";
  }
  return {};
}

std::uint64_t operand_bytes(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return 8;
    case Precision::fp32:
    case Precision::tf32:
      return 4;
    case Precision::bf16:
    case Precision::fp16:
      return 2;
    case Precision::fp8:
    case Precision::int8:
      return 1;
  }
  return 0;
}

std::uint64_t result_bytes(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return 8;
    case Precision::fp32:
    case Precision::tf32:
    case Precision::int8:
      return 4;
    case Precision::bf16:
    case Precision::fp16:
    case Precision::fp8:
      return 2;
  }
  return 0;
}

std::int64_t exact_limit(Precision precision) {
  switch (precision) {
    case Precision::fp64:
      return std::int64_t{1} << 53;
    case Precision::fp32:
    case Precision::tf32:
      return std::int64_t{1} << 24;  // the sums are in fp32
    case Precision::int8:
      return (std::int64_t{1} << 31) - 1;
    case Precision::fp16:
      return 2048;  // 11 bits of the result
    case Precision::bf16:
    case Precision::fp8:
      return 256;  // 8 bits of the result
  }
  return 0;
}

std::string_view name(Collective collective) {
  switch (collective) {
    case Collective::all_reduce:
      return "all_reduce";
    case Collective::all_gather:
      return "all_gather";
    case Collective::reduce_scatter:
      return "reduce_scatter";
    case Collective::broadcast:
      return "broadcast";
    case Collective::reduce:
      return "reduce";
    case Collective::alltoall:
      return "alltoall";
    case Collective::sendrecv:
      return "sendrecv";
  }
  return {};
}

double bus_factor(Collective collective, int ranks) {
  const double n = ranks;
  switch (collective) {
    case Collective::all_reduce:
      return 2 * (n - 1) / n;
    case Collective::all_gather:
    case Collective::reduce_scatter:
    case Collective::alltoall:
      return (n - 1) / n;
    case Collective::broadcast:
    case Collective::reduce:
    case Collective::sendrecv:
      return 1;
  }
  return 1;
}

CollectiveBytes bytes_of(Collective collective, std::uint64_t bytes, int ranks) {
  const auto part = bytes / static_cast<std::uint64_t>(ranks);
  switch (collective) {
    case Collective::all_gather:
      return {part, part * static_cast<std::uint64_t>(ranks)};
    case Collective::reduce_scatter:
      return {part * static_cast<std::uint64_t>(ranks), part};
    case Collective::all_reduce:
    case Collective::broadcast:
    case Collective::reduce:
    case Collective::alltoall:
    case Collective::sendrecv:
      return {bytes, bytes};
  }
  return {bytes, bytes};
}

std::string_view name(Litmus shape) {
  switch (shape) {
    case Litmus::message_passing:
      return "message_passing";
    case Litmus::store_buffering:
      return "store_buffering";
    case Litmus::load_buffering:
      return "load_buffering";
    case Litmus::iriw:
      return "iriw";
    case Litmus::coherence:
      return "coherence";
    case Litmus::atomic_add:
      return "atomic_add";
    case Litmus::atomic_cas:
      return "atomic_cas";
    case Litmus::atomic_exchange:
      return "atomic_exchange";
  }
  return {};
}

std::string_view name(Fence fence) {
  switch (fence) {
    case Fence::none:
      return "none";
    case Fence::block:
      return "block";
    case Fence::device:
      return "device";
    case Fence::system:
      return "system";
  }
  return {};
}

int threads(Litmus shape) { return shape == Litmus::iriw ? 4 : 2; }

}  // namespace gpuvet::device
