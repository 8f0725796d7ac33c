// SPDX-License-Identifier: Apache-2.0
// Inside derive: one step a file, run in this order by derive.cpp. Each reads evidence and adds to
// it.
#pragma once

#include "derive/derive.hpp"

namespace gpuvet::derive {

void join_identities(Evidence&);
void name_adapters(Evidence&);  ///< PCI addresses of adapters become their device names
void recognise_skus(Evidence&, const catalogue::Catalogue&);
void understand_topology(Evidence&, const catalogue::Catalogue&);
void join_adapters(Evidence&);
void classify_xids(Evidence&, const catalogue::Catalogue&);
void analyse_thermal_logs(Evidence&, const Options&);
void compare_siblings(Evidence&);
void compare_rates(Evidence&);  ///< of links, measured
void count_parts(Evidence&);
void compare_parts(Evidence&);
void find_hidden_gpus(Evidence&);
void relate_host(Evidence&);
void find_contradictions(Evidence&);

/// Facts derived from `sources`: custody is the weakest among them, the source their first file.
Provenance derived_from(const std::vector<const Observation*>& sources);

/// Observations of `id`, in order.
std::vector<const Observation*> all_of(const Evidence&, Id);

/// gpus_listed(), in the tool's own order.
std::vector<std::string> gpus_of(const Evidence&);

/// The last present observation of `id` on `subject`.
const Observation* find(const Evidence&, Id, std::string_view subject);

bool is_gpu(std::string_view subject);

/// What firmware gives as serial number where nobody entered one: it is on thousands of machines.
bool is_placeholder(std::string_view serial);

/// "smi#0~smi#3" from the subjects of two GPUs.
std::string pair_name(std::string_view a, std::string_view b);

}  // namespace gpuvet::derive
