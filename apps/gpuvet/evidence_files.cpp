// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/evidence_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <set>

#include "core/text.hpp"
#include "ingest/companion.hpp"
#include "ingest/importer.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {
namespace {

constexpr std::size_t head_size = std::size_t{64} << 10;
constexpr std::size_t largest_json = std::size_t{256} << 20;
constexpr std::size_t most_files = 10000;
constexpr int folder_depth = 3;
constexpr std::string_view inferred_from = "columns inferred from ";

/// Gives back the head that was read to recognise a file, then the rest; shows how far it is.
class Replay final : public ByteSource {
 public:
  /// `size` is the file's, 0 where it is not known.
  Replay(std::string head, ByteSource& rest, std::string name, std::size_t size, bool show_progress)
      : head_{std::move(head)},
        left_{head_},
        rest_{rest},
        name_{std::move(name)},
        size_{size},
        show_progress_{show_progress} {}
  ~Replay() override {
    if (shown_) std::fputs("\r\033[K", stderr);
  }
  Replay(const Replay&) = delete;
  Replay& operator=(const Replay&) = delete;

  Result<std::size_t> read(char* to, std::size_t room) override {
    std::size_t n = std::min(room, left_.size());
    std::copy_n(left_.begin(), n, to);
    left_.remove_prefix(n);
    if (n == 0) {
      GPUVET_TRY(n, rest_.read(to, room));
    }
    done_ += n;
    if (show_progress_) progress();
    return n;
  }

 private:
  void progress() {
    const double now = platform::monotonic_seconds();
    if (now - start_ < 2 || now - last_ < 0.5) return;
    last_ = now;
    shown_ = true;
    const double done = static_cast<double>(done_), size = static_cast<double>(size_);
    auto line =
        fmt::format("\r\033[Kreading {}: {}", printable(name_), format_value(done, Unit::byte));
    if (size > done)
      line += fmt::format(" of {}, {:.0f} s left", format_value(size, Unit::byte),
                          (now - start_) * (size - done) / done);
    std::fputs(line.c_str(), stderr);
  }

  std::string head_;
  std::string_view left_;
  ByteSource& rest_;
  std::string name_;
  std::size_t size_;
  bool show_progress_, shown_ = false;
  std::size_t done_ = 0;
  double start_ = platform::monotonic_seconds(), last_ = 0;
};

Result<std::string> read_head(ByteSource& source) {
  std::string head(head_size, '\0');
  std::size_t filled = 0;
  while (filled < head.size()) {
    GPUVET_TRY(const std::size_t n, source.read(head.data() + filled, head.size() - filled));
    if (n == 0) break;
    filled += n;
  }
  head.resize(filled);
  return head;
}

/// Why nothing recognised a file, for the person who sent it.
std::string unrecognised(std::string_view head) {
  const auto starts = [&](std::string_view magic) { return head.substr(0, magic.size()) == magic; };
  if (head.empty()) return "the file is empty";
  if (starts("\xff\xfe") || starts("\xfe\xff"))
    return "UTF-16 text: convert it with iconv -f UTF-16 -t UTF-8";
  if (starts("%PDF") || starts("PK\x03\x04") || starts("\x1f\x8b"))
    return "a document or archive: unpack it, or send the tool's own output as text";
  if (head.find('\0') != std::string_view::npos) return "a binary file";
  return "no importer recognises its content (gpuvet list importers)";
}

/// Files whose form is wrong rather than unknown: refused even inside a folder.
bool broken_text(std::string_view head) {
  return head.substr(0, 2) == "\xff\xfe" || head.substr(0, 2) == "\xfe\xff";
}

class Gatherer {
 public:
  explicit Gatherer(bool show_progress) : show_progress_{show_progress} {}

  Result<void> add(const std::string& target) {
    if (target != "-" && platform::is_folder(target)) return add_folder(target);
    const auto name = target == "-" ? std::string("standard input") : target;
    GPUVET_TRY(const auto source, platform::open_file(target));
    GPUVET_TRY(auto head, in_context(read_head(*source), name));
    if (is_bundle(head)) return add_bundle(target.substr(0, target.rfind('/') + 1), target);
    add_file(name, target, std::move(head), *source, true);
    return {};
  }

  Gathered take() { return std::move(out_); }

 private:
  Result<void> add_folder(const std::string& folder) {
    const std::string slash = folder.back() == '/' ? folder : folder + "/";
    const std::string index = slash + "bundle.json";
    if (const auto source = platform::open_file(index)) {
      GPUVET_TRY(const auto head, in_context(read_head(**source), index));
      if (is_bundle(head)) return add_bundle(slash, index);
    }
    GPUVET_TRY(const auto files, platform::files_below(folder, folder_depth, most_files));
    if (files.empty()) return fail(Errc::not_found, folder + ": the folder holds no files");
    find_commands(files);
    for (const auto& file : files) {
      const auto source = platform::open_file(file);
      if (!source) {
        refuse({file, "", false, source.error().what}, file, true);
        continue;
      }
      auto head = read_head(**source);
      if (!head)
        refuse({file, "", false, head.error().what}, file, true);
      else
        add_file(file, file, std::move(*head), **source, false);
    }
    return {};
  }

  /// Scripts and notes among `files` that say how a log was written. They hold no evidence.
  void find_commands(const std::vector<std::string>& files) {
    for (const auto& file : files) {
      if (platform::file_size(file) > head_size) continue;
      const auto source = platform::open_file(file);
      if (!source) continue;
      const auto text = read_head(**source);
      if (!text || text->find("--query-gpu") == std::string::npos) continue;
      for (auto& command : ingest::query_commands(*text)) {
        command.file = file;
        commands_.push_back(std::move(command));
      }
    }
  }

