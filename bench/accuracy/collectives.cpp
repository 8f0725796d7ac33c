// SPDX-License-Identifier: Apache-2.0
// Rows of NCCL's collectives (nccl-tests, frameworks), of sends between two GPUs and of copies
// between host and GPU. The value is a time, or the bandwidth that follows from one.
#include <array>
#include <utility>

#include "accuracy/kind.hpp"
#include "accuracy/nccl_tuner.hpp"
#include "core/text.hpp"

namespace gpuvet::accuracy {
namespace {

using model::Collective;

/// Where a row says "up to the largest" or nothing: what benchmarks end with.
constexpr double largest = 17179869184.0;

std::optional<Collective> collective_of(const Row& row) {
  constexpr std::array<std::pair<std::string_view, Collective>, 8> kinds = {
      {{"allreduce", Collective::all_reduce},
       {"allgather", Collective::all_gather},
       {"reducescatter", Collective::reduce_scatter},
       {"alltoall", Collective::all_to_all},
       {"broadcast", Collective::broadcast},
       {"reduce", Collective::reduce},
       {"sendrecv", Collective::send_recv},
       {"p2p", Collective::send_recv}}};
  for (const auto& [kind, op] : kinds)
    if (row.kind == kind) return op;
  return {};
}

/// "67584", "<=12G", "4 GiB", "up to max".
double bytes_of(const Row& row) {
  auto text = row.param("bytes");
  if (text.empty()) text = row.param("size");
  while (!text.empty() && (text.front() < '0' || text.front() > '9')) text.remove_prefix(1);
  if (const auto plain = parse_number(text)) return *plain;
  std::size_t digits = 0;
  while (digits < text.size() &&
         (text[digits] == '.' || (text[digits] >= '0' && text[digits] <= '9')))
    ++digits;
  const auto number = parse_number(text.substr(0, digits));
  const auto unit = trim(text.substr(digits));
  if (!number || unit.empty()) return largest;
  switch (unit.front()) {
    case 'K':
    case 'k':
      return *number * 1024;
    case 'M':
      return *number * 1048576;
    case 'G':
      return *number * 1073741824.0;
    default:
      return largest;
  }
}

model::NcclStack stack_of(const Row& row) {
  auto stack = model::nccl_stack(row.param("nccl"));
  stack.framework_call = contains(row.workload, "torch.distributed");
  return stack;
}

bool between_host_and_gpu(const Row& row) {
  return row.kind == "p2p" && (contains_ignoring_case(row.workload, "h2d") ||
                               contains_ignoring_case(row.workload, "d2h") ||
                               contains_ignoring_case(row.topology, "host"));
}

/// The row's metric from the time that `bytes` took.
model::Answer<double> metric_of(const Row& row, Collective op, double bytes, Seconds time) {
  const auto& metric = row.metric;
  if (metric.starts_with("time") || metric == "latency") return time.base();
  if (contains(metric, "algbw")) return bytes / time.base();
  if (contains(metric, "busbw") || contains(metric, "bandwidth"))
    return model::bus_factor(op, row.gpus) * bytes / time.base();
  return model::refuse("no collective is measured in " + metric);
}

model::Answer<model::Estimate> predict_copy(const Row& row, const World& world) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, fabric_of(row, gpu));
  const bool to_device = contains_ignoring_case(row.workload, "h2d");
  if (!to_device && !contains_ignoring_case(row.workload, "d2h"))
    return model::refuse("the row does not say which way it copies");
  if (row.gpus > 1) return model::refuse("copies of several GPUs at once share what is not stated");
  const double bytes = bytes_of(row);
  const Seconds time =
      world.models.collectives.host_copy(Bytes::base(bytes), to_device, fabric.pcie);
  GPUVET_ANSWER(const auto value, metric_of(row, Collective::send_recv, bytes, time));
  return model::Estimate{"collectives.copy", value, {gpu.id, "", "single", bytes}, 1, {}};
}

std::string family_of(Collective op, const model::Fabric& fabric, double bytes, bool nvlink) {
  if (op == Collective::send_recv) return "collectives.send";
  if (fabric.servers > 1) return "collectives.nodes";
  if (!nvlink) return "collectives.pcie";
  return bytes < 4194304 ? "collectives.nvlink.small" : "collectives.nvlink.large";
}

