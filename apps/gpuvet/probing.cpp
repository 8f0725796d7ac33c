// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/probing.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>

#include "core/text.hpp"
#include "evidence/lines.hpp"
#include "gpuvet/probe_child.hpp"
#include "platform/terminal.hpp"
#include "platform/watch.hpp"

namespace gpuvet::app {
namespace {

Result<double> duration(const std::string& text, const char* option, double otherwise) {
  if (text.empty()) return otherwise;
  const auto measure = parse_measure(text);
  if (!measure || measure->unit != Unit::second || measure->value <= 0)
    return fail(Errc::usage,
                fmt::format("{} {}: not a duration; write 30s", option, printable(text)));
  return measure->value;
}

Result<std::vector<int>> indices(const std::string& text) {
  std::vector<int> out;
  if (text.empty()) return out;
  for (const auto part : split(text, ',')) {
    const auto index = parse_integer(trim(part));
    if (!index || *index < 0 || *index > 1023)
      return fail(Errc::usage, "--gpus " + printable(text) + ": write numbers, such as 0,3");
    out.push_back(static_cast<int>(*index));
  }
  return out;
}

class Progress {
 public:
  explicit Progress(bool shown) : shown_{shown} {}
  ~Progress() { clear(); }
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  void show(const std::string& probe, std::string_view what, double left) {
    const double now = platform::monotonic_seconds();
    if (!shown_ || now - last_ < 0.2) return;
    last_ = now;
    drawn_ = true;
    const auto line = fmt::format("{}: {}, at most {} left", probe, what,
                                  format_value(std::max(1.0, std::round(left)), Unit::second));
    std::fputs(("\r\033[K" + line.substr(0, platform::terminal_width() - 1)).c_str(), stderr);
  }
  void clear() {
    if (drawn_) std::fputs("\r\033[K", stderr);
    drawn_ = false;
  }

 private:
  bool shown_, drawn_ = false;
  double last_ = 0;
};

/// Hears the children and turns what they say into evidence.
class Parent {
 public:
  Parent(ProbeSetup& setup, Probed& out, const Context& context,
         const std::function<Result<void>(const Probed&)>& kept)
      : setup_{setup},
        out_{out},
        evidence_{out.evidence},
        kept_{kept},
        progress_{!context.quiet && platform::error_is_terminal()} {
    begin(0);
  }

  Result<void> run() {
    while (current_ < setup_.probes.size() && !platform::interrupted()) {
      running_ = false;
      ended_ = false;
      platform::Watch watch;
      watch.quiet = setup_.call_limit + 30;
      watch.grace = setup_.call_limit + 5;
      watch.heard = [this](std::string_view bytes) { hear(bytes); };
      watch.stop = platform::interrupted;
      GPUVET_TRY(const auto child,
                 platform::watched([this](int fd) { run_child(fd, setup_, current_); }, watch));
      if (write_error_) return tl::make_unexpected(*write_error_);
      if (ended_) break;
      if (running_) fall_silent(child);
    }
    for (; current_ < setup_.probes.size(); ++current_)
      note(Errc::cancelled, "", "stopped before it ran");
    progress_.clear();
    return {};
  }

 private:
  void begin(std::size_t index) {
    current_ = index;
    if (index >= setup_.probes.size()) return;
    const auto provenance = provenance_of(setup_, *setup_.probes[index]);
    provenance_ = std::make_shared<const Provenance>(provenance);
  }

  void hear(std::string_view bytes) {
    rest_ += bytes;
    std::size_t start = 0;
    for (auto end = rest_.find('\n'); end != std::string::npos; end = rest_.find('\n', start)) {
      line(std::string_view(rest_).substr(start, end - start));
      start = end + 1;
    }
    rest_.erase(0, start);
    if (fresh_ && !write_error_) {
      fresh_ = false;
      if (auto kept = kept_(out_); !kept) write_error_ = std::move(kept).error();
    }
  }

  void line(std::string_view text) {
    const auto rest = [&](std::string_view mark) { return text.substr(mark.size()); };
    if (text.starts_with("{")) {
      auto fact = observation_in(text);
      if (!fact) return;
      evidence_.observations.push_back(std::move(*fact));
      fresh_ = true;
    } else if (text.starts_with("#keep ")) {
      keep(rest("#keep "));
    } else if (text.starts_with("#table ")) {
      if (auto table = table_in(rest("#table "))) {
        evidence_.tables.push_back(std::move(*table));
        fresh_ = true;
      }
    } else if (text.starts_with("#probe ")) {
      begin(static_cast<std::size_t>(parse_integer(rest("#probe ")).value_or(0)));
      running_ = true;
      started_ = platform::monotonic_seconds();
    } else if (text.starts_with("#progress ")) {
      const auto what = rest("#progress ");
      progress_.show(std::string(setup_.probes[current_]->name),
                     what.substr(std::min(what.find(' ') + 1, what.size())), left());
    } else if (text.starts_with("#done")) {
      completed();
    } else if (text.starts_with("#failed ")) {
      const auto parts = split(rest("#failed "), '\t');
      const auto code = static_cast<Errc>(parse_integer(parts[0]).value_or(0));
      failed(code, parts.size() > 1 ? std::string(parts[1]) : "",
             parts.size() > 2 ? std::string(parts[2]) : "");
    } else if (text.starts_with("#end")) {
      ended_ = true;
    }
  }

  /// "NAME HEX": what a tool printed.
  void keep(std::string_view words) {
    const auto space = words.find(' ');
    if (space == std::string_view::npos) return;
    Kept kept;
    kept.name = words.substr(0, space);
    const auto hex = words.substr(space + 1);
    for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
      kept.bytes += static_cast<char>(parse_integer(hex.substr(i, 2), 16).value_or('?'));
    out_.outputs.push_back(std::move(kept));
    fresh_ = true;
  }

