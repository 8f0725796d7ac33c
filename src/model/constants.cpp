// SPDX-License-Identifier: Apache-2.0
#include "model/constants.hpp"

#include <stdexcept>

namespace gpuvet::model {

Constants::Constants(const catalogue::Catalogue& catalogue) {
  for (const auto& model : catalogue.models)
    for (const auto& [name, constant] : model.constants)
      values_.emplace(model.id + "." + name, constant.value);
}

double Constants::at(std::string_view name) const {
  const auto found = values_.find(name);
  if (found == values_.end())
    throw std::out_of_range("data/models has no constant " + std::string(name));
  return found->second;
}

void Constants::set(std::string_view name, double value) {
  const auto found = values_.find(name);
  if (found == values_.end())
    throw std::out_of_range("data/models has no constant " + std::string(name));
  found->second = value;
}

}  // namespace gpuvet::model