double difficulty_of(const Row& row, Collective op, const model::Fabric& fabric, double bytes) {
  // Two ranks on two servers may use one adapter or share it, and nobody says.
  if (op == Collective::send_recv) return fabric.servers > 1 ? 4 : 1;
  // Medians of a framework's few calls scatter by a factor of two where the call itself is most of
  // the time.
  if (contains(row.workload, "torch") && bytes < 4194304) return 4;
  // What host memory gives to eight GPUs depends on where its pages are.
  return fabric.staged && fabric.gpus > 2 ? 2 : 1;
}

model::Answer<model::Estimate> predict(const Row& row, const World& world) {
  if (between_host_and_gpu(row)) return predict_copy(row, world);
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, fabric_of(row, gpu));
  const auto op = collective_of(row);
  if (!op) return model::refuse("no model for " + row.kind);
  if (row.gpus < 2) return model::refuse("a collective of one GPU moves nothing");
  const double bytes = bytes_of(row);
  const auto stack = stack_of(row);
  // Its first sizes pay for setting up the connections: 6 ms at 32 KiB, 0.4 ms at 256 KiB.
  if (contains(row.workload, "all_reduce_bench") && bytes < 131072)
    return model::refuse("all_reduce_bench isn't warmed up at its smallest sizes");
  GPUVET_ANSWER(const auto time,
                world.models.collectives.time(*op, Bytes::base(bytes), fabric, stack));
  GPUVET_ANSWER(const auto value, metric_of(row, *op, bytes, time));
  const bool nvlink = fabric.kind == model::Fabric::Kind::nvswitch ||
                      fabric.kind == model::Fabric::Kind::nvlink_all ||
                      (fabric.rings && fabric.rings->nvlink);
  model::Estimate out{family_of(*op, fabric, bytes, nvlink),
                      value,
                      {gpu.id, "nccl", std::string(model::topology_class(fabric)), bytes},
                      1,
                      {}};
  out.difficulty = difficulty_of(row, *op, fabric, bytes);
  return out;
}

model::Answer<double> tuner(const Row& row, const World& world, const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, fabric_of(row, gpu));
  const auto op = collective_of(row);
  if (!op || row.gpus < 2) return model::refuse("NCCL's tuner knows collectives only");
  const double bytes = bytes_of(row);
  GPUVET_ANSWER(const auto time, nccl_tuner_time(*op, Bytes::base(bytes), gpu, fabric));
  return metric_of(row, *op, bytes, time);
}

/// 3 us a step and the data-sheet rate.
model::Answer<double> alpha_beta(const Row& row, const World& world,
                                 const std::vector<const Row*>&) {
  GPUVET_ANSWER(const auto gpu, gpu_of(row, world));
  GPUVET_ANSWER(const auto fabric, fabric_of(row, gpu));
  const auto op = collective_of(row);
  if (!op) return model::refuse("no collective");
  const double bytes = bytes_of(row);
  const bool pcie = row.gpus == 1 || fabric.kind == model::Fabric::Kind::pcie ||
                    fabric.kind == model::Fabric::Kind::nvlink_partial;
  double rate = pcie ? gpu.pcie.base() : gpu.nvlink.base();
  if (fabric.servers > 1) rate = std::min(rate, fabric.network.base());
  const double steps = (*op == Collective::all_reduce ? 2.0 : 1.0) * std::max(row.gpus - 1, 1);
  const double factor = row.gpus == 1 ? 1 : model::bus_factor(*op, row.gpus);
  const Seconds time = Seconds::base(3e-6 * steps + factor * bytes / rate);
  return metric_of(row, row.gpus == 1 ? Collective::send_recv : *op, bytes, time);
}

}  // namespace

Kind collectives_kind() {
  return {"collectives",
          [](const Row& row) { return collective_of(row).has_value(); },
          predict,
          {{"NCCL's own tuner", tuner}, {"3 us a step, data-sheet rate", alpha_beta}},
          {"collectives"}};
}

}  // namespace gpuvet::accuracy
