// SPDX-License-Identifier: Apache-2.0
// Timestamps of telemetry logs: "2026/07/14 08:12:53.353" as nvidia-smi writes them, ISO 8601
// without a zone, or plain seconds.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace gpuvet::ingest {

/// Reads timestamps of one log. Remembers the last one and its minute: the rows of all GPUs share
/// one, and the next is mostly in the same minute.
class QueryTime {
 public:
  /// Microseconds since 1970, or since whatever plain seconds count from; nothing when unreadable.
  std::optional<std::int64_t> read(std::string_view text);

  /// The date and time that was read last, empty when none was, and what it meant.
  [[nodiscard]] const std::string& last_text() const { return last_; }
  [[nodiscard]] std::int64_t last_time() const { return last_time_; }

 private:
  std::string last_;               // read before
  std::int64_t last_time_ = 0;     // what it meant
  std::string minute_;             // "2026/07/14 08:12:"
  std::int64_t minute_start_ = 0;  // in microseconds
};

}  // namespace gpuvet::ingest
