// SPDX-License-Identifier: Apache-2.0
// The report that nccl-tests writes beside its table when it is asked to (-J file).
#pragma once

#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest::nccl {

constexpr std::size_t largest_json = std::size_t{32} << 20;

bool is_json(std::string_view head);

Result<void> read_json(std::string_view text, Recorder& out);

}  // namespace gpuvet::ingest::nccl
