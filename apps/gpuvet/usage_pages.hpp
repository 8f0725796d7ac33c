// SPDX-License-Identifier: Apache-2.0
// How gpuvet is used, written by the commands' own declarations: man page and shell completions.
#pragma once

#include <string>

namespace gpuvet::app {

/// gpuvet(1), as roff for man.
std::string man_page();

/// A script that bash-completion loads.
std::string bash_completion();

/// A function for zsh's completion system.
std::string zsh_completion();

}  // namespace gpuvet::app
