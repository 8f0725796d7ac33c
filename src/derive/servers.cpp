// SPDX-License-Identifier: Apache-2.0
// One folder, one server: files that speak of two machines are told apart before anything is
// joined.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/text.hpp"
#include "derive/steps.hpp"

namespace gpuvet::derive {
namespace {

struct Traits {
  std::set<std::string> hosts;
  std::set<std::string> uuids;  ///< of a whole inventory, not of a log that mentions one GPU
  bool several_nodes = false;   ///< a collective test over two machines names both by design
};

Traits traits_of(const Evidence& evidence) {
  Traits out;
  const bool inventory = std::any_of(evidence.observations.begin(), evidence.observations.end(),
                                     [](const Observation& o) { return o.id == "gpu.index"_id; });
  for (const auto& o : evidence.observations) {
    if (o.id == "node.hostname"_id && o.text() != nullptr) out.hosts.insert(lower(*o.text()));
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
  if (a.uuids.empty() || b.uuids.empty()) return true;
  return std::any_of(a.uuids.begin(), a.uuids.end(),
                     [&](const auto& uuid) { return b.uuids.contains(uuid); });
}

/// --server NAME: a host name, a folder or a file of the evidence.
bool belongs_to(const FileEvidence& file, const Traits& traits, const std::string& server) {
  if (std::any_of(traits.hosts.begin(), traits.hosts.end(),
                  [&](const auto& host) { return same_host(host, lower(server)); }))
    return true;
  const auto parts = split(file.file, '/');
  return file.file == server || std::find(parts.begin(), parts.end(), server) != parts.end();
}

std::string described(const FileEvidence& file, const Traits& traits) {
  if (traits.hosts.size() == 1)
    return fmt::format("{} (host {})", file.file, *traits.hosts.begin());
  return fmt::format("{} ({} GPUs of its own)", file.file, traits.uuids.size());
}

}  // namespace

Result<Evidence> one_server(std::vector<FileEvidence> files,
                            const std::optional<std::string>& server) {
  std::vector<Traits> traits;
  for (const auto& file : files) traits.push_back(traits_of(file.evidence));
  if (server) {
    // A file that names no machine belongs to whichever server its folder does, and else to all.
    std::vector<bool> keep;
    for (std::size_t i = 0; i < files.size(); ++i)
      keep.push_back(belongs_to(files[i], traits[i], *server));
    if (std::none_of(keep.begin(), keep.end(), [](bool k) { return k; }))
      return fail(Errc::usage,
                  fmt::format("--server {}: no file names this host and none lies in such a folder",
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
