// SPDX-License-Identifier: Apache-2.0
// Precompiled for every room: headers that never change and that most files use.
#pragma once

#include <algorithm>
#include <fmt/format.h>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <variant>
#include <vector>
