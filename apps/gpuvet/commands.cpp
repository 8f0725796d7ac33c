// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/commands.hpp"

#include <algorithm>

#include "platform/files.hpp"

namespace gpuvet::app {

void add_collect(CLI::App&, Context&);
void add_docs(CLI::App&, Context&);
void add_explain(CLI::App&, Context&);
void add_list(CLI::App&, Context&);
void add_report(CLI::App&, Context&);
void add_request(CLI::App&, Context&);
void add_vet(CLI::App&, Context&);

void add_commands(CLI::App& cli, Context& context) {
  add_vet(cli, context);
  add_collect(cli, context);
  add_report(cli, context);
  add_request(cli, context);
  add_explain(cli, context);
  add_list(cli, context);
  add_docs(cli, context);
}

Result<catalogue::Catalogue> load_catalogue(const Context& context) {
  if (context.data_dir.empty()) return catalogue::parse(catalogue::embedded());
  constexpr std::size_t largest = std::size_t{16} << 20, most = 10000;
  GPUVET_TRY(const auto paths, platform::files_below(context.data_dir, 2, most));
  std::vector<std::string> texts;
  std::vector<catalogue::File> files;
  for (const auto& path : paths) {
    if (path.size() < 5 || path.substr(path.size() - 5) != ".toml") continue;
    GPUVET_TRY(auto text, platform::read_file(path, largest));
    texts.push_back(std::move(text));
    files.push_back({path.substr(std::min(path.size(), path.find_first_not_of('/', context.data_dir.size()))), {}});
  }
  for (std::size_t i = 0; i < files.size(); ++i) files[i].text = texts[i];
  return in_context(catalogue::parse(files), context.data_dir);
}

std::string version_line() { return std::string("gpuvet ") + GPUVET_VERSION; }

Result<void> print(const std::string& text) { return platform::write_file("-", text); }

}  // namespace gpuvet::app
