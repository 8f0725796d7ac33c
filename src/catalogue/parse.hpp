// SPDX-License-Identifier: Apache-2.0
// Inside the catalogue: one parser per kind of data file.
#pragma once

#include <string>

#include "catalogue/catalogue.hpp"
#include "catalogue/toml_reader.hpp"

namespace gpuvet::catalogue {

void parse_groups(TomlReader& in, Catalogue& out);
void parse_criteria(TomlReader& in, const std::string& file, Catalogue& out);
void parse_workload(TomlReader& in, Catalogue& out);
void parse_gpu(TomlReader& in, Catalogue& out);
void parse_server(TomlReader& in, Catalogue& out);
void parse_xids(TomlReader& in, Catalogue& out);
void parse_sxids(TomlReader& in, Catalogue& out);
void parse_claims(TomlReader& in, Catalogue& out);

}  // namespace gpuvet::catalogue
