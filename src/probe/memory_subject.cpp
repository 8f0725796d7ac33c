// SPDX-License-Identifier: Apache-2.0
#include "probe/memory_subject.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "probe/harness.hpp"

namespace gpuvet::probe {
namespace {

using Do = MemoryStep::Do;

/// Allocations this large or smaller: a driver that has no contiguous space still gives the rest.
constexpr std::uint64_t chunk = std::uint64_t{4} << 30, page = 4096;
constexpr int hammer_times = 2000;

}  // namespace

MemorySubject::MemorySubject(device::Device& device) : device_{device} {
  const auto free = device.free_memory();
  const auto state = device.telemetry();
  if (!ok(free) || !ok(state)) return;
  free_ = *free;
  before_ = after_ = *state;
  // What the driver needs while it works; without it the kernels of the test may not start.
  constexpr std::uint64_t guards = 2 * device::Buffer::guard;
  const std::uint64_t margin = std::min(free_ / 50, std::uint64_t{256} << 20);
  std::uint64_t left = free_ - margin, size = chunk;
  while (left > guards + page && size >= page) {
    size = std::min(size, left - guards) / page * page;
    if (size < std::max(page, free_ / 512)) break;
    auto buffer = device.allocate(size);
    if (!buffer) {
      size /= 2;
      continue;
    }
    firsts_.push_back(bytes());
    buffers_.push_back(std::move(*buffer));
    left -= size + guards;
  }
  if (buffers_.empty()) keep({Errc::too_large, "no memory could be allocated", 0, {}, {}});
  allocated_ = bytes();
  if (error_) return;
  auto stream = device.stream();
  if (ok(stream)) stream_ = std::move(*stream);
}

void MemorySubject::keep(Error error) {
  if (!error_) error_ = std::move(error);
}

std::uint64_t MemorySubject::bytes() const {
  return buffers_.empty() ? 0 : firsts_.back() + buffers_.back().size();
}

void MemorySubject::shrink(std::uint64_t most) {
  while (buffers_.size() > 1 && bytes() > most) {
    buffers_.pop_back();
    firsts_.pop_back();
  }
}

void MemorySubject::enqueue(const MemoryStep& step, std::size_t index) {
  if (index >= buffers()) return;
  const auto& buffer = buffers_[index];
  const auto all = buffer.all();
  auto& stream = *stream_;
  // Patterns go on over all buffers, so that no two words of the device are due to be alike.
  const auto from = [&](device::Pattern pattern, std::uint64_t bytes) {
    pattern.first = (firsts_[index] + bytes) / 8;
    return pattern;
  };
  const auto half = buffer.size() / 2 / page * page;
  const auto lower = buffer.part(0, half), upper = buffer.part(half, half);
  switch (step.what) {
    case Do::fill:
      ok(stream.fill(all, from(step.next, 0)));
      break;
    case Do::check:
      ok(stream.check(all, from(step.expected, 0), results_[0]));
      break;
    case Do::exchange_up:
    case Do::exchange_down:
      ok(stream.exchange(
          all, from(step.expected, 0), from(step.next, 0),
          step.what == Do::exchange_up ? device::Order::ascending : device::Order::descending,
          results_[0]));
      break;
    case Do::move_down:
      if (half > 0) ok(stream.copy(lower, upper, device::Engine::copy_engine));
      break;
    case Do::move_up:
      if (half > 0) ok(stream.copy(upper, lower, device::Engine::kernel));
      break;
    case Do::check_halves:
      if (half == 0) break;
      if (ok(stream.check(lower, from(step.expected, half), results_[0])))
        ok(stream.check(upper, from(step.expected, half), results_[1]));
      break;
    case Do::hammer:
    case Do::idle:
      break;
  }
}

void MemorySubject::settle(std::size_t index, const std::string& program, double limit) {
  if (index >= buffers()) return;
  if (!ok(stream_->synchronize(limit))) return;  // what is running may still write the results
  for (auto& result : results_) {
    faults_.add(result, buffers_[index].all().address, firsts_[index], program != moving_program);
    wrong_by_[program] += result.wrong;
    verified_ += result.words * 8;
    result = {};
  }
}

void MemorySubject::hammer(double seconds, double limit) {
  const std::uint64_t piece =
      std::max(std::uint64_t{64} << 20, 4 * device_.properties().cache) / page * page;
  std::vector<device::Range> pieces;
  for (std::size_t i = 0; i < buffers(); ++i)
    for (std::uint64_t at = 0; at < buffers_[i].size(); at += piece)
      pieces.push_back(buffers_[i].part(at, std::min(piece, buffers_[i].size() - at)));
  const double end = device_.now() + seconds;
  std::size_t done = 0, step = 1;
  for (std::size_t i = 0; i < pieces.size(); i += step, ++done) {
    if (done > 0 && device_.now() >= end) break;
    const double begin = device_.now();
    if (!ok(stream_->hammer(pieces[i], hammer_times)) || !ok(stream_->synchronize(limit))) return;
    if (done > 0) continue;
    // From the first piece's time on it is known how many fit; those are spread over the memory.
    const double each = std::max(device_.now() - begin, 1e-9);
    const double fits = std::max(1.0, seconds / each);
    step = static_cast<std::size_t>(
        std::max(1.0, static_cast<double>(pieces.size()) / std::min(fits, 1e9)));
  }
  if (!pieces.empty())
    hammered_ = std::min(hammered_, static_cast<double>(done) / static_cast<double>(pieces.size()));
}

void MemorySubject::look_again() {
  if (error_) return;
  for (const auto& buffer : buffers_) {
    const auto intact = buffer.guards_intact();
    if (!ok(intact)) return;
    if (!*intact) ++guards_broken_;
  }
  const auto state = device_.telemetry();
  if (ok(state)) after_ = *state;
}

void MemorySubject::record(Context& context, double seconds) const {
  auto& out = *context.out;
  const auto& subject = device_.properties().subject;
  const Where where{{"backend", std::string(name(device_.properties().backend))}};
  const auto why = error_ ? absence_of(*error_) : Absence::not_asked;
  const auto words =
      error_ ? error_->message() : std::string("time was up before one test was through");
  const bool tested = !finished_.empty();
  if (tested) {
    out.number("memory.tested"_id, subject, static_cast<double>(bytes()), where);
    out.detail(fmt::format("{:.1f} % of {:.2f} GB free",
                           100 * static_cast<double>(bytes()) / static_cast<double>(free_),
                           static_cast<double>(free_) / 1e9));
  } else {
    out.absent("memory.tested"_id, subject, why, words, where);
  }
  const auto wrong = wrong_total();
  if (wrong > 0 || (tested && !error_))
    out.number("memory.wrong"_id, subject, static_cast<double>(wrong), where);
  else
    out.absent("memory.wrong"_id, subject, why, words, where);
  if (tested && seconds > 0)
    out.number("memory.tested.rate"_id, subject, static_cast<double>(verified_) / seconds, where);
  if (free_ > 0 && allocated_ > 0)
    out.number("memory.allocated.share"_id, subject,
               static_cast<double>(allocated_) / static_cast<double>(free_), where);
  else
    out.absent("memory.allocated.share"_id, subject, why, words, where);
  record_programs(out, where);
  record_counters(out, where);
  if (wrong > 0) record_faults(out, where);
}

std::uint64_t MemorySubject::wrong_total() const { return faults_.wrong() + guards_broken_; }

void MemorySubject::record_programs(Recorder& out, const Where& where) const {
  const auto& subject = device_.properties().subject;
  for (const auto& program : finished_) {
    Where own = where;
    own["algorithm"] = program;
    const auto found = wrong_by_.find(program);
    out.number("memory.algorithm.wrong"_id, subject,
               found == wrong_by_.end() ? 0 : static_cast<double>(found->second), own);
    if (program == "hammer" && hammered_ < 1)
      out.detail(fmt::format("{:.1f} % of the memory was hammered in the time", 100 * hammered_));
  }
  for (const auto& [program, reason] : left_out_) {
    Where own = where;
    own["algorithm"] = program;
    const auto found = wrong_by_.find(program);
    if (found != wrong_by_.end() && found->second > 0) {
      out.number("memory.algorithm.wrong"_id, subject, static_cast<double>(found->second), own);
      out.detail(reason);
    } else {
      out.absent("memory.algorithm.wrong"_id, subject,
                 error_ ? absence_of(*error_) : Absence::not_asked, reason, own);
    }
  }
}

void MemorySubject::record_counters(Recorder& out, const Where& where) const {
  const auto& subject = device_.properties().subject;
  const auto delta = [&](Id id, const auto& before, const auto& after) {
    if (error_)
      out.absent(id, subject, absence_of(*error_), error_->message(), where);
    else if (!before || !after)
      out.absent(id, subject, Absence::not_supported, "the device has no such counter", where);
    else
      out.number(id, subject, static_cast<double>(*after) - static_cast<double>(*before), where);
  };
  delta("memory.ecc.corrected"_id, before_.corrected, after_.corrected);
  delta("memory.ecc.uncorrected"_id, before_.uncorrected, after_.uncorrected);
  delta("memory.remapped"_id, before_.remapped, after_.remapped);
}

void MemorySubject::record_faults(Recorder& out, const Where& where) const {
  const auto& subject = device_.properties().subject;
  auto texts = faults_.first_ones();
  if (guards_broken_ > 0)
    texts.push_back(fmt::format("bytes beside {} buffers were overwritten", guards_broken_));
  out.texts("memory.wrong.list"_id, subject, texts, where);
  if (faults_.wrong() == 0) return;
  out.number("memory.wrong.addresses"_id, subject, static_cast<double>(faults_.addresses()), where);
  if (!faults_.all_kept()) out.detail("at least: of each check the first 256 are kept");
  out.text("memory.wrong.mask"_id, subject, fmt::format("0x{:016x}", faults_.bits()), where);
  out.number("memory.wrong.persistent"_id, subject, faults_.persistent(), where);
  out.text("memory.wrong.cluster"_id, subject, std::string(name(faults_.cluster())), where);
}

}  // namespace gpuvet::probe
