// SPDX-License-Identifier: Apache-2.0
// What the world refused, and where. Everything that can be refused returns Result<T>; exceptions
// are left for broken invariants.
#pragma once

#include <cstddef>
#include <string>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace gpuvet {

/// Why an operation could not be done. Callers branch on this, never on the text.
enum class Errc {
  not_found,       ///< file, symbol, device or tool is absent here
  permission,      ///< present, but we may not read it
  not_supported,   ///< present, and says it cannot answer
  timeout,         ///< no answer in the time allowed
  malformed,       ///< answered with something we cannot parse
  too_large,       ///< more than the bound that keeps memory and time linear
  usage,           ///< the caller asked for something that makes no sense
  vendor_failure,  ///< a vendor call or a called program returned an error code
  cancelled,
};

/// The line of gpuvet's own source that raised the error. std::source_location would do, but
/// Clang 14 (our clang-tidy and libFuzzer) hides it with libstdc++ 12.
struct SourceLine {
  const char* file = "";
  int line = 0;
};

struct Error {
  Errc code{};
  std::string what;
  std::size_t input_line = 0;        ///< 1-based line of the input that was refused; 0: none
  std::vector<std::string> context;  ///< outermost last: "reading topo.txt", "folder evidence/"
  SourceLine where{};

  /// "evidence/topo.txt:12: matrix row has 7 cells, header has 8": context, line, then the reason.
  [[nodiscard]] std::string message() const;
};

template <class T>
using Result = tl::expected<T, Error>;

inline auto fail(Errc code, std::string what, std::size_t input_line = 0,
                 const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
  return tl::make_unexpected(Error{code, std::move(what), input_line, {}, {file, line}});
}

/// Adds a line of context on the way up; a no-op on success.
template <class T>
Result<T> in_context(Result<T> r, std::string line) {
  if (!r) r.error().context.push_back(std::move(line));
  return r;
}

}  // namespace gpuvet

#define GPUVET_CONCAT_IMPL(a, b) a##b
#define GPUVET_CONCAT(a, b) GPUVET_CONCAT_IMPL(a, b)
/// GPUVET_TRY(auto text, read_file(p));  returns the error to the caller, or binds the value.
#define GPUVET_TRY(decl, expr) GPUVET_TRY_IMPL(GPUVET_CONCAT(gpuvet_try_, __LINE__), decl, expr)
#define GPUVET_TRY_IMPL(tmp, decl, expr)                        \
  auto tmp = (expr);                                            \
  if (!tmp) return tl::make_unexpected(std::move(tmp).error()); \
  decl = std::move(*tmp)
/// GPUVET_CHECK(write_file(p, bytes));  the same for Result<void>.
#define GPUVET_CHECK(expr)                           \
  if (auto gpuvet_checked = (expr); !gpuvet_checked) \
  return tl::make_unexpected(std::move(gpuvet_checked).error())
