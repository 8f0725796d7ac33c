// SPDX-License-Identifier: Apache-2.0
// What a user names as a server that needs not exist: a catalogue's model, an offer file, evidence,
// or GPUs by kind and count.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "catalogue/offer.hpp"
#include "gpuvet/commands.hpp"
#include "model/machine.hpp"

namespace gpuvet::app {

/// A machine and, where it came from an offer, the offer.
struct NamedMachine {
  model::Machine machine;
  std::optional<catalogue::Offer> offer;
};

/// `target` is an offer.toml, a server of the catalogue ("dgx-a100-80"), GPUs
/// ("a100-pcie-80gb:8", "h100-sxm5-80gb:8:nvswitch"), or files and folders of evidence. The error
/// says what it could have been.
Result<NamedMachine> machine_named(const std::string& target, const catalogue::Catalogue&);

/// Workloads by id, or the user's own file. The error names what is unknown.
Result<std::vector<catalogue::Workload>> workloads_named(const std::vector<std::string>& names,
                                                         const catalogue::Catalogue&);

/// "key=value" pairs of --what-if. Every command takes those it knows; finish() refuses the rest.
class WhatIf {
 public:
  static Result<WhatIf> parse(const std::vector<std::string>& pairs);

  /// The number for `key`, with a unit or without, in base units.
  Result<std::optional<double>> number(const std::string& key, const std::string& help);
  std::optional<std::string> text(const std::string& key, const std::string& help);
  /// Refuses keys that nobody asked for, with all that were.
  Result<void> finish() const;

 private:
  std::map<std::string, std::string> given_;
  std::map<std::string, std::string> known_;  ///< key -> help
};

/// Changes that a user wants tried on every machine and workload.
Result<void> apply(WhatIf&, NamedMachine&, const catalogue::Catalogue&);
Result<void> apply(WhatIf&, catalogue::Workload&);

}  // namespace gpuvet::app
