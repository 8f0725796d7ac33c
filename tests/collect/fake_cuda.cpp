// SPDX-License-Identifier: Apache-2.0
// What a test opens in place of NVIDIA's libraries: each answers as its own would, and one dies.
#include <csignal>
#include <cstddef>

extern "C" {
int cudaRuntimeGetVersion(int* version) {
  *version = 12040;
  return 0;
}
int ncclGetVersion(int* version) {
  *version = 22005;
  return 0;
}
std::size_t cublasLtGetVersion() { return 120401; }
std::size_t cudnnGetVersion() {
  std::raise(SIGKILL);
  return 0;
}
}
