// SPDX-License-Identifier: Apache-2.0
// One folder, one server: files that speak of two machines are told apart before anything is
// joined.
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

struct Traits {
  std::set<std::string> hosts;
  std::map<std::string, std::set<std::string>> by_tool;  ///< serial numbers, as one tool means them
  std::set<std::string> serials;                         ///< all of them
  std::set<std::string> uuids;  ///< of a whole inventory, not of a log that mentions one GPU
  bool several_nodes = false;   ///< a collective test over two machines names both by design
};

/// A container's host name is its number, and every machine is its own localhost.
bool names_machine(const std::string& host) {
  const std::string name = host.substr(0, host.find('.'));
  constexpr std::size_t container_id = 12;
  const bool container = name.size() == container_id &&
                         name.find_first_not_of("0123456789abcdef") == std::string::npos;
  return !name.empty() && name != "localhost" && name != "(none)" && !container;
}

Traits traits_of(const Evidence& evidence) {
  Traits out;
  const bool inventory = std::any_of(evidence.observations.begin(), evidence.observations.end(),
                                     [](const Observation& o) { return o.id == "gpu.index"_id; });
  for (const auto& o : evidence.observations) {
    if (o.id == "node.hostname"_id && o.text() != nullptr)
      if (std::string host = lower(*o.text()); names_machine(host))
        out.hosts.insert(std::move(host));
    if (o.id == "node.serial"_id && o.text() != nullptr)
      if (const std::string serial = lower(trim(*o.text())); !is_placeholder(serial)) {
        out.by_tool[o.provenance == nullptr ? "" : o.provenance->tool].insert(serial);
        out.serials.insert(serial);
      }
    if (inventory && o.id == "gpu.uuid"_id && o.text() != nullptr) out.uuids.insert(*o.text());
    if (const auto nodes = o.where.find("nodes"); nodes != o.where.end())
      if (const auto* n = std::get_if<double>(&nodes->second); n != nullptr && *n > 1)
        out.several_nodes = true;
  }
  return out;
}

/// Short and full host names mean the same machine.
bool same_host(const std::string& a, const std::string& b) {
  return a.substr(0, a.find('.')) == b.substr(0, b.find('.'));
}

bool same_machine(const Traits& a, const Traits& b) {
  const bool hosts_matter =
      a.hosts.size() == 1 && b.hosts.size() == 1 && !a.several_nodes && !b.several_nodes;
  if (hosts_matter && !same_host(*a.hosts.begin(), *b.hosts.begin())) return false;
  // Where both name one host, or two tools speak, a second number may be the chassis' or the
  // board's: a contradiction and no other machine.
  if (!hosts_matter)
    for (const auto& [tool, serials] : a.by_tool) {
      const auto other = b.by_tool.find(tool);
      if (other != b.by_tool.end() && serials.size() == 1 && other->second.size() == 1 &&
          serials != other->second)
        return false;
    }
  if (a.uuids.empty() || b.uuids.empty()) return true;
  return std::any_of(a.uuids.begin(), a.uuids.end(),
                     [&](const auto& uuid) { return b.uuids.contains(uuid); });
}

bool is_called(const Traits& traits, const std::string& server) {
  const std::string name = lower(server);
  return traits.serials.contains(name) ||
         std::any_of(traits.hosts.begin(), traits.hosts.end(),
                     [&](const auto& host) { return same_host(host, name); });
}

std::string folder_of(const std::string& file) {
  const auto slash = file.rfind('/');
  return slash == std::string::npos ? std::string() : file.substr(0, slash);
}

/// The files that --server NAME means: a host name, a serial number, a folder or a file. One that
/// names no machine goes with those of its folder that do.
std::vector<bool> chosen(const std::vector<FileEvidence>& files, const std::vector<Traits>& traits,
                         const std::string& server) {
  std::vector<bool> out(files.size());
  std::set<std::string> folders, others;  // where files of this and of other machines lie
  for (std::size_t i = 0; i < files.size(); ++i) {
    const bool called = is_called(traits[i], server);
    const auto parts = split(files[i].file, '/');
    out[i] = called || files[i].file == server ||
             std::find(parts.begin(), parts.end(), server) != parts.end();
    if (called)
      folders.insert(folder_of(files[i].file));
    else if (!traits[i].hosts.empty() || !traits[i].serials.empty())
      others.insert(folder_of(files[i].file));
  }
  if (folders.empty()) return out;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const std::string folder = folder_of(files[i].file);
    if (traits[i].hosts.empty() && traits[i].serials.empty() &&
        (folders.contains(folder) || !others.contains(folder)))
      out[i] = true;
  }
  return out;
}

std::string described(const FileEvidence& file, const Traits& traits) {
  if (traits.hosts.size() == 1)
    return fmt::format("{} (host {})", file.file, *traits.hosts.begin());
  if (traits.serials.size() == 1)
    return fmt::format("{} (serial number {})", file.file, *traits.serials.begin());
  return fmt::format("{} ({} GPUs of its own)", file.file, traits.uuids.size());
}

}  // namespace

bool is_placeholder(std::string_view serial) {
  constexpr std::array words{"o.e.m",   "default", "not ",    "none",   "unknown", "n/a",
                             "invalid", "system",  "chassis", "serial", "empty",   "123456789"};
  const std::string said = lower(trim(serial));
  return said.size() < 4 || said.find_first_not_of(said.front()) == std::string::npos ||
         std::any_of(words.begin(), words.end(),
                     [&](std::string_view word) { return contains(said, word); });
}

Result<Evidence> one_server(std::vector<FileEvidence> files,
                            const std::optional<std::string>& server) {
  std::vector<Traits> traits;
  for (const auto& file : files) traits.push_back(traits_of(file.evidence));
  if (server) {
    const auto keep = chosen(files, traits, *server);
    if (std::none_of(keep.begin(), keep.end(), [](bool k) { return k; }))
      return fail(Errc::usage, fmt::format("--server {}: no file names this host or serial number "
                                           "and none lies in such a folder",
                                           *server));
    for (std::size_t i = files.size(); i-- > 0;) {
      if (keep[i]) continue;
      files.erase(files.begin() + static_cast<std::ptrdiff_t>(i));
      traits.erase(traits.begin() + static_cast<std::ptrdiff_t>(i));
    }
  }
  for (std::size_t i = 0; i < files.size(); ++i)
    for (std::size_t j = i + 1; j < files.size(); ++j)
      if (!same_machine(traits[i], traits[j]))
        return fail(
            Errc::usage,
            fmt::format("two machines in one place: {} and {}. Vet them one by one, or pick "
                        "one with --server HOST (or its folder or file)",
                        described(files[i], traits[i]), described(files[j], traits[j])));
  Evidence out;
  for (auto& file : files) out.append(std::move(file.evidence));
  return out;
}

}  // namespace gpuvet::derive
