// SPDX-License-Identifier: Apache-2.0
// Any bytes as a bundle: the first part is bundle.json, what follows a line "---" is every table
// file. What is read is finite, stays inside the bundle and survives being written and read again.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "evidence/bundle.hpp"
#include "evidence/json.hpp"
#include "fuzz/require.hpp"

namespace gpuvet::fuzz {
namespace {

void require_inside(const std::string& path) {
  require(!path.empty() && path.front() != '/' && !contains("/" + path + "/", "/../"),
          "no path leaves the bundle");
}

/// The files of a written bundle, by path.
Result<Bundle> read_back(const std::vector<BundleFile>& files) {
  const auto bytes_of = [&](const std::string& path) -> Result<std::string> {
    for (const BundleFile& file : files)
      if (file.path == path) return file.bytes;
    return fail(Errc::not_found, path);
  };
  return read_bundle(*bytes_of("bundle.json"), bytes_of);
}

void check(std::string_view bytes) {
  constexpr std::string_view cut = "\n---\n";
  const auto at = bytes.find(cut);
  const auto document = bytes.substr(0, at);
  const auto table = at == std::string_view::npos ? bytes : bytes.substr(at + cut.size());

  is_bundle(bytes);
  const auto bundle = read_bundle(document, [&](const std::string& path) -> Result<std::string> {
    require_inside(path);
    return std::string(table);
  });
  if (!bundle) return require(!bundle.error().message().empty(), "an error says something");
  require_finite(bundle->evidence);
  for (const BundleSource& source : bundle->sources)
    if (!source.file.empty()) require_inside(source.file);

  const auto written = write_bundle(*bundle);
  const auto again = read_back(written);
  require(again.has_value(), "a written bundle can be read");
  const auto rewritten = write_bundle(*again);
  require(written.size() == rewritten.size(), "a bundle survives a round trip");
  for (std::size_t i = 0; i < written.size(); ++i)
    require(written[i].path == rewritten[i].path && written[i].bytes == rewritten[i].bytes,
            "a bundle survives a round trip byte by byte");
}

}  // namespace
}  // namespace gpuvet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gpuvet::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
