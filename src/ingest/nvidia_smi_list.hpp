// SPDX-License-Identifier: Apache-2.0
// "GPU 0: NVIDIA H100 80GB HBM3 (UUID: GPU-…)": how nvidia-smi heads what it says about a GPU in
// -L, nvlink and c2c, and who these GPUs are once the whole file is known.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

struct ListedGpu {
  std::size_t index = 0;
  std::string name;  ///< empty: the line ends before it is whole
  std::string uuid;  ///< empty: none, or unusable (blanked out)
  std::size_t line = 0;
};

/// Whether `line` has the shape of such a line, whole or not.
bool is_gpu_line(std::string_view line);

/// Nothing when it isn't such a line; an error when it is one that breaks off.
Result<std::optional<ListedGpu>> read_gpu_line(std::string_view line, std::size_t number);

/// The GPUs of one file by ordinal, each once however often it is named.
class GpuList {
 public:
  static constexpr std::size_t most = 1024;

  /// Position of `gpu`; an error when its ordinal stood for another GPU before.
  Result<std::size_t> add(ListedGpu gpu);

  [[nodiscard]] std::size_t size() const { return gpus_.size(); }
  [[nodiscard]] const ListedGpu& operator[](std::size_t i) const { return gpus_[i]; }
  [[nodiscard]] std::string subject(std::size_t i) const;

  /// Ordinals are 0, 1, 2, …: all GPUs that the driver sees, not one that was asked for by number.
  [[nodiscard]] bool complete() const;

  /// gpu.name, gpu.uuid, and gpu.index if complete: the ordinal of a lone GPU 7 makes no inventory.
  void record(Recorder& out) const;

 private:
  [[nodiscard]] bool alone(std::size_t i) const;

  std::vector<ListedGpu> gpus_;
};

}  // namespace gpuvet::ingest
