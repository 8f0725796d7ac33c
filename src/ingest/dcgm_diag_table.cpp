// SPDX-License-Identifier: Apache-2.0
// The table of dcgmi diag: one row a test, below it rows of the single GPUs (since 4.0) and, with
// -v or on failure, sentences that are cut after 45 characters, in the middle of words.
#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "ingest/dcgm_diag_forms.hpp"
#include "ingest/dcgm_diag_results.hpp"
#include "ingest/dcgm_text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t sentence_width = 45;

bool is_status(std::string_view word) {
  constexpr std::array<std::string_view, 5> known{"Pass", "Fail", "Warn", "Skip", "Not Run"};
  return std::ranges::find(known, word) != known.end();
}

/// "2" of "dcgmi diag -r 2 -i 0", a command line above its output.
std::optional<double> level_in(std::string_view line) {
  if (!contains(line, "dcgmi") || !contains(line, "diag")) return {};
  const auto tokens = words(line);
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    std::string_view value;
    if (tokens[i] == "-r" || tokens[i] == "--run")
      value = i + 1 < tokens.size() ? tokens[i + 1] : std::string_view();
    else if (tokens[i].starts_with("-r"))
      value = tokens[i].substr(2);
    const auto level = parse_integer(value);  // names of single tests may stand here, too
    if (level && *level >= 1 && *level <= 4) return static_cast<double>(*level);
  }
  return {};
}

class Reader {
 public:
  Reader(ByteSource& source, Recorder& out) : lines_{source}, out_{out} {}

  Result<void> read() {
    out_.how(How::measured);
    while (const auto raw = lines_.next()) {
      const std::string line = strip_escapes(*raw);
      out_.line(lines_.line());
      GPUVET_CHECK(open_ ? table_line(line) : prose(line));
    }
    if (lines_.error()) return tl::make_unexpected(*lines_.error());
    if (open_)
      return fail(
          Errc::malformed,
          "the table ends without its last border: the file is cut off, and what failed may "
          "be missing",
          lines_.line());
    if (tables_ == 0) return fail(Errc::malformed, "no table of results follows", lines_.line());
    return {};
  }

 private:
  Result<void> prose(std::string_view line) {
    if (const auto level = level_in(line)) out_.number("diag.level"_id, "node", *level);
    if (const auto row = dcgm_row(line))
      if (trim(row->left) == "Diagnostic" && trim(row->right) == "Result") {
        open_ = true;
        body_ = false;
        ++tables_;
      }
    return tables_ == 0 ? check_dcgm_error(line, lines_.line()) : Result<void>{};
  }

  Result<void> table_line(std::string_view line) {
    if (is_dcgm_border(line)) {
      if (!body_) return {};
      open_ = false;
      return flush();
    }
    if (trim(line).starts_with("+=")) body_ = true;
    if (contains(line, "-----  ")) return flush();  // a category
    const auto row = dcgm_row(line);
    if (!row) return {};
    const std::string_view name = trim(row->left);
    if (name.empty()) return below(*row);
    if (name.starts_with("Warning") || name.starts_with("Info") || name.starts_with("Error"))
      return sentence(name, *row);
    GPUVET_CHECK(flush());
    if (metadata(name, trim(row->right))) return {};
    test_.name = dcgm_words(name);
    return status("node", trim(row->right));
  }

  bool metadata(std::string_view name, std::string_view value) {
    if (name == "DCGM Version") {
      out_.tool("dcgmi diag", dcgm_words(value));
      out_.text("node.dcgm.version"_id, "node", dcgm_words(value));
    } else if (name == "Driver Version Detected") {
      out_.text("node.driver.version"_id, "node", dcgm_words(value));
    }
    return name.ends_with("Version") || name.ends_with("Detected");
  }

