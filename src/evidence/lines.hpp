// SPDX-License-Identifier: Apache-2.0
// Evidence as lines, one observation each: what a writer left behind before it was stopped can be
// read up to the last whole line.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet {

/// One observation as JSON and a line feed.
std::string to_line(const Observation&);

/// The inverse, without the line feed.
Result<Observation> observation_in(std::string_view line);

/// A table likewise.
std::string to_line(const Table&);
Result<Table> table_in(std::string_view line);

}  // namespace gpuvet
