// SPDX-License-Identifier: Apache-2.0
// Output of nccl-tests and rccl-tests, as it comes out of consoles, schedulers and READMEs:
// prefixed, interleaved, elided; or the JSON that -J writes. A run is one table; runs that measure
// the same thing join into one series.
#include <algorithm>
#include <array>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nccl_tests_json.hpp"
#include "ingest/nccl_tests_parser.hpp"

namespace gpuvet::ingest {
namespace {

/// A source whose first bytes were looked at.
class PeekedSource final : public ByteSource {
 public:
  explicit PeekedSource(ByteSource& source) : source_{source} {}

  /// Whether the first character that is no blank is `wanted`; looks at some bytes only.
  Result<bool> starts_with(char wanted) {
    while (size_ < bytes_.size()) {
      GPUVET_TRY(const std::size_t got, source_.read(bytes_.data() + size_, bytes_.size() - size_));
      size_ += got;
      if (got == 0) break;
    }
    const auto text = trim({bytes_.data(), size_});
    return !text.empty() && text.front() == wanted;
  }

  Result<std::size_t> read(char* to, std::size_t room) override {
    if (at_ == size_) return source_.read(to, room);
    const std::size_t n = std::min(room, size_ - at_);
    std::copy_n(bytes_.data() + at_, n, to);
    at_ += n;
    return n;
  }

 private:
  ByteSource& source_;
  std::array<char, 256> bytes_{};
  std::size_t size_ = 0, at_ = 0;
};

bool recognises(std::string_view head) {
  if (nccl::is_json(head)) return true;
  std::string storage;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const std::string_view line = nccl::plain(head.substr(0, end), storage);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (contains(line, "Collective test starting:")) return true;
    if (contains(line, ": Test NCCL failure ") || contains(line, ": Test CUDA failure "))
      return true;
    if (contains(line, "nThread ") && contains(line, " nGpus ") && contains(line, " minBytes "))
      return true;
    // Other benchmarks print algbw and busbw too: only size, count, type make it this table.
    if (contains(line, "busbw") && !nccl::layout_of(words(line)).empty()) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  PeekedSource peeked{source};
  GPUVET_TRY(const bool json, peeked.starts_with('{'));
  if (json) {
    GPUVET_TRY(const std::string text, read_all(peeked, nccl::largest_json));
    return nccl::read_json(text, out);
  }
  LineReader lines{peeked};
  nccl::Parser parser;
  std::string storage;
  while (const auto line = lines.next())
    GPUVET_CHECK(parser.line(nccl::plain(*line, storage), lines.line()));
  if (lines.error()) return tl::make_unexpected(*lines.error());
  return parser.record(out);
}

}  // namespace

Importer nccl_tests() {
  return {.kind = "nccl_tests",
          .title = "nccl-tests",
          .obtain = "all_reduce_perf -b 8 -e 16G -f 2 -g <GPUs>",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
