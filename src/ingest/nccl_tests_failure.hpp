// SPDX-License-Identifier: Apache-2.0
// Runs of nccl-tests that broke off: what the program, NCCL, MPI or the scheduler said of it.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "evidence/evidence.hpp"
#include "ingest/nccl_tests_run.hpp"

namespace gpuvet::ingest::nccl {

class Failures {
 public:
  /// Looks for words of failure in a line of output; `named` is the program that ran last, if
  /// known.
  void line(std::string_view text, std::size_t number, const Collective* named);

  /// The run of `named` failed for that reason.
  void add(std::string_view message, std::size_t number, const Collective* named);

  [[nodiscard]] bool empty() const { return messages_.empty(); }

  /// The collectives whose run failed, without doubles.
  [[nodiscard]] std::vector<const Collective*> collectives() const;

  /// diag.result and diag.errors for each program.
  void record(Recorder& out) const;

 private:
  /// What tells most of the cause comes first.
  enum class Rank { cause, launcher, echo };
  struct Message {
    Rank rank;
    const Collective* program;
    std::string text;
    std::size_t line;
  };

  void keep(Message message);
  [[nodiscard]] std::vector<const Message*> best() const;

  std::vector<Message> messages_;
};

}  // namespace gpuvet::ingest::nccl
