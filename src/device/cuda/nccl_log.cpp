// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/nccl_log.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdlib>
#include <vector>

#include "core/text.hpp"
#include "platform/terminal.hpp"

namespace gpuvet::device::nccl {
namespace {

// The numbers of older versions' lines (NCCL's device.h); only ever added to.
constexpr std::array algorithms = {"tree",      "ring", "collnet_direct", "collnet_chain", "nvls",
                                   "nvls_tree", "pat"};
constexpr std::array protocols = {"ll", "ll128", "simple"};

template <std::size_t N>
std::string named(const std::array<const char*, N>& names, std::string_view word) {
  const auto number = parse_integer(word);
  if (!number) return lower(word);
  return *number >= 0 && *number < static_cast<std::int64_t>(N)
             ? names[static_cast<std::size_t>(*number)]
             : std::string();
}

std::string_view title(Collective op) {
  switch (op) {
    case Collective::all_reduce:
      return "AllReduce";
    case Collective::all_gather:
      return "AllGather";
    case Collective::reduce_scatter:
      return "ReduceScatter";
    case Collective::broadcast:
      return "Broadcast";
    case Collective::reduce:
      return "Reduce";
    case Collective::alltoall:
    case Collective::sendrecv:
      return {};  // between pairs: no algorithm
  }
  return {};
}

}  // namespace

std::string version_text(int code) {
  const int unit = code >= 10000 ? 10000 : 1000;
  return std::to_string(code / unit) + "." + std::to_string(code % unit / 100) + "." +
         std::to_string(code % 100);
}

std::optional<Choice> choice_in(std::string_view log, Collective op, std::uint64_t bytes) {
  constexpr std::string_view arrow = " Bytes -> Algo ", proto = " proto ";
  std::optional<Choice> out;
  for (const auto line : split(log, '\n')) {
    const auto at = line.find(arrow);
    if (at == std::string_view::npos) continue;
    const auto before = words(line.substr(0, at));
    if (before.empty() || parse_integer(before.back()) != static_cast<std::int64_t>(bytes))
      continue;
    // "AllReduce:" before the number in newer versions.
    if (before.size() > 1 && before[before.size() - 2].ends_with(':')) {
      auto named_op = before[before.size() - 2];
      named_op.remove_suffix(1);
      if (named_op != title(op)) continue;
    }
    const auto rest = words(line.substr(at + arrow.size()));
    if (rest.size() < 3 || rest[1] != trim(proto)) continue;
    out = Choice{named(algorithms, rest[0]), named(protocols, rest[2])};
  }
  return out;
}

Log& Log::of_process() {
  static Log log;
  return log;
}

Log::Log() {
  if (!platform::environment("NCCL_DEBUG").empty()) return;
  path_ = "/tmp/gpuvet-nccl-XXXXXX";
  file_ = ::mkstemp(path_.data());
  if (file_ < 0) return;
  ::setenv("NCCL_DEBUG", "INFO", 1);
  ::setenv("NCCL_DEBUG_SUBSYS", "TUNING", 1);
  ::setenv("NCCL_DEBUG_FILE", path_.c_str(), 1);
}

void Log::opened() {
  if (file_ >= 0 && !path_.empty()) ::unlink(path_.c_str());
  path_.clear();
}

std::string_view Log::recent() {
  if (file_ < 0) return {};
  std::vector<char> buffer(std::size_t{1} << 16);
  for (;;) {
    const auto got = ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(seen_));
    if (got <= 0) break;
    text_.append(buffer.data(), static_cast<std::size_t>(got));
    seen_ += static_cast<std::uint64_t>(got);
    if (text_.size() > 2 * most) text_.erase(0, text_.size() - most);
  }
  return text_;
}

}  // namespace gpuvet::device::nccl
