// SPDX-License-Identifier: Apache-2.0
#include "evidence/lines.hpp"

#include "evidence/json.hpp"

namespace gpuvet {

std::string to_line(const Observation& o) {
  return to_json(o).dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Observation> observation_in(std::string_view line) {
  GPUVET_TRY(const auto json, parse_json(line));
  return observation_from(json);
}

}  // namespace gpuvet
