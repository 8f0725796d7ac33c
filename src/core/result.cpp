// SPDX-License-Identifier: Apache-2.0
#include "core/result.hpp"

namespace gpuvet {

std::string Error::message() const {
  std::string out;
  for (auto it = context.rbegin(); it != context.rend(); ++it) {
    if (!out.empty()) out += ": ";
    out += *it;
  }
  if (input_line > 0) out += (out.empty() ? "line " : ":") + std::to_string(input_line);
  if (!out.empty()) out += ": ";
  return out + what;
}

}  // namespace gpuvet
