// SPDX-License-Identifier: Apache-2.0
// Tables of dcgmi are drawn with bars, dashes and fixed widths; texts may hold bars of their own.
#include "ingest/dcgm_text.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::ingest {

std::string dcgm_gpu(std::size_t id) { return "gpu:dcgm#" + std::to_string(id); }

std::optional<std::size_t> dcgm_gpu_id(std::string_view text) {
  text = trim(text);
  if (text.starts_with("GPU")) text = trim(text.substr(3));
  if (text.starts_with("ID:")) text = trim(text.substr(3));
  const auto id = parse_integer(text);
  if (!id || *id < 0 || *id >= 1024) return {};
  return static_cast<std::size_t>(*id);
}

std::optional<DcgmRow> dcgm_row(std::string_view line) {
  line = trim(line);
  if (line.size() < 3 || line.front() != '|' || line.back() != '|') return {};
  const auto bar = line.find('|', 1);
  if (bar == line.size() - 1) return {};
  return DcgmRow{line.substr(1, bar - 1), line.substr(bar + 1, line.size() - bar - 2)};
}

bool is_dcgm_border(std::string_view line) {
  line = trim(line);
  return line.starts_with("+-") && line.find_first_not_of("+-") == line.npos;
}

std::string dcgm_words(std::string_view text, std::size_t longest) {
  text = trim(text);
  if (text.size() <= longest) return printable(text);
  // Not in the middle of a character, which printable() would show as \xNN.
  while (longest > 0 && (static_cast<unsigned char>(text[longest]) & 0xC0) == 0x80) --longest;
  return printable(text.substr(0, longest)) + " ...";
}

Result<void> check_dcgm_error(std::string_view line, std::size_t number) {
  line = trim(line);
  if (!line.starts_with("Error:") && !line.starts_with("Error ")) return {};
  return fail(Errc::not_supported,
              "dcgmi printed an error instead of an answer: " + dcgm_words(line, 160) +
                  "; start nv-hostengine and run it again as root",
              number);
}

}  // namespace gpuvet::ingest
