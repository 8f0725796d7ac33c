// SPDX-License-Identifier: Apache-2.0
#include "device/host/host.hpp"

namespace gpuvet::device {

Result<LitmusCounts> HostDevice::litmus(const LitmusSetup&, Device*) {
  return fail(Errc::not_supported, "no litmus tests on the host");
}

Result<double> HostDevice::latency(Device*, int) {
  return fail(Errc::not_supported, "no latency between host threads");
}

}  // namespace gpuvet::device
