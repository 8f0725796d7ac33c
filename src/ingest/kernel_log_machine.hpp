// SPDX-License-Identifier: Apache-2.0
// What a kernel log says of the machine itself: maker, firmware, driver. The last word counts.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

class MachineFacts {
 public:
  /// `earlier_boot`: the message is from a boot before the one that the log is about.
  void message(std::string_view message, std::size_t line, bool earlier_boot);
  void record(Recorder& out) const;

 private:
  /// nvidia-bug-report appends the journals of earlier boots, newest first: not what runs now, and
  /// better than nothing.
  struct Latest {
    std::string text;
    std::size_t line = 0;
    void set(std::string_view value, std::size_t at, bool earlier_boot);
  };

  void record_dmi(Recorder& out) const;

  Latest driver_, uvm_, dmi_;
};

}  // namespace gpuvet::ingest