  /// The command beside the log `name`, in its own folder, that wrote it without header.
  [[nodiscard]] std::optional<ingest::QueryCommand> command_for(const std::string& name,
                                                                std::string_view head) const {
    const auto folder = [](const std::string& file) { return file.substr(0, file.rfind('/') + 1); };
    std::vector<ingest::QueryCommand> beside;
    for (const auto& command : commands_)
      if (folder(command.file) == folder(name)) beside.push_back(command);
    return beside.empty() ? std::nullopt : ingest::command_of(head, beside);
  }

  /// Whether a script that the bundle does not hold said what the columns are: the file alone would
  /// say less than the bundle does.
  static bool named_by_another(const std::string& name, const Evidence& evidence) {
    return std::any_of(evidence.observations.begin(), evidence.observations.end(), [&](auto& o) {
      return o.provenance != nullptr && o.provenance->source == name &&
             contains(o.provenance->tool, inferred_from);
    });
  }

  /// Sources are imported again, so that an old bundle gains from a new importer; stored
  /// observations count only where no source stands behind them.
  Result<void> add_bundle(const std::string& folder, const std::string& index) {
    GPUVET_TRY(const auto text, platform::read_file(index, largest_json));
    auto bundle = in_context(read_bundle(text,
                                         [&](const std::string& file) {
                                           return platform::read_file(folder + file, largest_json);
                                         }),
                             index);
    if (!bundle) return tl::make_unexpected(std::move(bundle).error());
    std::set<std::string> again, kept;
    for (const auto& source : bundle->sources) {
      if (source.file.empty()) {
        refuse({source.name, source.kind, false, source.reason}, "", !source.kind.empty());
        continue;
      }
      const auto opened = platform::open_file(folder + source.file);
      if (!opened) return tl::make_unexpected(opened.error());
      GPUVET_TRY(auto head, in_context(read_head(**opened), folder + source.file));
      if (named_by_another(source.name, bundle->evidence)) {
        out_.inputs.push_back({source.name, source.kind, true, ""});
        out_.sources.push_back({"", source.name, source.kind, "", 0});
        out_.paths.push_back(folder + source.file);
        kept.insert(source.name);
        continue;
      }
      add_file(source.name, folder + source.file, std::move(head), **opened, false);
      again.insert(source.name);
    }
    const auto reread = [&](const auto& fact) {
      return fact.provenance != nullptr && again.contains(fact.provenance->source);
    };
    std::erase_if(bundle->evidence.observations, reread);
    std::erase_if(bundle->evidence.tables, reread);
    if (!bundle->evidence.observations.empty() || !bundle->evidence.tables.empty()) {
      const auto of_file = [&](const auto& fact) {
        return fact.provenance != nullptr && kept.contains(fact.provenance->source);
      };
      // Facts of files that are listed already need no other line.
      if (!std::all_of(bundle->evidence.observations.begin(), bundle->evidence.observations.end(),
                       of_file))
        out_.inputs.push_back({index, "gpuvet_bundle", true, ""});
      out_.evidence.push_back({index, std::move(bundle->evidence)});
    }
    return {};
  }

  void add_file(const std::string& name, const std::string& path, std::string head,
                ByteSource& rest, bool named) {
    const auto command = command_for(path, head);
    if (command) head.insert(0, ingest::header_of(*command) + "\n");
    const auto* importer = ingest::recognise(head);
    if (importer == nullptr) {
      refuse({name, "", false, unrecognised(head)}, path, named || broken_text(head));
      return;
    }
    derive::FileEvidence file{name, {}};
    Provenance provenance;
    provenance.tool = std::string(importer->title);
    provenance.source = name;
    Recorder recorder(file.evidence, provenance);
    Replay source(std::move(head), rest, name, platform::file_size(path), show_progress_);
    if (const auto read = importer->read(source, recorder); !read) {
      auto error = read.error();
      if (command && error.input_line > 1) --error.input_line;
      const auto line = error.input_line > 0 ? fmt::format("line {}: ", error.input_line) : "";
      refuse({name, std::string(importer->kind), false, line + error.what}, path, true);
      return;
    }
    if (command) {
      recorder.tool(fmt::format("nvidia-smi --query-gpu without header ({}{} line {})",
                                inferred_from, printable(command->file), command->line));
      // The header is not a line of the file.
      for (auto& observation : file.evidence.observations)
        if (observation.line > 1) --observation.line;
    }
    out_.inputs.push_back({name, std::string(importer->kind), true, ""});
    out_.sources.push_back({"", name, std::string(importer->kind), "", 0});
    out_.paths.push_back(path);
    out_.evidence.push_back(std::move(file));
  }

  void refuse(judge::Input input, const std::string& path, bool complain) {
    if (complain) out_.complaints.push_back(input.file + ": " + input.reason);
    out_.sources.push_back({"", input.file, input.kind, input.reason, 0});
    out_.paths.push_back(path);
    out_.inputs.push_back(std::move(input));
  }

  Gathered out_;
  std::vector<ingest::QueryCommand> commands_;
  bool show_progress_;
};

}  // namespace

Result<Gathered> gather(const std::vector<std::string>& targets, bool show_progress) {
  Gatherer gatherer(show_progress);
  for (const auto& target : targets) GPUVET_CHECK(gatherer.add(target));
  return gatherer.take();
}

}  // namespace gpuvet::app
