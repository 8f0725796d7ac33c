// SPDX-License-Identifier: Apache-2.0
// Our order of servers beside the article's: where they differ, why, and who says so.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "evidence/json.hpp"

namespace gpuvet::app {

/// One server in our order; the least value is the best.
struct OurPlace {
  std::string name, server;
  double value = 0, low = 0, high = 0;  ///< with its interval
  std::string shown;
};

/// Two servers that the article has the other way round, or that it tells apart and we do not.
struct OrderDifference {
  const OurPlace *articles_better = nullptr, *articles_worse = nullptr;
  std::string article;  ///< "5.1 h before 6.9 h"
  bool equal = false;   ///< ours are the same within half a per cent
  bool sure = false;    ///< our intervals do not touch
  std::string why;      ///< what is known about these two
  std::string model;    ///< which part of the predicted time makes the difference
  std::vector<std::string> claims;
};

struct OrderComparison {
  const catalogue::ArticleOrder* order = nullptr;
  std::vector<OrderDifference> differences;
  std::size_t pairs = 0;  ///< that both orders hold
};

/// What the models say of two offers, the better one first; by name.
using Reason = std::function<std::string(const std::string&, const std::string&)>;

/// `ours` outlives the result. Servers that stand in one order only say nothing.
OrderComparison against_article(const catalogue::ArticleOrder& order,
                                const std::vector<OurPlace>& ours, const Reason& reason);

std::string text_of(const OrderComparison&, const catalogue::Catalogue&, std::size_t width);
Json to_json(const OrderComparison&, const catalogue::Catalogue&);

}  // namespace gpuvet::app
