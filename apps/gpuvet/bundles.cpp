// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/bundles.hpp"

#include <fmt/format.h>

#include <cctype>

#include "gpuvet/commands.hpp"
#include "platform/files.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::app {

Bundle new_bundle() {
  Bundle out;
  out.hostname = platform::host_name();
  out.collected = platform::utc_now();
  out.gpuvet = version_line();
  return out;
}

std::string stored_name(std::size_t number, const std::string& name) {
  std::string base = name.substr(name.rfind('/') + 1);
  for (auto& c : base)
    if (!(std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-' || c == '_'))
      c = '_';
  return fmt::format("sources/{:03}-{}", number, base);
}

Result<void> refuse_existing(const std::string& folder) {
  if (platform::open_file(folder + "/bundle.json"))
    return fail(Errc::usage, folder + " holds a bundle already: choose another folder");
  return {};
}

Result<void> write_files(const Bundle& bundle, const std::string& folder) {
  for (const auto& file : write_bundle(bundle))
    GPUVET_CHECK(platform::write_file(folder + "/" + file.path, file.bytes));
  return {};
}

Result<void> keep_bundle(const std::string& folder, const LiveEvidence& live,
                         const Evidence& more) {
  Bundle bundle = new_bundle();
  GPUVET_CHECK(platform::make_folder(folder + "/sources"));
  GPUVET_CHECK(platform::make_folder(folder + "/tables"));
  for (std::size_t i = 0; i < live.gathered.sources.size() && i < live.kept.size(); ++i) {
    auto source = live.gathered.sources[i];
    source.file = stored_name(i + 1, source.name);
    source.bytes = live.kept[i].bytes.size();
    if (platform::file_size(folder + "/" + source.file) != source.bytes)
      GPUVET_CHECK(platform::write_file(folder + "/" + source.file, live.kept[i].bytes));
    bundle.sources.push_back(std::move(source));
  }
  for (const auto& file : live.gathered.evidence) bundle.evidence.append(file.evidence);
  bundle.evidence.append(more);
  return write_files(bundle, folder);
}

}  // namespace gpuvet::app
