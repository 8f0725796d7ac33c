// SPDX-License-Identifier: Apache-2.0
// data/verified.toml: on which hardware each probe ran.
#include "catalogue/parse.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

/// "2026-11-28".
bool is_date(std::string_view text) {
  const auto parts = split(text, '-');
  if (parts.size() != 3 || parts[0].size() != 4 || parts[1].size() != 2 || parts[2].size() != 2)
    return false;
  for (const auto part : parts)
    if (leading_digits(part) != part.size()) return false;
  const auto month = parse_integer(parts[1]).value_or(0), day = parse_integer(parts[2]).value_or(0);
  return month >= 1 && month <= 12 && day >= 1 && day <= 31;
}

}  // namespace

void parse_verified(TomlReader& in, Catalogue& out) {
  in.each_table("verified", [&](TomlReader& t) {
    Verified v;
    v.probe = t.text("probe");
    v.gpu = t.text("gpu");
    v.gpus = t.integer("gpus");
    v.driver = t.text("driver");
    v.date = t.text("date");
    v.measurements = t.text_or("measurements", "");
    if (v.gpus < 0 || (v.gpus == 0) != (v.gpu == "none"))
      t.refuse("gpus", "is 0 where gpu is none, and only there");
    if (!is_date(v.date)) t.refuse("date", "is written as 2026-11-28");
    out.verified.push_back(std::move(v));
  });
}

const Verified* Catalogue::verified_on(std::string_view probe, int least_gpus) const {
  const Verified* best = nullptr;
  for (const auto& v : verified)
    if (v.probe == probe && v.gpus >= least_gpus && (best == nullptr || v.date > best->date))
      best = &v;
  return best;
}

}  // namespace gpuvet::catalogue
