// SPDX-License-Identifier: Apache-2.0
// SMBIOS tables as the kernel hands them out -> the text that dmidecode would print of them, for
// the structures that say something about a server: one importer reads both.
#pragma once

#include <string>
#include <string_view>

#include "core/result.hpp"

namespace gpuvet::collect {

/// Takes any bytes. A table that ends inside a structure is an error; what is newer than this code
/// is left out. Layout: DMTF DSP0134.
Result<std::string> smbios_text(std::string_view table);

}  // namespace gpuvet::collect
