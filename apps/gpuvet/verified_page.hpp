// SPDX-License-Identifier: Apache-2.0
// On which hardware the probes ran.
#pragma once

#include <string>

#include "catalogue/catalogue.hpp"
#include "probe/probe.hpp"

namespace gpuvet::app {

/// "NVIDIA H100 80GB HBM3, driver 570.124.06, 2026-11-28" or "unverified on hardware".
std::string verified_words(const catalogue::Catalogue& catalogue, const probe::Probe& probe);

/// docs/verified-on.md.
std::string verified_page(const catalogue::Catalogue& catalogue);

}  // namespace gpuvet::app
