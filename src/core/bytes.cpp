// SPDX-License-Identifier: Apache-2.0
#include "core/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace gpuvet {

Result<std::size_t> MemorySource::read(char* to, std::size_t room) {
  const std::size_t n = std::min(room, rest_.size());
  std::copy_n(rest_.begin(), n, to);
  rest_.remove_prefix(n);
  return n;
}

Result<std::string> read_all(ByteSource& source, std::size_t limit) {
  constexpr std::size_t step = std::size_t{1} << 16;
  std::string out;
  for (;;) {
    const std::size_t had = out.size();
    out.resize(had + step);
    GPUVET_TRY(const std::size_t n, source.read(out.data() + had, step));
    out.resize(had + n);
    if (n == 0) return out;
    if (out.size() > limit)
      return fail(Errc::too_large, "larger than " + std::to_string(limit >> 20) + " MiB");
  }
}

LineReader::LineReader(ByteSource& source)
    : source_{source}, buffer_{std::make_unique_for_overwrite<char[]>(capacity)} {}

bool LineReader::refill() {
  if (finished_ || error_) return false;
  if (begin_ > 0) {
    std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
    end_ -= begin_;
    scanned_ -= begin_;
    if (nul_ != no_nul) nul_ -= begin_;
    begin_ = 0;
  }
  if (end_ == capacity) {
    error_ = Error{Errc::too_large, "line is longer than 1 MiB", line_ + 1, {}, {}};
    return false;
  }
  char* const to = buffer_.get() + end_;
  auto n = source_.read(to, std::min(piece, capacity - end_));
  if (!n) {
    error_ = std::move(n).error();
    return false;
  }
  finished_ = *n == 0;
  const void* const nul = *n == 0 ? nullptr : std::memchr(to, 0, *n);
  if (nul != nullptr)  // no line behind it will be asked for
    nul_ = std::min(nul_, static_cast<std::size_t>(static_cast<const char*>(nul) - buffer_.get()));
  end_ += *n;
  return true;
}

std::optional<std::string_view> LineReader::next() {
  if (error_) return {};
  for (;;) {
    const char* const from = buffer_.get() + scanned_;
    const void* const found = end_ > scanned_ ? std::memchr(from, '\n', end_ - scanned_) : nullptr;
    if (found == nullptr) {
      scanned_ = end_;
      if (refill()) continue;
      if (error_ || begin_ == end_) return {};
    }
    const std::size_t stop =
        found == nullptr
            ? end_
            : static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.get());
    std::string_view line(buffer_.get() + begin_, stop - begin_);
    begin_ = scanned_ = found == nullptr ? end_ : stop + 1;
    ++line_;
    if (nul_ < stop) {
      error_ = Error{Errc::malformed,
                     "line holds a NUL byte: a binary or UTF-16 file, not text",
                     line_,
                     {},
                     {}};
      return {};
    }
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    return line;
  }
}

}  // namespace gpuvet
