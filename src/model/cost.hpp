// SPDX-License-Identifier: Apache-2.0
// What a server costs over its life and per useful result, with every input uncertain.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "model/cost_input.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model {

/// All that owning costs, for one server unless it says otherwise. Costs::usual() fills it with
/// assumptions that say so; a caller replaces what it knows better.
struct CostInputs {
  std::string offer;          ///< tells offers apart: prices of two offers are drawn independently
  int servers = 1, gpus = 8;  ///< servers; GPUs in each
  std::optional<Input<Usd>> price;  ///< nothing: only a break-even price can be said
  Input<Usd> options, network;      ///< bought with it: extras, adapters, share of switches
  Input<UsdPerSecond> support, space, staff;
  Input<Watts> busy_power, idle_power;  ///< at the wall
  Input<Ratio> pue;                     ///< building's power over the server's
  Input<UsdPerJoule> electricity;
  Input<Ratio> interest;       ///< per year, on what is not paid back yet
  Input<Ratio> kept_per_year;  ///< share of price and options that a year leaves for resale
  Input<Seconds> life;         ///< from delivery to resale
  Input<Ratio> utilisation;    ///< share of the hours it is up in which it does useful work
  Input<Ratio> availability;   ///< share of hours it is up
};

/// What the useful hours are for.
struct Work {
  enum class Per { job, million_tokens };
  Per per = Per::job;
  std::string definition;  ///< of the job: tokens, epochs, sequence, batch; or of the serving load
  /// Of all `servers` together: time of one job, or of a million tokens.
  Input<Seconds> time;
};

template <class Q>
struct Range {
  Q p10, p50, p90, mean;
};

struct CostResult {
  struct Part {
    std::string label;
    Range<Usd> usd;  ///< over the life, all servers; resale is negative
  };
  struct Share {
    std::string input;
    double of_variance = 0;  ///< of per_useful_hour, or of per_result where work was given
    Known known{};
    std::string source;
  };
  std::vector<Part> parts;  ///< sum to `total` in every draw, so their means do
  Range<Usd> total;
  Range<Usd> lost_to_downtime;           ///< part of total that was spent on hours of downtime
  Range<Seconds> useful_time;            ///< of one server
  Range<UsdPerSecond> per_useful_hour;   ///< of all servers together
  Range<UsdPerSecond> per_gpu_hour;      ///< useful
  std::optional<Range<Usd>> per_result;  ///< job or million tokens
  std::vector<Share> shares;             ///< the largest first
  double interactions = 0;               ///< share of variance that no single input explains
  std::vector<std::string> notes;        ///< implausible inputs, and what is not in it
};

class Costs {
 public:
  /// Assumptions from data/models/cost.toml and the electricity price of data/prices.toml. Throws
  /// std::out_of_range where those lack one.
  explicit Costs(const catalogue::Catalogue&, int draws = 10000, std::uint64_t seed = 1);

  /// Assumptions for a server of `gpus` GPUs whose wall power is known. No price, and 0 for
  /// options, network, support, space and staff, which results then say.
  [[nodiscard]] CostInputs usual(int gpus, Input<Watts> busy, Input<Watts> idle) const;

  /// Refuses without a price, and inputs that make no sense (a life of 0, low above high).
  [[nodiscard]] Answer<CostResult> cost(const CostInputs&, const Work* = nullptr) const;

  /// The price at which a useful GPU-hour costs `rent`; may be negative where running alone costs
  /// more than the rent.
  [[nodiscard]] Answer<Range<Usd>> break_even_price(const CostInputs&,
                                                    const Input<UsdPerSecond>& rent) const;
  /// Useful hours over the life above which owning is cheaper than renting the same GPUs.
  [[nodiscard]] Answer<Range<Seconds>> break_even_time(const CostInputs&,
                                                       const Input<UsdPerSecond>& rent) const;

  [[nodiscard]] int draws() const { return draws_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }

 private:
  int draws_;
  std::uint64_t seed_;
  Uncertain electricity_, pue_, interest_, kept_, life_, utilisation_, availability_;
};

/// From "58 % after 24 months" to the share that one year leaves.
Ratio kept_per_year(Ratio kept, Seconds age);

}  // namespace gpuvet::model
