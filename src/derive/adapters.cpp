// SPDX-License-Identifier: Apache-2.0
// `nvidia-smi topo -m` numbers network adapters, the PCI tree has them by address, and all other
// tools name them: with its legend "NIC0" is "mlx5_0", and what is known of one is known of the
// other.
#include <map>
#include <set>
#include <string>

#include "derive/steps.hpp"

namespace gpuvet::derive {

void name_adapters(Evidence& evidence) {
  constexpr std::string_view nic = "nic:";
  std::map<std::string, std::string> named;  // address -> subject
  for (const auto& o : evidence.observations)
    if (o.id == "nic.pci.address"_id && o.text() != nullptr && o.subject.starts_with(nic) &&
        o.subject.substr(nic.size()) != *o.text())
      named.emplace(std::string(nic) + *o.text(), o.subject);
  for (auto& o : evidence.observations)
    if (const auto found = named.find(o.subject); found != named.end()) o.subject = found->second;
}

void join_adapters(Evidence& evidence) {
  constexpr std::string_view numbered = "nic:NIC";
  const auto is_numbered = [&](const std::string& subject) {
    return subject.compare(0, numbered.size(), numbered) == 0;
  };
  std::map<std::string, std::set<std::string>> names;
  for (const auto* o : all_of(evidence, "nic.name"_id))
    if (is_numbered(o->subject) && o->text() != nullptr) names[o->subject].insert(*o->text());
  for (auto& o : evidence.observations) {
    if (!is_numbered(o.subject)) continue;
    // Two legends that disagree count differently: then a number means nothing.
    const auto found = names.find(o.subject);
    if (found != names.end() && found->second.size() == 1)
      o.subject = "nic:" + *found->second.begin();
  }
}

}  // namespace gpuvet::derive
