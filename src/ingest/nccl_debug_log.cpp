// SPDX-License-Identifier: Apache-2.0
#include "ingest/nccl_debug_log.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <vector>

#include "core/text.hpp"

namespace gpuvet::ingest::nccl {
namespace {

constexpr std::size_t longest_text = 200, most_texts = 100, most_hosts = 4096, most_gpus = 1024;

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_number(std::string_view s) { return !s.empty() && std::ranges::all_of(s, is_digit); }

bool is_host(std::string_view s) {
  constexpr std::size_t longest_name = 253;  // RFC 1035
  return !s.empty() && s.size() <= longest_name && std::ranges::all_of(s, [](char c) {
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.' || c == '_';
  });
}

/// The host in "host:pid:tid"; nothing when `word` is not of that shape.
std::optional<std::string_view> host_of(std::string_view word) {
  const auto thread = word.rfind(':');
  if (thread == word.npos || !is_number(word.substr(thread + 1))) return {};
  const auto process = word.substr(0, thread).rfind(':');
  if (process == word.npos || !is_number(word.substr(process + 1, thread - process - 1))) return {};
  const auto host = word.substr(0, process);
  return is_host(host) ? std::optional(host) : std::nullopt;
}

/// What follows `key`; nothing when the line lacks it.
std::optional<std::string_view> after(std::string_view text, std::string_view key) {
  const auto at = text.find(key);
  if (at == text.npos) return {};
  return text.substr(at + key.size());
}

std::string_view first_word(std::string_view text) {
  text = trim(text);
  return text.substr(0, std::min(text.find_first_of(" \t"), text.size()));
}

/// The whole number that follows `key`; small enough to be a count of anything here.
std::optional<std::int64_t> number_after(std::string_view text, std::string_view key) {
  constexpr std::size_t most_digits = 9;
  const auto rest = after(text, key);
  if (!rest) return {};
  const auto digits =
      rest->substr(0, std::min(rest->find_first_not_of("0123456789"), rest->size()));
  return digits.size() <= most_digits ? parse_integer(digits) : std::nullopt;
}

std::string shown(std::string_view text) { return printable(trim(text).substr(0, longest_text)); }

/// "4e000" -> "0000:4e:00.0": NCCL prints domain, bus, device and function as one number.
std::optional<std::string> address_of(std::string_view bus_id) {
  const auto id = bus_id.size() <= 9 ? parse_integer(bus_id, 16) : std::nullopt;
  if (!id || *id <= 0) return {};
  return pci_address(fmt::format("{:04x}:{:02x}:{:02x}.{:x}", *id >> 20, (*id >> 12) & 0xff,
                                 (*id >> 4) & 0xff, *id & 0xf));
}

}  // namespace

std::optional<LogLine> log_line(std::string_view line) {
  auto at = line.find(" NCCL INFO ");
  if (at == line.npos) at = line.find(" NCCL WARN ");
  if (at == line.npos) return {};
  LogLine out{.host = {}, .level = line.substr(at + 6, 4), .words = line.substr(at + 11)};
  // "[0]" or "[0] file.cc:41", and before it the process: anything else is no line of NCCL's.
  constexpr std::size_t longest_head = 512;
  const std::size_t begin = at - std::min(at, longest_head);
  const auto before = words(line.substr(begin, at - begin));
  for (std::size_t back = 1; back <= 2 && back < before.size(); ++back) {
    const auto gpu = before[before.size() - back];
    if (gpu.size() < 3 || gpu.front() != '[' || gpu.back() != ']') continue;
    if (!is_number(gpu.substr(1, gpu.size() - 2))) return {};
    const auto process = before[before.size() - back - 1];
    const auto host = host_of(process);
    // Within a row of a table the host's name sticks to the cell before it.
    const bool own = host && !before.empty() && process.data() == before.front().data();
    const bool tagged = host && before.size() >= back + 2;
    if (own || (tagged && before[0].find_first_of("0123456789[") != 0)) out.host = *host;
    if (host || contains(process, ":")) return out;
  }
  return {};
}

void Log::line(std::string_view text, std::size_t number) {
  // Rank 0 prints its version bare.
  if (text.starts_with("NCCL version ")) info(text, number);
  const auto found = log_line(text);
  if (!found) return;
  ++lines_;
  if (!found->host.empty() &&
      (hosts_.size() < most_hosts || hosts_.contains(std::string(found->host)))) {
    auto& [count, first] = hosts_.try_emplace(std::string(found->host), 0, number).first->second;
    ++count;
  }
  if (found->level == "INFO") return info(found->words, number);
  if (warnings_.size() < most_texts || warnings_.contains(shown(found->words)))
    warnings_.try_emplace(shown(found->words), number);
  else
    ++more_warnings_;
}

void Log::info(std::string_view said, std::size_t number) {
  const auto keep = [&](Seen& seen, std::string text) {
    if (!text.empty() && seen.size() < most_texts) seen.try_emplace(std::move(text), number);
  };
  if (const auto rest = after(said, "NCCL version ")) {
    auto version = rest->substr(0, std::min(rest->find_first_not_of("0123456789."), rest->size()));
    if (contains(version, ".")) keep(versions_, shown(version));
  }
  // 12060 is 12.6: the newest that the driver supports, as nvidia-smi prints it.
  if (const auto code = number_after(said, "cudaDriverVersion "); code && *code >= 1000)
    keep(cuda_, fmt::format("{}.{}", *code / 1000, *code % 1000 / 10));
  if (const auto net = after(said, "Using network ")) keep(nets_, shown(first_word(*net)));
  if (const auto value = after(said, " set by environment to "); value && said.starts_with("NCCL_"))
    keep(environment_, fmt::format("{}={}", shown(first_word(said)), shown(*value)));
  read_communicator(said, number);
  if (said.starts_with("Channel ")) read_channel(said, number);
  if (contains(said, " coll channels, ")) {
    const auto count = first_word(said);
    const auto channels = count.size() < 6 ? parse_integer(count) : std::nullopt;
    if (channels && *channels >= 0 && channels_.size() < most_texts)
      channels_.try_emplace(Channels{*channels, ranks_}, number);
  }
  read_gdr(said, number);
  read_nvls(said, number);
}

void Log::read_communicator(std::string_view said, std::size_t number) {
  if (!contains(said, "comm ")) return;
  auto ranks = number_after(said, " nranks ");
  if (!ranks) ranks = number_after(said, " nRanks ");
  if (ranks && *ranks > 0) {
    ranks_ = ranks;
    if (all_ranks_.size() < most_texts) all_ranks_.insert(*ranks);
  }
  const auto nodes = number_after(said, " nNodes ");
  if (nodes && all_nodes_.size() < most_texts) all_nodes_.insert(*nodes);
  // Without nvmlDev there is only CUDA's ordinal, which is not nvidia-smi's.
  const auto index = number_after(said, " nvmlDev ");
  const auto bus_id = after(said, " busId ");
  const auto address = bus_id ? address_of(first_word(*bus_id)) : std::nullopt;
  if (index && address && gpus_.size() < most_gpus) gpus_.try_emplace(*address, *index, number);
}

/// "Channel 00/0 : 0[0] -> 1[1] via P2P/CUMEM/read", "Channel 00 : 3[1a0] -> 4[2b0] [send] via
/// NET/IB/0/GDRDMA".
void Log::read_channel(std::string_view said, std::size_t number) {
  const auto via = after(said, " via ");
  if (!via || !contains(said, "->")) return;
  const auto path = first_word(*via);
  const std::string transport = shown(path.substr(0, std::min(path.find('/'), path.size())));
  if (transports_line_ == 0) transports_line_ = number;
  if (transports_.size() < most_texts || transports_.contains(transport)) ++transports_[transport];
  if (transport != "NET") return;
  ++(contains(path, "GDRDMA") ? net_gdr_ : net_plain_);
  if (gdr_line_ == 0) gdr_line_ = number;
}

void Log::read_gdr(std::string_view said, std::size_t number) {
  const auto rest = after(said, "GPU Direct RDMA ");
  if (!rest || !contains(*rest, " for HCA ")) return;
  const bool enabled = rest->starts_with("Enabled");
  if (!enabled && !rest->starts_with("Disabled")) return;
  ++(enabled ? hca_gdr_ : hca_plain_);
  if (gdr_line_ == 0) gdr_line_ = number;
}

/// Channels tell what is used; that multicast is available only says that it might be.
void Log::read_nvls(std::string_view said, std::size_t number) {
  const bool channels = contains(said, " nvls channels");
  const bool support = said.starts_with("NVLS multicast support is");
  if (!channels && (!support || nvls_by_channels_)) return;
  const bool used = channels ? !contains(said, " 0 nvls channels") : !contains(said, " not ");
  const bool better = channels && !nvls_by_channels_;
  if (better || !nvls_ || (used && !*nvls_)) {
    nvls_ = used;
    nvls_line_ = number;
  }
  nvls_by_channels_ = nvls_by_channels_ || channels;
}

void Log::record(Recorder& out, bool table) const {
  record_versions(out, table);
  record_hosts(out, table);
  for (const auto& [net, number] : nets_) {
    out.line(number);
    out.text("nccl.net"_id, "node", net);
  }
  if (!environment_.empty()) {
    std::vector<std::string> variables;
    for (const auto& [variable, number] : environment_) variables.push_back(variable);
    out.line(environment_.begin()->second);
    out.texts("nccl.environment"_id, "node", std::move(variables));
  }
  record_gdr(out);
  if (nvls_) {
    out.line(nvls_line_);
    out.flag("nccl.nvls"_id, "node", *nvls_);
  }
  record_channels(out);
  std::vector<std::string> warnings;
  std::size_t first = 0;
  for (const auto& [warning, number] : warnings_) {
    warnings.push_back(warning);
    first = first == 0 ? number : std::min(first, number);
  }
  out.line(first);  // an empty list says that NCCL logged, and warned of nothing
  out.texts("nccl.warnings"_id, "node", std::move(warnings));
  if (more_warnings_ > 0) out.detail(fmt::format("and {} lines of others", more_warnings_));
}

void Log::record_versions(Recorder& out, bool table) const {
  for (const auto& [version, number] : versions_) {
    if (table) break;
    out.line(number);
    out.text("node.nccl.version"_id, "node", version);
  }
  for (const auto& [version, number] : cuda_) {
    out.line(number);
    out.text("node.cuda.version"_id, "node", version);
  }
}

/// With one host the node has a name, and addresses of its GPUs mean something.
void Log::record_hosts(Recorder& out, bool table) const {
  // Output glued together makes names that no second line repeats.
  std::size_t most = 0;
  for (const auto& [host, seen] : hosts_) most = std::max(most, seen.first);
  std::vector<std::string> names;
  for (const auto& [host, seen] : hosts_)
    if (seen.first > 1 || most == 1) names.push_back(host);
  if (names.size() != 1) return;
  out.line(hosts_.at(names[0]).second);
  if (!table) out.text("node.hostname"_id, "node", names[0]);
  const auto told = [&](const std::string& subject) {
    return std::ranges::any_of(out.evidence().observations, [&](const Observation& o) {
      return o.id == "gpu.pci.address"_id && o.subject == subject;
    });
  };
  for (const auto& [address, gpu] : gpus_) {
    const std::string subject = "gpu:" + address;
    out.line(gpu.second);
    if (!told(subject)) out.text("gpu.pci.address"_id, subject, address);
    out.number("gpu.index"_id, subject, static_cast<double>(gpu.first));
  }
}

void Log::record_gdr(Recorder& out) const {
  out.line(gdr_line_);
  if (net_gdr_ + net_plain_ > 0) {
    out.flag("nccl.gdr"_id, "node", net_plain_ == 0);
    out.detail(fmt::format("{} of {} network channels", net_gdr_, net_gdr_ + net_plain_));
  } else if (hca_gdr_ + hca_plain_ > 0) {
    out.flag("nccl.gdr"_id, "node", hca_plain_ == 0);
    out.detail("as NCCL says of the adapters; no channel used the network");
  }
}

void Log::record_channels(Recorder& out) const {
  if (!transports_.empty()) {
    std::vector<std::string> names, counts;
    for (const auto& [name, count] : transports_) {
      names.push_back(name);
      counts.push_back(fmt::format("{} {}", name, count));
    }
    out.line(transports_line_);
    out.texts("nccl.transports"_id, "node", std::move(names));
    out.detail("channels: " + join(counts, ", "));
  }
  std::set<Channels> said;
  for (const auto& [seen, number] : channels_) {
    Channels channels = seen;
    Where where;
    // Old versions name the ranks only below; then one communicator is the only one.
    if (all_ranks_.size() == 1) channels.ranks = *all_ranks_.begin();
    if (!said.insert(channels).second) continue;
    if (channels.ranks) where["gpus"] = static_cast<double>(*channels.ranks);
    if (all_nodes_.size() == 1) where["nodes"] = static_cast<double>(*all_nodes_.begin());
    out.line(number);
    out.number("nccl.channels"_id, "node", static_cast<double>(channels.collective),
               std::move(where));
  }
}

}  // namespace gpuvet::ingest::nccl
