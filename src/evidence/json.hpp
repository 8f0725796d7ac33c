// SPDX-License-Identifier: Apache-2.0
// Observations and tables as JSON: the one spelling that bundles and verdicts share.
#pragma once

#include <nlohmann/json.hpp>
#include <string_view>

#include "core/result.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet {

using Json = nlohmann::ordered_json;

Json to_json(const Value&);
Json to_json(const Where&);
Json to_json(const Provenance&, std::size_t line);
Json to_json(const Observation&);
Json to_json(const Table&);

/// The inverse of to_json(). The error names the member that is wrong.
Result<Observation> observation_from(const Json&);
Result<Table> table_from(const Json&);

/// One document, indented, ending with a newline; bytes that are no UTF-8 are replaced.
std::string dump(const Json&);

/// Parses `text`; an error carries the line.
Result<Json> parse_json(std::string_view text);

}  // namespace gpuvet
