// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/machines.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"
#include "derive/derive.hpp"
#include "gpuvet/evidence_files.hpp"
#include "platform/files.hpp"

namespace gpuvet::app {
namespace {

constexpr std::size_t largest_file = std::size_t{1} << 20;

template <class T>
Result<T> or_error(model::Answer<T> answer, const std::string& target) {
  if (answer) return std::move(*answer);
  return fail(Errc::not_supported, target + ": " + answer.error().reason);
}

/// "a100-pcie-80gb:8:pcie"
Result<NamedMachine> gpus_named(const std::string& target, const catalogue::Catalogue& catalogue) {
  const auto parts = split(target, ':');
  const auto* gpu = catalogue.gpu(parts[0]);
  const auto count = parts.size() > 1 ? parse_integer(parts[1]) : std::optional<std::int64_t>(1);
  constexpr std::int64_t most = 16;
  if (gpu == nullptr || !count || *count < 1 || *count > most || parts.size() > 3)
    return fail(Errc::usage, printable(target) +
                                 ": write GPU:COUNT or GPU:COUNT:TOPOLOGY, like "
                                 "a100-pcie-80gb:8:pcie (gpuvet list gpus)");
  const std::string topology = parts.size() > 2 ? std::string(parts[2]) : std::string();
  GPUVET_TRY(auto machine,
             or_error(model::machine_of(*gpu, static_cast<int>(*count), topology), target));
  machine.name = target;
  return NamedMachine{std::move(machine), {}};
}

Result<NamedMachine> evidence_named(const std::string& target,
                                    const catalogue::Catalogue& catalogue) {
  GPUVET_TRY(auto gathered, gather({target}, false));
  if (gathered.evidence.empty())
    return fail(Errc::malformed, target + ": no evidence that could be understood");
  GPUVET_TRY(auto evidence, derive::one_server(std::move(gathered.evidence), std::nullopt));
  evidence = derive::derive(std::move(evidence), catalogue, {});
  GPUVET_TRY(auto machine, or_error(model::machine_of(evidence, catalogue), target));
  if (machine.name.empty()) machine.name = target;
  return NamedMachine{std::move(machine), {}};
}

bool looks_like_offer(const std::string& text) {
  return contains(text, "name = ") && (contains(text, "gpu = ") || contains(text, "server = "));
}

}  // namespace

Result<NamedMachine> machine_named(const std::string& target,
                                   const catalogue::Catalogue& catalogue) {
  if (const auto* server = catalogue.server(target)) {
    GPUVET_TRY(auto machine, or_error(model::machine_of(*server, catalogue), target));
    return NamedMachine{std::move(machine), {}};
  }
  if (catalogue.gpu(target.substr(0, target.find(':'))) != nullptr)
    return gpus_named(target, catalogue);
  if (target.ends_with(".toml") && !platform::is_folder(target)) {
    GPUVET_TRY(const auto text, platform::read_file(target, largest_file));
    if (looks_like_offer(text)) {
      GPUVET_TRY(auto offer, in_context(catalogue::parse_offer(text, catalogue), target));
      GPUVET_TRY(auto machine, or_error(model::machine_of(offer, catalogue), target));
      return NamedMachine{std::move(machine), std::move(offer)};
    }
  }
  if (!platform::is_folder(target) && !platform::open_file(target))
    return fail(Errc::not_found,
                printable(target) +
                    ": neither a server (gpuvet list servers), GPUs like a100-pcie-80gb:8, nor a "
                    "file or folder");
  return evidence_named(target, catalogue);
}

Result<std::vector<catalogue::Workload>> workloads_named(const std::vector<std::string>& names,
                                                         const catalogue::Catalogue& catalogue) {
  std::vector<catalogue::Workload> out;
  for (const auto& name : names) {
    if (const auto* known = catalogue.workload(name)) {
      out.push_back(*known);
    } else if (name.ends_with(".toml")) {
      GPUVET_TRY(const auto text, platform::read_file(name, largest_file));
      GPUVET_TRY(auto own, in_context(catalogue::parse_own_workload(text), name));
      out.push_back(std::move(own));
    } else {
      return fail(Errc::usage, "--for " + printable(name) +
                                   ": no such workload (gpuvet list workloads, or a file.toml)");
    }
  }
  return out;
}

Result<WhatIf> WhatIf::parse(const std::vector<std::string>& pairs) {
  WhatIf out;
  for (const auto& pair : pairs) {
    const auto equals = pair.find('=');
    if (equals == std::string::npos || equals == 0 || equals + 1 == pair.size())
      return fail(Errc::usage, "--what-if " + printable(pair) + ": write KEY=VALUE");
    out.given_[pair.substr(0, equals)] = pair.substr(equals + 1);
  }
  return out;
}

std::optional<std::string> WhatIf::text(const std::string& key, const std::string& help) {
  known_[key] = help;
  const auto found = given_.find(key);
  return found == given_.end() ? std::nullopt : std::optional(found->second);
}

Result<std::optional<double>> WhatIf::number(const std::string& key, const std::string& help) {
  const auto given = text(key, help);
  if (!given) return std::optional<double>{};
  const auto measure = parse_measure(*given);
  if (!measure)
    return fail(Errc::usage, "--what-if " + key + "=" + printable(*given) + ": " +
                                 measure.error().what + " (" + help + ")");
  return std::optional<double>(measure->value);
}

Result<void> WhatIf::finish() const {
  for (const auto& [key, value] : given_) {
    if (known_.contains(key)) continue;
    std::string all;
    for (const auto& [name, help] : known_)
      all += fmt::format("{}{} ({})", all.empty() ? "" : ", ", name, help);
    return fail(Errc::usage, "--what-if " + printable(key) + ": takes " + all);
  }
  return {};
}

Result<void> apply(WhatIf& what, NamedMachine& named, const catalogue::Catalogue& catalogue) {
  const auto gpu = what.text("gpu", "kind of GPU, as gpuvet list gpus has it");
  const auto topology = what.text("topology", "nvswitch, nvlink-all, nvlink-partial or pcie");
  GPUVET_TRY(const auto gpus, what.number("gpus", "GPUs of one server"));
  GPUVET_TRY(const auto servers, what.number("servers", "servers that work together"));
  auto& machine = named.machine;
  if (gpu || topology || gpus) {
    const auto* kind = catalogue.gpu(gpu ? *gpu : machine.gpu.id);
    if (kind == nullptr)
      return fail(Errc::usage, "--what-if gpu=" + printable(*gpu) + ": not in the catalogue");
    const int count = gpus ? static_cast<int>(*gpus) : machine.fabric.gpus;
    const std::string joined = topology ? *topology
                               : gpu    ? std::string()
                                        : std::string(model::topology_class(machine.fabric));
    GPUVET_TRY(auto other, or_error(model::machine_of(*kind, count, joined), "--what-if"));
    other.name = machine.name + " (changed)";
    other.host = machine.host;
    other.cooling = machine.cooling;
    machine = std::move(other);
  }
  if (servers) {
    GPUVET_TRY(machine, or_error(model::several(machine, static_cast<int>(*servers)), "--what-if"));
  }
  return {};
}

Result<void> apply(WhatIf& what, catalogue::Workload& workload) {
  const auto set = [&](const char* key, const char* help, double* to) -> Result<void> {
    GPUVET_TRY(const auto value, what.number(key, help));
    if (value && to != nullptr) *to = *value;
    return {};
  };
  auto* t = workload.training ? &*workload.training : nullptr;
  auto* s = workload.serving ? &*workload.serving : nullptr;
  GPUVET_CHECK(set("sequence", "tokens of a training sequence", t ? &t->sequence : nullptr));
  GPUVET_CHECK(set("global_batch", "sequences of a step", t ? &t->global_batch : nullptr));
  GPUVET_CHECK(set("micro_batch", "sequences of a GPU's pass", t ? &t->micro_batch : nullptr));
  GPUVET_CHECK(set("samples", "of one job", t ? &t->samples : nullptr));
  GPUVET_CHECK(set("epochs", "of one job", t ? &t->epochs : nullptr));
  GPUVET_CHECK(set("rate", "requests a second", s ? &s->rate : nullptr));
  GPUVET_CHECK(set("prompt", "tokens of a request", s ? &s->prompt : nullptr));
  GPUVET_CHECK(set("output", "tokens of an answer", s ? &s->output : nullptr));
  GPUVET_CHECK(set("first_token", "limit for 95 %, like 300ms", s ? &s->first_token : nullptr));
  GPUVET_CHECK(set("per_token", "limit for 95 %, like 40ms", s ? &s->per_token : nullptr));
  if (const auto method = what.text("method", "full, lora or qlora"); method && t != nullptr)
    t->method = *method;
  if (const auto sharding = what.text("sharding", "none, zero-1, zero-2 or zero-3");
      sharding && t != nullptr)
    t->sharding = *sharding;
  if (const auto precision = what.text("precision", "bf16, fp16, fp8 …")) {
    if (t != nullptr) t->precision = *precision;
    if (s != nullptr) s->precision = *precision;
  }
  if (const auto engine = what.text("engine", "vllm, tensorrt-llm, lmdeploy …");
      engine && s != nullptr)
    s->engine = *engine;
  return {};
}

}  // namespace gpuvet::app
