// SPDX-License-Identifier: Apache-2.0
// A GPU as the models see it: data-sheet figures with their dimensions.
#pragma once

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "core/quantity.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model {

enum class Precision { fp64, fp32, tf32, fp16, bf16, fp8, int8 };

std::string_view name(Precision);
/// Bytes of one element.
Bytes element(Precision);

struct Gpu {
  std::string id;            ///< in the catalogue
  std::string architecture;  ///< "Ampere", "Hopper", ...
  int sm = 0;                ///< streaming multiprocessors
  Hertz clock;               ///< highest SM clock
  Bytes memory;
  BytesPerSecond memory_bandwidth;
  std::array<FlopPerSecond, 7>
      dense;              ///< by Precision, tensor cores where it has them; 0: lacks it
  int nvlink_links = 0;   ///< 0: none
  BytesPerSecond nvlink;  ///< all links together, one way
  BytesPerSecond pcie;    ///< one way, as the slot carries it before protocol overhead
  Watts power;            ///< board power
  bool module = false;    ///< SXM: its NVLinks are built in
  bool gddr = false;      ///< graphics memory instead of stacked (HBM)
  std::vector<std::string> unverified;  ///< figures above that the catalogue could not verify

  [[nodiscard]] FlopPerSecond peak(Precision p) const { return dense[static_cast<std::size_t>(p)]; }
};

/// Refuses a GPU whose catalogue entry lacks what every model needs: memory, its bandwidth, SMs.
Answer<Gpu> gpu_from(const catalogue::Gpu&);

/// One way, from generation and lanes: 16 lanes of generation 4 are 31.5 GB/s.
BytesPerSecond pcie_bandwidth(int generation, int lanes);

}  // namespace gpuvet::model
