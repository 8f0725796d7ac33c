// SPDX-License-Identifier: Apache-2.0
#include "device/host/simd/kernels.hpp"

namespace gpuvet::device::host::simd {

extern const Kernels baseline, avx2, avx512;

Set all() {
  Set out{{&baseline}, 1};
  // What the flags of cmake/Device.cmake let the compiler use, not only what the kernels ask for.
  const auto has_avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
                        __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
  if (!has_avx2) return out;
  out.kernels[out.count++] = &avx2;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
      __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512cd"))
    out.kernels[out.count++] = &avx512;
  return out;
}

const Kernels& best() {
  static const Set found = all();
  return *found.kernels[found.count - 1];
}

}  // namespace gpuvet::device::host::simd
