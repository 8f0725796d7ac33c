// SPDX-License-Identifier: Apache-2.0
// 90 % intervals around estimates, from how far predictions were off on measurements that the model
// had not seen (split conformal, by family and by what was new to the model).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "catalogue/catalogue.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model {

struct Prediction {
  double value = 0, low = 0, high = 0;  ///< base units; low and high bound 90 %
  Transfer transfer = Transfer::same_gpu;
  std::vector<std::string> notes;
};

/// What of `setting` no measurement of the family had; the most far-reaching first: a new topology,
/// a new framework, a new GPU.
Transfer transfer_of(const catalogue::IntervalFamily&, const Setting& setting);

/// How many e-folds `size` lies outside the sizes known; 0 inside, or where the family has none.
double distance_of(const catalogue::IntervalFamily&, double size);

class Intervals {
 public:
  explicit Intervals(const catalogue::Catalogue&);

  /// Refuses a family without known measurements, and sizes too far from all that are known.
  [[nodiscard]] Answer<Prediction> around(const Estimate&) const;

 private:
  std::map<std::string, catalogue::IntervalFamily, std::less<>> families_;
};

}  // namespace gpuvet::model
