// SPDX-License-Identifier: Apache-2.0
// The numbers that models rest on, by "<model>.<name>", from data/models. A model reads its own
// once, when it is built, so that predicting looks nothing up.
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "catalogue/catalogue.hpp"

namespace gpuvet::model {

class Constants {
 public:
  explicit Constants(const catalogue::Catalogue&);

  /// Throws std::out_of_range naming the constant: a model asked for what its data file lacks.
  [[nodiscard]] double at(std::string_view name) const;
  [[nodiscard]] bool has(std::string_view name) const { return values_.contains(name); }

  /// For fitting: another value for a constant that exists.
  void set(std::string_view name, double value);

 private:
  std::map<std::string, double, std::less<>> values_;
};

}  // namespace gpuvet::model
