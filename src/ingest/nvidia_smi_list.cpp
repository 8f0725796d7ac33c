// SPDX-License-Identifier: Apache-2.0
// The heading lines of nvidia-smi's lists. People blank out UUIDs: those name nobody.
#include "ingest/nvidia_smi_list.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "core/text.hpp"
#include "ingest/nvidia_smi_fields.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t longest_name = 120;
constexpr std::int64_t highest_index = 99'999;

/// "0" and "NVIDIA H100 80GB HBM3 (UUID: GPU-…)" of "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-…)".
std::optional<std::pair<std::size_t, std::string_view>> cut(std::string_view line) {
  line = trim(line);
  if (!line.starts_with("GPU ")) return {};
  const auto colon = line.find(':');
  if (colon == line.npos || colon + 1 == line.size() || line[colon + 1] != ' ') return {};
  const auto index = parse_integer(line.substr(4, colon - 4));
  if (!index || *index < 0 || *index > highest_index) return {};
  return std::pair{static_cast<std::size_t>(*index), trim(line.substr(colon + 1))};
}

}  // namespace

bool is_gpu_line(std::string_view line) { return cut(line).has_value(); }

Result<std::optional<ListedGpu>> read_gpu_line(std::string_view line, std::size_t number) {
  const auto parts = cut(line);
  if (!parts) return std::nullopt;
  ListedGpu out{parts->first, {}, {}, number};
  const std::string_view rest = parts->second;
  const auto bracket = rest.find(" (UUID: ");
  if (bracket == rest.npos) {
    // Old drivers print no UUID; a name that breaks off in front of one can't be told from that.
    if (contains(rest, " (")) return fail(Errc::malformed, "the line of a GPU breaks off", number);
    return out;
  }
  if (rest.back() != ')') return fail(Errc::malformed, "the line of a GPU breaks off", number);
  const auto name = rest.substr(0, bracket);
  if (name.size() > longest_name)
    return fail(Errc::malformed, "the name of a GPU is longer than 120 characters", number);
  out.name = printable(name);
  const auto uuid = rest.substr(bracket + 8, rest.size() - bracket - 9);
  if (usable_uuid(uuid)) out.uuid = std::string(uuid);
  return out;
}

Result<std::size_t> GpuList::add(ListedGpu gpu) {
  const auto known =
      std::ranges::find_if(gpus_, [&](const ListedGpu& g) { return g.index == gpu.index; });
  if (known != gpus_.end()) {
    if (known->name != gpu.name || known->uuid != gpu.uuid)
      return fail(Errc::malformed,
                  fmt::format("GPU {} is another one than in line {}: give one machine a file",
                              gpu.index, known->line),
                  gpu.line);
    return static_cast<std::size_t>(known - gpus_.begin());
  }
  if (gpus_.size() == most) return fail(Errc::too_large, "more than 1024 GPUs", gpu.line);
  gpus_.push_back(std::move(gpu));
  return gpus_.size() - 1;
}

bool GpuList::alone(std::size_t i) const {
  return std::ranges::count(gpus_, gpus_[i].uuid, &ListedGpu::uuid) == 1;
}

std::string GpuList::subject(std::size_t i) const {
  GpuNames names{{}, {}, gpus_[i].index};
  if (alone(i)) names.uuid = gpus_[i].uuid;
  return gpu_subject(names);
}

bool GpuList::complete() const {
  for (std::size_t i = 0; i < gpus_.size(); ++i)
    if (gpus_[i].index != i) return false;
  return true;
}

void GpuList::record(Recorder& out) const {
  const bool all = complete();
  for (std::size_t i = 0; i < gpus_.size(); ++i) {
    const ListedGpu& gpu = gpus_[i];
    const std::string who = subject(i);
    out.line(gpu.line);
    if (all) out.number("gpu.index"_id, who, static_cast<double>(gpu.index));
    if (!gpu.name.empty()) out.text("gpu.name"_id, who, gpu.name);
    if (gpu.uuid.empty()) continue;
    if (alone(i))
      out.text("gpu.uuid"_id, who, gpu.uuid);
    else
      out.absent("gpu.uuid"_id, who, Absence::malformed, "shared with another GPU: " + gpu.uuid);
  }
}

}  // namespace gpuvet::ingest
