// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/simulated_files.hpp"

#include <set>

#include "collect/smbios.hpp"
#include "platform/files.hpp"
#include "sim/controller.hpp"
#include "sim/render.hpp"
#include "sim/tree.hpp"

namespace gpuvet::app {
namespace {

/// Folders of many files are made once each.
class Folders {
 public:
  Result<void> make(const std::string& path) {
    if (!made_.insert(path).second) return {};
    return platform::make_folder(path);
  }
  Result<void> make_above(const std::string& path) { return make(path.substr(0, path.rfind('/'))); }

 private:
  std::set<std::string> made_;
};

}  // namespace

Result<void> write_tree(const sim::World& world, const std::string& folder) {
  GPUVET_TRY(const auto files, sim::tree_of(world));
  Folders folders;
  for (const auto& file : files) {
    const std::string path = folder + file.path;
    if (file.folder) {
      GPUVET_CHECK(folders.make(path));
      continue;
    }
    GPUVET_CHECK(folders.make_above(path));
    GPUVET_CHECK(file.link.empty() ? platform::write_new_file(path, file.bytes)
                                   : platform::make_link(path, file.link));
  }
  return {};
}

Result<void> write_rendered(const std::vector<sim::World>& log, const std::string& folder) {
  GPUVET_CHECK(platform::make_folder(folder));
  for (const auto& file : sim::render_files(log))
    GPUVET_CHECK(platform::write_file(folder + "/" + file.name, file.text));
  // Of the same table that the machine reads, in the words of dmidecode.
  GPUVET_TRY(const auto firmware, collect::smbios_text(sim::smbios_table(log.back())));
  return platform::write_file(folder + "/dmidecode.txt", firmware);
}

Result<void> write_controller(const sim::World& world, const std::string& folder, int port) {
  if (world.sensors.empty()) return {};
  GPUVET_CHECK(platform::make_folder(folder + "/state"));  // ipmi_sim keeps its own there
  Json resources = Json::object();
  for (auto& resource : sim::redfish_resources(world))
    resources[resource.path] = std::move(resource.body);
  GPUVET_CHECK(platform::write_file(folder + "/redfish.json", dump(resources)));
  for (const auto& file : sim::ipmi_sim_files(world, folder, port, "simulated", "simulated"))
    GPUVET_CHECK(platform::write_file(folder + "/" + file.name, file.text));
  return {};
}

}  // namespace gpuvet::app
