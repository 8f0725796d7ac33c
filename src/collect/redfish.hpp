// SPDX-License-Identifier: Apache-2.0
// Inside collect: what of a controller's answers is safe to go on with.
#pragma once

#include <string_view>

namespace gpuvet::collect {

/// Whether `path` is one of the service's own and tells about the server: no other host, no way
/// out of /redfish/v1/, no accounts, sessions, actions.
bool is_redfish_path(std::string_view path);

/// Whether no more than 64 brackets are open at once: deeper documents are nobody's.
bool is_shallow_json(std::string_view text);

}  // namespace gpuvet::collect
