// SPDX-License-Identifier: Apache-2.0
// What CUDA's calls said, as errors that tell the operator what to do.
#pragma once

#include <string_view>

#include "core/result.hpp"

namespace gpuvet::device::cuda {

/// `status` is a cudaError_t.
Error error_of(int status, std::string_view what);

/// Nothing where `status` is cudaSuccess. Forgets an error that a later call would report again.
Result<void> said(int status, std::string_view what);

}  // namespace gpuvet::device::cuda
