// SPDX-License-Identifier: Apache-2.0
#include "model/gpu.hpp"

#include <algorithm>
#include <optional>

#include "core/result.hpp"

namespace gpuvet::model {
namespace {

constexpr std::array<std::string_view, 7> precision_names = {"fp64", "fp32", "tf32", "fp16",
                                                             "bf16", "fp8",  "int8"};

double field(const catalogue::Gpu& gpu, std::string_view name) {
  const auto found = gpu.fields.find(name);
  return found == gpu.fields.end() ? 0 : found->second.value;
}

}  // namespace

std::string_view name(Precision p) { return precision_names[static_cast<std::size_t>(p)]; }

std::string_view name(Transfer t) {
  constexpr std::array<std::string_view, 4> names = {"same GPU", "new GPU", "new framework",
                                                     "new topology"};
  return names[static_cast<std::size_t>(t)];
}

Bytes element(Precision p) {
  constexpr std::array<double, 7> bytes = {8, 4, 4, 2, 2, 1, 1};
  return Bytes::base(bytes[static_cast<std::size_t>(p)]);
}

BytesPerSecond pcie_bandwidth(int generation, int lanes) {
  // GT/s per lane; generations 1 and 2 send 10 bits a byte, 3 to 5 130 bits for 128.
  constexpr std::array<double, 7> rate = {0, 2.5, 5, 8, 16, 32, 64};
  if (generation < 1 || generation > 6) return {};
  const double coding = generation < 3 ? 0.8 : 128.0 / 130;
  return BytesPerSecond::base(rate[static_cast<std::size_t>(generation)] * 1e9 / 8 * coding *
                              lanes);
}

Answer<Gpu> gpu_from(const catalogue::Gpu& in) {
  Gpu out;
  out.id = in.id;
  out.architecture = in.architecture;
  out.sm = static_cast<int>(field(in, "sm"));
  const double clock = std::max(field(in, "boost_clock"), field(in, "max_sm_clock"));
  out.clock = Hertz::base(clock);
  out.memory = Bytes::base(field(in, "memory"));
  out.memory_bandwidth = BytesPerSecond::base(field(in, "memory_bandwidth"));
  for (std::size_t p = 0; p < precision_names.size(); ++p)
    out.dense[p] = FlopPerSecond::base(field(in, precision_names[p]));
  auto& fp64 = out.dense[static_cast<std::size_t>(Precision::fp64)];
  fp64 = std::max(fp64, FlopPerSecond::base(field(in, "fp64_tensor")));
  out.nvlink_links = static_cast<int>(field(in, "nvlink_links"));
  out.nvlink = BytesPerSecond::base(field(in, "nvlink_bandwidth") / 2);  // sheets count both ways
  out.pcie = pcie_bandwidth(static_cast<int>(field(in, "pcie_generation")),
                            static_cast<int>(field(in, "pcie_width")));
  out.power = Watts::base(field(in, "tdp"));
  out.module = in.nvlink_attach == "module";
  const auto memory_type = in.texts.find("memory_type");
  out.gddr = memory_type != in.texts.end() && memory_type->second.starts_with("GDDR");
  out.unverified = in.unverified;
  if (out.sm == 0) return refuse(in.title + ": the catalogue does not know its SM count");
  if (out.memory.base() <= 0) return refuse(in.title + ": the catalogue does not know its memory");
  if (out.memory_bandwidth.base() <= 0)
    return refuse(in.title + ": the catalogue does not know its memory bandwidth");
  return out;
}

}  // namespace gpuvet::model