  /// A row without a name: a GPU's result, or the rest of a sentence.
  Result<void> below(const DcgmRow& row) {
    if (test_.entries.empty()) return {};
    const std::string_view text = trim(row.right);
    const auto colon = text.rfind(": ");
    if (colon != text.npos && is_status(text.substr(colon + 2))) {
      const std::string_view entity = text.substr(0, colon);
      const auto digits = entity.find_last_not_of("0123456789") + 1;
      const auto id = parse_integer(entity.substr(digits));
      if (id && *id >= 0 && digits > 0 && entity.find(' ') == entity.npos)
        return add(diag_subject(entity.substr(0, digits), static_cast<std::size_t>(*id)),
                   text.substr(colon + 2), {});
    }
    const auto dash = text.find(" - ");
    const bool more = dash != text.npos && is_status(text.substr(0, dash)) &&
                      text.substr(dash + 3).starts_with("GPU");
    if (open_sentence_ == nullptr || more) return status("node", text);
    if (open_sentence_->size() > DiagTest::longest_message) return {};
    // The padding of the last piece belongs to it when another one follows.
    const std::size_t whole = (open_sentence_->size() + sentence_width - 1) / sentence_width;
    open_sentence_->resize(whole * sentence_width, ' ');
    *open_sentence_ += piece(row);
    return {};
  }

  static std::string_view piece(const DcgmRow& row) {
    std::string_view text = row.right;
    if (text.starts_with(' ')) text.remove_prefix(1);
    const auto last = text.find_last_not_of(' ');
    return text.substr(0, last == text.npos ? 0 : last + 1);
  }

  /// "Warning: GPU0", "Warning: GPU 0", "Info", ...
  Result<void> sentence(std::string_view name, const DcgmRow& row) {
    if (test_.entries.empty()) return {};
    DiagEntry* entry = &test_.entries.front();
    if (const auto colon = name.find(':'); colon != name.npos)
      if (const auto id = dcgm_gpu_id(name.substr(colon + 1))) {
        const std::string gpu = dcgm_gpu(*id);
        auto found = std::ranges::find(test_.entries, gpu, &DiagEntry::subject);
        if (found == test_.entries.end()) {
          // Before 4.0 a GPU without a row of its own ended as the row of all says.
          GPUVET_CHECK(add(gpu, test_.entries.front().status, {}));
          found = std::prev(test_.entries.end());
        }
        entry = &*found;
      }
    auto& list = name.starts_with("Info") ? entry->infos : entry->errors;
    open_sentence_ = nullptr;
    if (list.size() >= DiagTest::most_messages) return {};
    open_sentence_ = &list.emplace_back(piece(row));
    return {};
  }

  /// "Pass", "Pass - All", "Fail - GPU: 1", "Pass - GPUs: 0, 2, 3".
  Result<void> status(std::string_view subject, std::string_view text) {
    const auto dash = text.find(" - ");
    const std::string_view word = trim(text.substr(0, dash));
    if (dash == text.npos) return add(std::string(subject), word, {});
    std::string_view who = trim(text.substr(dash + 3));
    if (who == "All") return add(std::string(subject), word, "on all GPUs of the group");
    const auto colon = who.find(':');
    if (!who.starts_with("GPU") || colon == who.npos)
      return add(std::string(subject), word, dcgm_words(who));
    for (const auto part : split(who.substr(colon + 1), ','))
      if (const auto id = dcgm_gpu_id(part)) GPUVET_CHECK(add(dcgm_gpu(*id), word, {}));
    return {};
  }

  Result<void> add(std::string subject, std::string_view word, std::string remark) {
    open_sentence_ = nullptr;
    if (++entries_ > DiagTest::most_entries)
      return fail(Errc::too_large, "more than 4096 results", lines_.line());
    test_.entries.push_back({std::move(subject),
                             std::string(word.substr(0, 80)),
                             {},
                             {},
                             std::move(remark),
                             lines_.line()});
    return {};
  }

  Result<void> flush() {
    const DiagTest test = std::exchange(test_, {});
    open_sentence_ = nullptr;
    const std::size_t line = out_.line();
    if (!test.entries.empty()) GPUVET_CHECK(record_diag(out_, test));
    out_.line(line);
    return {};
  }

  LineReader lines_;
  Recorder& out_;
  DiagTest test_;
  std::string* open_sentence_ = nullptr;  // into test_
  std::size_t entries_ = 0, tables_ = 0;
  bool open_ = false, body_ = false;
};

}  // namespace

Result<void> read_diag_table(ByteSource& source, Recorder& out) {
  out.tool("dcgmi diag");
  return Reader(source, out).read();
}

}  // namespace gpuvet::ingest
