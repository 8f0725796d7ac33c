// SPDX-License-Identifier: Apache-2.0
// The two forms that dcgmi diag prints.
#pragma once

#include "core/bytes.hpp"
#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

/// The table that people see.
Result<void> read_diag_table(ByteSource& source, Recorder& out);

/// What `dcgmi diag -j` prints.
Result<void> read_diag_json(ByteSource& source, Recorder& out);

}  // namespace gpuvet::ingest
