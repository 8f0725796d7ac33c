#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# format.sh ROOT: every C++ file is laid out as .clang-format says.
set -eu
command -v clang-format >/dev/null || { echo "clang-format is missing: skipped"; exit 77; }
cd "$1"
find src apps tests bench tools -name '*.[ch]pp' -print0 | xargs -0 -n 20 -P "$(nproc)" clang-format --dry-run -Werror