  /// Seconds that this and all later probes may still take.
  [[nodiscard]] double left() const {
    double out = setup_.budgets[current_] - (platform::monotonic_seconds() - started_);
    for (std::size_t i = current_ + 1; i < setup_.budgets.size(); ++i) out += setup_.budgets[i];
    return out;
  }

  void completed() {
    Recorder out(evidence_, *provenance_);
    out.flag("probe.completed"_id, "node", true, where());
    advance();
  }

  void failed(Errc code, const std::string& subject, const std::string& why) {
    note(code, subject, why);
    advance();
  }

  void note(Errc code, const std::string& subject, const std::string& why) {
    Recorder out(evidence_, *provenance_);
    const std::string about = subject.empty() ? "node" : subject;
    if (probe::blames_device(code)) {
      out.flag("probe.completed"_id, about, false, where());
      out.detail(why);
      if (!subject.empty()) setup_.left_out.push_back(subject);
      return;
    }
    const auto absence = code == Errc::permission      ? Absence::permission
                         : code == Errc::cancelled     ? Absence::not_asked
                         : code == Errc::not_supported ? Absence::not_supported
                                                       : Absence::not_asked;
    out.absent("probe.completed"_id, about, absence, why, where());
  }

  /// The child ended in the middle of a probe, or had to be ended.
  void fall_silent(const platform::Watched& child) {
    if (child.stopped)
      note(Errc::cancelled, "", "stopped by the user; what was measured until then counts");
    else if (child.silent)
      note(Errc::timeout, "", "the test hung and was ended");
    else
      note(Errc::vendor_failure, "",
           fmt::format("the test's process ended with status {}", child.status));
    advance();
  }

  void advance() {
    running_ = false;
    fresh_ = true;
    begin(current_ + 1);
  }

  [[nodiscard]] Where where() const {
    return {{"probe", std::string(setup_.probes[current_]->name)}};
  }

  ProbeSetup& setup_;
  Probed& out_;
  Evidence& evidence_;
  const std::function<Result<void>(const Probed&)>& kept_;
  Progress progress_;
  std::shared_ptr<const Provenance> provenance_;
  std::string rest_;
  std::size_t current_ = 0;
  double started_ = 0;
  bool running_ = false, ended_ = false, fresh_ = false;
  std::optional<Error> write_error_;
};

}  // namespace

std::vector<Option> probing_options(ProbingOptions& options) {
  return {
      {"--budget",
       "Time for each probe (default: as the level says)",
       &options.budget,
       "TIME",
       false,
       {}},
      {"--gpus",
       "Which GPUs, by number as nvidia-smi counts (default: all)",
       &options.gpus,
       "N[,N]",
       false,
       {}},
      {"--folder",
       "Where storage tests write their file (default: here)",
       &options.folder,
       "DIR",
       false,
       {}},
      {"--peer",
       "Host whose gpuvet or perftest server the network test talks to",
       &options.peer,
       "HOST",
       false,
       {}},
      {"--listen",
       "Be the other side of another machine's network test, until time is up",
       &options.listen,
       "",
       false,
       {}},
      {"--seed", "Of all that is random (default 1)", &options.seed, "N", false, {}},
      {"--piece-limit",
       "How long one piece of a probe's work may take (default 30s)",
       &options.call_limit,
       "TIME",
       false,
       {}},
      {"--force", "Test busy GPUs too", &options.force, "", false, {}},
  };
}

std::vector<const probe::Probe*> probes_of_level(int level) {
  std::vector<const probe::Probe*> out;
  for (const auto& probe : probe::all())
    if (probe.level <= level) out.push_back(&probe);
  std::stable_sort(out.begin(), out.end(), [&](const auto* a, const auto* b) {
    return (level > 2 ? a->thorough : a->quick) < (level > 2 ? b->thorough : b->quick);
  });
  return out;
}

Result<void> refuse_busy(const Evidence& inventory, const ProbingOptions& options) {
  if (options.force || options.on == "host") return {};
  std::string busy;
  for (const auto& o : inventory.observations)
    if (o.id == "gpu.processes"_id && o.number() != nullptr && *o.number() > 0)
      busy += (busy.empty() ? "" : ", ") + o.subject;
  if (busy.empty()) return {};
  return fail(Errc::usage, busy +
                               ": other programs use it, and a test would disturb them and measure "
                               "them too; end them, choose others with --gpus, or say --force");
}

Result<void> run_probes(const std::vector<const probe::Probe*>& probes, bool thorough,
                        const ProbeTarget& target, const ProbingOptions& options,
                        const Context& context, Probed& out,
                        const std::function<Result<void>(const Probed&)>& kept) {
  ProbeSetup setup{target, options, probes, {}, thorough, 1, 30, {}, {}};
  GPUVET_TRY(setup.call_limit, duration(options.call_limit, "--piece-limit", 30));
  GPUVET_TRY(setup.gpus, indices(options.gpus));
  GPUVET_TRY(const double budget, duration(options.budget, "--budget", 0));
  if (!options.seed.empty()) {
    const auto seed = parse_integer(options.seed);
    if (!seed) return fail(Errc::usage, "--seed " + printable(options.seed) + ": not a number");
    setup.seed = static_cast<std::uint64_t>(*seed);
  }
  for (const auto* probe : probes)
    setup.budgets.push_back(budget > 0 ? budget : thorough ? probe->thorough : probe->quick);
  platform::catch_interrupts();
  return Parent(setup, out, context, kept).run();
}

}  // namespace gpuvet::app
