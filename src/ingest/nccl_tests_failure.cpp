// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_tests_failure.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {
namespace {

constexpr std::size_t most_messages = 16, longest_message = 200;

std::string name_of(const Collective* program) {
  return program == nullptr ? "nccl-tests" : std::string(program->name) + "_perf";
}

/// The program whose source file the line names: "all_gather.cu:47".
const Collective* source_in(std::string_view text) {
  const auto end = text.find(".cu:");
  if (end == text.npos) return nullptr;
  const auto stem = text.substr(0, end);
  const auto begin = stem.find_last_of(" /") + 1;  // npos + 1 is 0
  return program_in(std::string(stem.substr(begin)) + "_perf");
}

}  // namespace

void Failures::line(std::string_view text, std::size_t number, const Collective* named) {
  struct Sign {
    std::string_view words;
    Rank rank;
  };
  static constexpr Sign signs[] = {
      {": Test NCCL failure ", Rank::cause},
      {": Test CUDA failure ", Rank::cause},
      {": Test timeout (", Rank::cause},
      {"Invalid number of GPUs: ", Rank::cause},
      {"unhandled system error", Rank::cause},
      {"unhandled cuda error", Rank::cause},
      {" DUE TO TIME LIMIT", Rank::cause},
      {"oom-kill event", Rank::cause},
      {"mpirun noticed that process rank", Rank::launcher},
      {"prterun noticed that process rank", Rank::launcher},
      {"MPI_ABORT was invoked on rank", Rank::launcher},
      {"BAD TERMINATION OF ONE OF YOUR APPLICATION PROCESSES", Rank::launcher},
      {"detected that one or more processes exited with non-zero status", Rank::launcher},
      {"srun: error: ", Rank::launcher},
      {": Test failure ", Rank::echo},
  };
  // NCCL's own log explains at length what the program then says in one line.
  if (contains(text, "NCCL INFO") || contains(text, "NCCL WARN")) return;
  const auto* const sign =
      std::ranges::find_if(signs, [&](const Sign& s) { return contains(text, s.words); });
  if (sign == std::end(signs)) return;
  const Collective* source = source_in(text);
  keep({sign->rank, source == nullptr ? named : source,
        printable(trim(text).substr(0, longest_message)), number});
}

void Failures::add(std::string_view message, std::size_t number, const Collective* named) {
  keep({Rank::cause, named, printable(trim(message).substr(0, longest_message)), number});
}

/// Every rank says the same, and most lines only repeat on the way up.
void Failures::keep(Message message) {
  const auto same = [&](const Message& m) {
    return m.rank == message.rank && m.program == message.program && m.text == message.text;
  };
  const auto rank = std::ranges::count(messages_, message.rank, &Message::rank);
  if (rank >= static_cast<std::ptrdiff_t>(most_messages)) return;
  if (std::ranges::none_of(messages_, same)) messages_.push_back(std::move(message));
}

std::vector<const Failures::Message*> Failures::best() const {
  std::vector<const Message*> out;
  if (messages_.empty()) return out;
  const Rank rank = std::ranges::min_element(messages_, {}, &Message::rank)->rank;
  for (const Message& message : messages_)
    if (message.rank == rank) out.push_back(&message);
  return out;
}

std::vector<const Collective*> Failures::collectives() const {
  std::vector<const Collective*> out;
  for (const Message* message : best())
    if (message->program != nullptr && std::ranges::count(out, message->program) == 0)
      out.push_back(message->program);
  return out;
}

void Failures::record(Recorder& out) const {
  std::vector<const Collective*> done;
  const auto messages = best();
  for (const Message* first : messages) {
    if (std::ranges::count(done, first->program) != 0) continue;
    done.push_back(first->program);
    std::vector<std::string> texts;
    for (const Message* message : messages)
      if (message->program == first->program) texts.push_back(message->text);
    const Where where{{"test", name_of(first->program)}};
    out.line(first->line);
    out.text("diag.result"_id, "node", "fail", where);
    out.texts("diag.errors"_id, "node", std::move(texts), where);
  }
}

}  // namespace gpuvet::ingest::nccl
