// SPDX-License-Identifier: Apache-2.0
#include "device/host/host.hpp"

namespace gpuvet::device {

std::vector<Precision> HostDevice::precisions(MatrixEngine) const { return {}; }

Result<void> HostStream::fill_matrix(Range, Precision, Values, std::uint64_t) {
  return fail(Errc::not_supported, "no matrices on the host");
}

Result<void> HostStream::multiply(const Product&) {
  return fail(Errc::not_supported, "no matrices on the host");
}

Result<void> HostStream::verify(const Product&, std::uint64_t, ProductCheck&) {
  return fail(Errc::not_supported, "no matrices on the host");
}

}  // namespace gpuvet::device
