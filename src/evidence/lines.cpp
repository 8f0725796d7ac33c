// SPDX-License-Identifier: Apache-2.0
#include "evidence/lines.hpp"

#include "evidence/json.hpp"

namespace gpuvet {

namespace {

std::string one_line(const Json& j) {
  return j.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace

std::string to_line(const Observation& o) { return one_line(to_json(o)); }

std::string to_line(const Table& t) { return one_line(to_json(t)); }

Result<Table> table_in(std::string_view line) {
  GPUVET_TRY(const auto json, parse_json(line));
  return table_from(json);
}

Result<Observation> observation_in(std::string_view line) {
  GPUVET_TRY(const auto json, parse_json(line));
  return observation_from(json);
}

}  // namespace gpuvet
