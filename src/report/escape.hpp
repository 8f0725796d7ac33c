// SPDX-License-Identifier: Apache-2.0
// Text from anywhere -> text that a format can hold. Whatever a vendor's file contains, it can
// neither leave its place in the document nor change how its neighbours are shown.
#pragma once

#include <string>
#include <string_view>

namespace gpuvet::report {

/// One line of valid UTF-8 for people: line ends and tabs become blanks, other control characters
/// and invalid bytes are shown as \xNN, and characters that hide or reorder their neighbours
/// (bidirectional overrides, zero-width characters) as \uNNNN. Idempotent.
std::string visible(std::string_view text);

/// visible(), for HTML and XML: in text and in quoted attributes.
std::string escape_xml(std::string_view text);

/// visible(), for Markdown: in running text, list items and table cells.
std::string escape_markdown(std::string_view text);

/// For a Prometheus label value. Line ends survive as \n.
std::string escape_label(std::string_view text);

/// How many code points valid UTF-8 has: the columns it takes on a terminal.
std::size_t columns(std::string_view text);

/// How many bytes the first `count` code points of valid UTF-8 take; all of `text` if it is
/// shorter.
std::size_t bytes_of(std::string_view text, std::size_t count);

}  // namespace gpuvet::report
