// SPDX-License-Identifier: Apache-2.0
// Predictions and costs, for people and as JSON.
#pragma once

#include <string>
#include <vector>

#include "evidence/json.hpp"
#include "model/cost.hpp"
#include "model/cost_ranking.hpp"
#include "model/outlook.hpp"

namespace gpuvet::app {

Json to_json(const model::Outlook&);
Json to_json(const model::CostResult&);
Json to_json(const model::Ranking&);
Json to_json(const model::Machine&);

/// "9.9 h (8.1 to 12.0)"
std::string format(const model::Prediction&, Unit);
/// "USD 12,300 (9,100 to 17,000)": p50 (p10 to p90).
std::string format(const model::Range<Usd>&);
/// USD an hour from USD a second.
std::string format_hourly(const model::Range<model::UsdPerSecond>&);
/// "12,345.67"
std::string format_usd(double usd);

/// Where an input turns an order, as people write it: "3.45 h", "USD 0.21/kWh", "62 % a year".
std::string format(const model::Ranking::Flip&);

/// `text` wrapped for the room right of a label: lines after the first begin `indent` columns in.
std::string beside(std::string_view text, std::size_t width, std::size_t indent);

/// A line that starts with `label` and goes on below its end where `text` is long.
std::string item(const std::string& label, std::string_view text, std::size_t width);

/// A paragraph for one workload on one machine.
std::string paragraph(const model::Outlook&, std::size_t width);

/// Prints `document` to `file` ("-": standard output).
Result<void> write_json(const std::string& file, const Json& document);

}  // namespace gpuvet::app
