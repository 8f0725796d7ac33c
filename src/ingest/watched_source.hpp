// SPDX-License-Identifier: Apache-2.0
// Formats without an end marker: whether the last line is whole.
#pragma once

#include "core/bytes.hpp"

namespace gpuvet::ingest {

/// Passes bytes on and remembers the last: a file that ends inside a line was cut.
class WatchedSource final : public ByteSource {
 public:
  explicit WatchedSource(ByteSource& source) : source_{source} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    auto got = source_.read(to, room);
    if (got && *got > 0) last_ = to[*got - 1];
    return got;
  }
  [[nodiscard]] bool ends_inside_line() const { return last_ != '\n'; }

 private:
  ByteSource& source_;
  char last_ = '\n';
};

}  // namespace gpuvet::ingest
