// SPDX-License-Identifier: Apache-2.0
// An XML file of another tool, read under bounds: size, depth and number of nodes are checked
// before there is a tree, and every node still knows its line.
#pragma once

#include <cstddef>
#include <optional>
#include <pugixml.hpp>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace gpuvet::ingest {

/// Whether the first element of `head` is <root>, after BOM, prolog, comments and DOCTYPE.
bool xml_root_is(std::string_view head, std::string_view root);

class XmlFile {
 public:
  /// Reads all of `source`; an error unless it is one whole document with that root element.
  static Result<XmlFile> read(ByteSource& source, std::string_view root);

  [[nodiscard]] pugi::xml_node root() const { return document_.document_element(); }
  [[nodiscard]] std::size_t line_of(pugi::xml_node node) const;

 private:
  pugi::xml_document document_;
  std::vector<std::size_t> ends_;  ///< offsets of the line ends
};

/// An attribute, trimmed; empty when the element lacks it.
std::string_view xml_attribute(pugi::xml_node node, const char* name);

/// An attribute that is a whole number.
std::optional<double> xml_count(pugi::xml_node node, const char* name);

}  // namespace gpuvet::ingest
