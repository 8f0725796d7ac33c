// SPDX-License-Identifier: Apache-2.0
// declared.toml: the form for what only documents say. The same questions make the empty form and
// read the answers.
#pragma once

#include <string>

namespace gpuvet::ingest {

/// The empty form, to be filled in by a vendor. Read back unchanged it declares nothing.
std::string declared_form();

}  // namespace gpuvet::ingest
