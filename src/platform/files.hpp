// SPDX-License-Identifier: Apache-2.0
// The door to files. Nothing else in gpuvet opens one.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/result.hpp"

namespace gpuvet::platform {

/// A file, read in large pieces; "-" is standard input.
Result<std::unique_ptr<ByteSource>> open_file(const std::string& path);

/// All of a file, or too_large beyond `limit` bytes.
Result<std::string> read_file(const std::string& path, std::size_t limit);

/// The same of a file that holds a secret: permission when others than its owner may read it.
Result<std::string> read_private_file(const std::string& path, std::size_t limit);

/// Regular files at or below `path`, sorted, at most `depth` folders deep and `most` files. Links
/// that lead out of `path` are left out.
Result<std::vector<std::string>> files_below(const std::string& path, int depth, std::size_t most);

/// Name below `path` and content of every file there that ends in `suffix`, as files_below() finds
/// them; each at most `limit` bytes.
Result<std::vector<std::pair<std::string, std::string>>> texts_below(const std::string& path,
                                                                     std::string_view suffix,
                                                                     std::size_t limit);

bool is_folder(const std::string& path);

/// Bytes of a regular file; 0 for anything else.
std::size_t file_size(const std::string& path);

/// Writes `bytes` so that the file is either the old one or the new one, whatever happens in
/// between;
/// "-" writes to standard output.
Result<void> write_file(const std::string& path, std::string_view bytes);

/// The same without the care: for many small files of a folder that nobody else uses yet.
Result<void> write_new_file(const std::string& path, std::string_view bytes);

/// A symbolic link at `path`, in place of what was there.
Result<void> make_link(const std::string& path, const std::string& target);

/// Copies a file's bytes; returns how many.
Result<std::size_t> copy_file(const std::string& from, const std::string& to);

Result<void> make_folder(const std::string& path);

}  // namespace gpuvet::platform
