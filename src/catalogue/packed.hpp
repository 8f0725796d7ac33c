// SPDX-License-Identifier: Apache-2.0
// The built-in catalogue. data/*.toml is parsed while gpuvet is built and packed into bytes that
// unpack twenty times faster than TOML parses; a broken file breaks the build, with its line.
#pragma once

#include <string>
#include <string_view>

#include "catalogue/catalogue.hpp"

namespace gpuvet::catalogue {

/// All of `catalogue`. For a program built from the same sources only: no version, no byte order.
std::string pack(Catalogue catalogue);

/// What pack() was given, as far as `parts` asks for it. Throws when `packed` is not of pack().
Catalogue unpack(std::string_view packed, Parts parts = Parts::all);

/// data/ as it was when gpuvet was built, packed. Generated (cmake/Catalogue.cmake).
std::string_view packed_data();

inline Catalogue built_in(Parts parts = Parts::all) { return unpack(packed_data(), parts); }

}  // namespace gpuvet::catalogue
