// SPDX-License-Identifier: Apache-2.0
#include "ingest/xml_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <string>

#include "core/text.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t largest_file = std::size_t{32} << 20;
constexpr std::size_t deepest = 128;  // lstopo nests caches, cores and bridges
constexpr std::size_t most_nodes = 1'000'000;

std::size_t line_at(const std::vector<std::size_t>& ends, std::ptrdiff_t offset) {
  const auto found =
      std::ranges::lower_bound(ends, static_cast<std::size_t>(std::max<std::ptrdiff_t>(offset, 0)));
  return static_cast<std::size_t>(found - ends.begin()) + 1;
}

/// The offset behind `token` from `from` on; the end when it never comes.
std::size_t behind(std::string_view text, std::string_view token, std::size_t from) {
  const auto at = text.find(token, from);
  return at == text.npos ? text.size() : at + token.size();
}

/// The end of the tag that starts at `at`; a '>' within quotes doesn't count. Counts attributes.
std::size_t tag_end(std::string_view text, std::size_t at, std::size_t& nodes) {
  char quote = 0;
  for (++at; at < text.size() && (quote != 0 || text[at] != '>'); ++at) {
    if (quote != 0)
      quote = text[at] == quote ? '\0' : quote;
    else if (text[at] == '"' || text[at] == '\'')
      quote = text[at];
    else if (text[at] == '=')
      ++nodes;
  }
  return at;
}

/// Refuses a tree that would be too deep or too big before there is one. What isn't XML passes
/// here and fails in the parser.
Result<void> check_shape(std::string_view text, const std::vector<std::size_t>& ends) {
  std::size_t open = 0, nodes = 0;
  for (auto at = text.find('<'); at < text.size(); at = text.find('<', at)) {
    const auto here = text.substr(at, 9);
    if (here.starts_with("<!--")) {
      at = behind(text, "-->", at + 4);
    } else if (here == "<![CDATA[") {
      at = behind(text, "]]>", at + 9);
    } else if (here.starts_with("<?")) {
      at = behind(text, "?>", at + 2);
    } else if (here.starts_with("<!")) {
      at += 2;
    } else if (here.starts_with("</")) {
      open -= open > 0 ? 1 : 0;
      at += 2;
    } else {
      const auto start = static_cast<std::ptrdiff_t>(at);
      at = tag_end(text, at, nodes);
      if (text[at - 1] != '/') ++open;
      if (++nodes > most_nodes)
        return fail(Errc::too_large, "more than a million elements and attributes",
                    line_at(ends, start));
      if (open > deepest)
        return fail(Errc::malformed, "more than 128 elements inside each other",
                    line_at(ends, start));
    }
  }
  return {};
}

}  // namespace

bool xml_root_is(std::string_view head, std::string_view root) {
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  for (;;) {
    head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
    if (head.starts_with("<!--")) {
      head.remove_prefix(behind(head, "-->", 4));
    } else if (head.starts_with("<?")) {
      head.remove_prefix(behind(head, "?>", 2));
    } else if (head.starts_with("<!DOCTYPE")) {
      const auto subset = head.find('[');
      const bool has_subset = subset < head.find('>');
      head.remove_prefix(has_subset ? behind(head, "]", subset) : 0);
      head.remove_prefix(behind(head, ">", 0));
    } else {
      break;
    }
  }
  if (!head.starts_with('<') || !head.substr(1).starts_with(root)) return false;
  head.remove_prefix(1 + root.size());
  return !head.empty() && std::string_view(" \t\r\n/>").find(head[0]) != std::string_view::npos;
}

Result<XmlFile> XmlFile::read(ByteSource& source, std::string_view root) {
  GPUVET_TRY(const std::string text, read_all(source, largest_file));
  const auto bom = text.substr(0, 2);
  if (bom == "\xff\xfe" || bom == "\xfe\xff")
    return fail(Errc::malformed, "UTF-16 text (written by PowerShell?): save it as UTF-8", 1);
  XmlFile file;
  for (auto at = text.find('\n'); at != text.npos; at = text.find('\n', at + 1))
    file.ends_.push_back(at);
  if (const auto nul = text.find('\0'); nul != text.npos)
    return fail(Errc::malformed, "holds a NUL byte: a binary or UTF-16 file, not text",
                line_at(file.ends_, static_cast<std::ptrdiff_t>(nul)));
  GPUVET_CHECK(check_shape(text, file.ends_));
  const auto parsed = file.document_.load_buffer(text.data(), text.size(), pugi::parse_default,
                                                 pugi::encoding_utf8);
  if (!parsed) {
    // pugixml names the symptom at the end of a cut file; people need the cause.
    const bool cut =
        !trim(text).ends_with('>') || (parsed.status == pugi::status_end_element_mismatch &&
                                       static_cast<std::size_t>(parsed.offset) + 1 >= text.size());
    return fail(Errc::malformed,
                cut ? "the file ends before its last element: it is cut off" : parsed.description(),
                line_at(file.ends_, parsed.offset));
  }
  if (root != file.root().name())
    return fail(Errc::malformed, fmt::format("the root element is not <{}>", root),
                file.line_of(file.root()));
  if (const auto second = file.root().next_sibling(file.root().name()))
    return fail(Errc::malformed, fmt::format("a second <{}>: give one a file", root),
                file.line_of(second));
  return file;
}

std::size_t XmlFile::line_of(pugi::xml_node node) const {
  return line_at(ends_, node.offset_debug());
}

std::string_view xml_attribute(pugi::xml_node node, const char* name) {
  return trim(node.attribute(name).value());
}

std::optional<double> xml_count(pugi::xml_node node, const char* name) {
  const auto n = parse_integer(xml_attribute(node, name));
  constexpr std::int64_t exact = std::int64_t{1} << 53;
  if (!n || *n < 0 || *n > exact) return {};
  return static_cast<double>(*n);
}

}  // namespace gpuvet::ingest
