// SPDX-License-Identifier: Apache-2.0
// `dcgmi diag -r N`: NVIDIA's own acceptance test, as the table that people see or as JSON (-j).
#include "core/text.hpp"
#include "ingest/dcgm_diag_forms.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::ingest {

Importer dcgm_diag();

namespace {

bool has_json(std::string_view head) {
  return contains(head, "\"DCGM GPU Diagnostic\"") || contains(head, "\"DCGM Diagnostic\"");
}

bool has_table(std::string_view head) {
  if (contains(head, "Successfully ran diagnostic for group")) return true;
  const auto title = head.find("| Diagnostic ");
  if (title == head.npos) return false;
  const auto line = head.substr(title, std::min<std::size_t>(head.find('\n', title) - title, 256));
  return contains(line, "| Result ");
}

bool recognises(std::string_view head) { return has_json(head) || has_table(head); }

/// Puts back what was looked at.
class Rest final : public ByteSource {
 public:
  Rest(std::string head, ByteSource& rest) : head_{std::move(head)}, rest_{rest} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    if (at_ == head_.size()) return rest_.read(to, room);
    const std::size_t n = head_.copy(to, room, at_);
    at_ += n;
    return n;
  }

 private:
  std::string head_;
  ByteSource& rest_;
  std::size_t at_ = 0;
};

Result<void> read(ByteSource& source, Recorder& out) {
  std::string head(std::size_t{64} << 10, '\0');
  std::size_t size = 0;
  while (size < head.size()) {
    GPUVET_TRY(const std::size_t n, source.read(head.data() + size, head.size() - size));
    if (n == 0) break;
    size += n;
  }
  head.resize(size);
  const bool json = has_json(head) && !has_table(head);
  Rest whole{std::move(head), source};
  return json ? read_diag_json(whole, out) : read_diag_table(whole, out);
}

}  // namespace

Importer dcgm_diag() {
  return {"dcgm_diag", "dcgmi diag", "dcgmi diag -r 3 -j > dcgm-diag.json", recognises, read};
}

}  // namespace gpuvet::ingest
