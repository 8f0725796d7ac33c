// SPDX-License-Identifier: Apache-2.0
// The JSON of dcgmi diag. Until 3.x a result names its GPUs in "gpu_ids" and warnings are text;
// since 4.0 it names an entity and warnings are objects. Versions moved to "metadata" in between.
#include <algorithm>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "ingest/dcgm_diag_forms.hpp"
#include "ingest/dcgm_diag_results.hpp"
#include "ingest/dcgm_text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t largest_file = std::size_t{4} << 20;  // 8 GPUs and all tests take 50 KB
constexpr std::size_t deepest = 64;                         // dcgmi needs 10

/// A value takes far more memory than its text, most of all a pile of brackets.
bool too_deep(std::string_view text) {
  std::size_t depth = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if ((c == '[' || c == '{') && ++depth > deepest) return true;
    if ((c == ']' || c == '}') && depth > 0) --depth;
  }
  return false;
}

/// Lines of names that are asked for in the order in which they stand.
class Lines {
 public:
  explicit Lines(std::string_view text) : text_{text} {}
  std::size_t of(std::string_view name) {
    if (lost_) return 0;
    const auto at = text_.find('"' + std::string(name) + '"', from_);
    lost_ = at == text_.npos;  // written with escapes: looking for each again would take too long
    if (lost_) return 0;
    line_ += static_cast<std::size_t>(std::count(text_.data() + from_, text_.data() + at, '\n'));
    from_ = at;
    return line_;
  }

 private:
  std::string_view text_;
  std::size_t from_ = 0, line_ = 1;
  bool lost_ = false;
};

const Json* member(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

std::string text_of(const Json* value) {
  if (value == nullptr) return {};
  if (const auto* s = value->get_ptr<const std::string*>()) return *s;
  if (value->is_number_unsigned()) return std::to_string(value->get<std::uint64_t>());
  return {};
}

/// A sentence, a list of them, or a list of objects that hold one as "warning".
std::vector<std::string> sentences(const Json* value) {
  std::vector<std::string> out;
  const auto add = [&](const Json& one) {
    const Json* warning = member(one, "warning");
    auto text = text_of(warning != nullptr ? warning : &one);
    if (!text.empty() && out.size() < DiagTest::most_messages)
      out.push_back(text.substr(0, DiagTest::longest_message));
  };
  if (value == nullptr) return out;
  if (!value->is_array()) return add(*value), out;
  for (const auto& one : *value) add(one);
  return out;
}

class Reader {
 public:
  Reader(std::string_view text, Recorder& out) : lines_{text}, out_{out} {}

  Result<void> read(const Json& root) {
    out_.how(How::measured);
    const Json* runs = member(root, "iterations");
    if (runs == nullptr || !runs->is_array()) return run(root);
    for (const auto& one : *runs) GPUVET_CHECK(run(one));
    return {};
  }

 private:
  Result<void> run(const Json& root) {
    const Json* diag = member(root, "DCGM Diagnostic");
    if (diag == nullptr) diag = member(root, "DCGM GPU Diagnostic");
    if (diag == nullptr) return fail(Errc::malformed, "a run without \"DCGM Diagnostic\"");
    for (const Json* place : {member(root, "metadata"), diag}) versions(place);
    for (const Json* place : {diag, &root})
      if (const auto error = text_of(member(*place, "runtime_error")); !error.empty())
        return fail(Errc::not_supported,
                    "dcgmi could not run the diagnostic: " + dcgm_words(error, 200),
                    lines_.of("runtime_error"));
    const Json* categories = member(*diag, "test_categories");
    if (categories == nullptr || !categories->is_array())
      return fail(Errc::malformed,
                  "\"DCGM Diagnostic\" holds no list \"test_categories\": not as dcgmi writes it",
                  1);
    for (const auto& category : *categories)
      if (const Json* tests = member(category, "tests"); tests != nullptr && tests->is_array())
        for (const auto& test : *tests) GPUVET_CHECK(read_test(test));
    return {};
  }

  void versions(const Json* place) {
    if (place == nullptr) return;
    if (const auto dcgm = text_of(member(*place, "version")); !dcgm.empty()) {
      out_.line(lines_.of("version"));
      out_.tool("dcgmi diag -j", dcgm_words(dcgm));
      out_.text("node.dcgm.version"_id, "node", dcgm_words(dcgm));
    }
    if (const auto driver = text_of(member(*place, "Driver Version Detected")); !driver.empty())
      out_.text("node.driver.version"_id, "node", dcgm_words(driver));
  }

  Result<void> read_test(const Json& json) {
    DiagTest test;
    const std::string name = text_of(member(json, "name"));
    if (name.empty()) return fail(Errc::malformed, "a test without a name");
    test.name = dcgm_words(name);
    const std::size_t line = lines_.of(name);
    if (const Json* summary = member(json, "test_summary"))
      GPUVET_CHECK(add(test, "node", *summary, line));
    if (const Json* results = member(json, "results"); results != nullptr && results->is_array())
      for (const auto& result : *results)
        for (const auto& subject : subjects(result)) GPUVET_CHECK(add(test, subject, result, line));
    if (test.entries.empty())
      test.entries.push_back({"node", "Not Run", {}, {}, "no result given", line});
    return record_diag(out_, test);
  }

  static std::vector<std::string> subjects(const Json& result) {
    std::vector<std::string> out;
    if (const Json* id = member(result, "entity_id"); id != nullptr && id->is_number_unsigned())
      return {diag_subject(text_of(member(result, "entity_group")), id->get<std::size_t>())};
    std::string ids = text_of(member(result, "gpu_ids"));
    if (ids.empty()) ids = text_of(member(result, "gpu_id"));
    for (const auto part : split(std::string_view(ids).substr(0, 8192), ','))
      if (const auto id = dcgm_gpu_id(part)) out.push_back(diag_subject("GPU", *id));
    if (out.empty()) out.emplace_back("node");
    return out;
  }

  Result<void> add(DiagTest& test, std::string subject, const Json& result, std::size_t line) {
    if (++entries_ > DiagTest::most_entries)
      return fail(Errc::too_large, "more than 4096 results", line);
    test.entries.push_back({std::move(subject),
                            text_of(member(result, "status")).substr(0, 80),
                            sentences(member(result, "warnings")),
                            sentences(member(result, "info")),
                            {},
                            line});
    return {};
  }

  Lines lines_;
  Recorder& out_;
  std::size_t entries_ = 0;
};

}  // namespace

Result<void> read_diag_json(ByteSource& source, Recorder& out) {
  GPUVET_TRY(const std::string file, read_all(source, largest_file));
  // A shell prompt or a message may stand around the object.
  const auto begin = std::min(file.find('{'), file.size());
  const auto end = file.rfind('}');
  const std::string_view text =
      std::string_view(file).substr(begin, end == file.npos ? file.npos : end + 1 - begin);
  if (too_deep(text)) return fail(Errc::too_large, "nested deeper than 64 levels");
  auto root = parse_json(text);
  if (!root) {
    root.error().input_line += static_cast<std::size_t>(
        std::count(file.begin(), file.begin() + static_cast<std::ptrdiff_t>(begin), '\n'));
    return tl::make_unexpected(root.error());
  }
  out.tool("dcgmi diag -j");
  return Reader(file, out).read(*root);
}

}  // namespace gpuvet::ingest
