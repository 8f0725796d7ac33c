// SPDX-License-Identifier: Apache-2.0
// Every struct of the catalogue is taken apart once, by a structured binding: a member that is
// added to one and not packed does not compile.
#include "catalogue/packed.hpp"

#include <cstdint>
#include <cstring>
#include <stdexcept>
#include <type_traits>
#include <utility>

namespace gpuvet::catalogue {
namespace {

class Packer {
 public:
  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  void raw(const void* from, std::size_t size) { out.append(static_cast<const char*>(from), size); }
  std::size_t count(std::size_t size) {
    const auto written = static_cast<std::uint32_t>(size);
    raw(&written, sizeof written);
    return size;
  }

  std::string out;
};

class Unpacker {
 public:
  explicit Unpacker(std::string_view packed) : rest{packed} {}

  template <class... T>
  void operator()(T&... values) {
    (transfer(*this, values), ...);
  }
  std::string_view take(std::size_t size) {
    if (size > rest.size()) throw std::out_of_range("the packed catalogue is cut off");
    const auto taken = rest.substr(0, size);
    rest.remove_prefix(size);
    return taken;
  }
  void raw(void* to, std::size_t size) { std::memcpy(to, take(size).data(), size); }
  std::size_t count(std::size_t) {
    std::uint32_t size = 0;
    raw(&size, sizeof size);
    return size;
  }

  std::string_view rest;
};

template <class T>
concept Plain = std::is_arithmetic_v<T> || std::is_enum_v<T>;

template <class Archive, Plain T>
void transfer(Archive& archive, T& value) {
  archive.raw(&value, sizeof value);
}

void transfer(Packer& packer, std::string& text) {
  packer.raw(text.data(), packer.count(text.size()));
}
void transfer(Unpacker& unpacker, std::string& text) { text = unpacker.take(unpacker.count(0)); }

template <class Archive, class First, class Second>
void transfer(Archive& archive, std::pair<First, Second>& pair) {
  archive(pair.first, pair.second);
}

template <class Archive, class T>
void transfer(Archive& archive, std::optional<T>& value) {
  bool there = value.has_value();
  archive(there);
  if (there && !value) value = T{};
  if (there) archive(*value);
}

template <class Archive, class T>
void transfer(Archive& archive, std::vector<T>& values) {
  values.resize(archive.count(values.size()));
  for (T& value : values) archive(value);
}

template <class Key, class T, class Less>
void transfer(Packer& packer, std::map<Key, T, Less>& map) {
  packer.count(map.size());
  for (auto& [key, value] : map) {
    Key copy = key;
    packer(copy, value);
  }
}
template <class Key, class T, class Less>
void transfer(Unpacker& unpacker, std::map<Key, T, Less>& map) {
  for (std::size_t left = unpacker.count(0); left > 0; --left) {
    std::pair<Key, T> entry;
    unpacker(entry);
    map.insert(map.end(), std::move(entry));
  }
}

template <class Archive>
void transfer(Archive& archive, Source& x) {
  auto& [tier, ref] = x;
  archive(tier, ref);
}
template <class Archive>
void transfer(Archive& archive, Measure& x) {
  auto& [value, unit] = x;
  archive(value, unit);
}
template <class Archive>
void transfer(Archive& archive, Condition& x) {
  auto& [op, count, relative, factor, number, unit, text, written] = x;
  archive(op, count, relative, factor, number, unit, text, written);
}
template <class Archive>
void transfer(Archive& archive, When::Term& x) {
  auto& [key, any_of, condition] = x;
  archive(key, any_of, condition);
}
template <class Archive>
void transfer(Archive& archive, When& x) {
  auto& [terms] = x;
  archive(terms);
}
template <class Archive>
void transfer(Archive& archive, Limit& x) {
  auto& [when, of, pass, fail, source] = x;
  archive(when, of, pass, fail, source);
}
template <class Archive>
void transfer(Archive& archive, Criterion& x) {
  auto& [id, title, group, reads, pick, applies, required_at, only_if, limits, why, next, evidence,
         article, file] = x;
  archive(id, title, group, reads, pick, applies, required_at, only_if, limits, why, next, evidence,
          article, file);
}
template <class Archive>
void transfer(Archive& archive, Group& x) {
  auto& [id, title, kind, evidence] = x;
  archive(id, title, kind, evidence);
}
template <class Archive>
void transfer(Archive& archive, Gpu& x) {
  auto& [id, title, names, device_ids, subsystem_ids, architecture, datacenter, nvlink_attach,
         fields, texts, unverified, source, notes] = x;
  archive(id, title, names, device_ids, subsystem_ids, architecture, datacenter, nvlink_attach,
          fields, texts, unverified, source, notes);
}
template <class Archive>
void transfer(Archive& archive, Server& x) {
  auto& [id, vendor, model, kind, facts, unverified, source] = x;
  archive(id, vendor, model, kind, facts, unverified, source);
}
template <class Archive>
void transfer(Archive& archive, Xid& x) {
  auto& [code, mnemonic, meaning, immediate, investigate, severity, application, next, source] = x;
  archive(code, mnemonic, meaning, immediate, investigate, severity, application, next, source);
}
template <class Archive>
void transfer(Archive& archive, Sxid& x) {
  auto& [code, meaning, fatal, next, source] = x;
  archive(code, meaning, fatal, next, source);
}
template <class Archive>
void transfer(Archive& archive, Need& x) {
  auto& [reads, applies, pass, why, source, otherwise] = x;
  archive(reads, applies, pass, why, source, otherwise);
}
template <class Archive>
void transfer(Archive& archive, TrainingSpec& x) {
  auto& [architecture, method, rank, sequence, global_batch, micro_batch, tensor, pipeline,
         sharding, recompute, precision, framework, flash_attention, compiled, reference_model,
         samples, epochs, job] = x;
  archive(architecture, method, rank, sequence, global_batch, micro_batch, tensor, pipeline,
          sharding, recompute, precision, framework, flash_attention, compiled, reference_model,
          samples, epochs, job);
}
template <class Archive>
void transfer(Archive& archive, ServingSpec& x) {
  auto& [architecture, precision, engine, rate, prompt, output, spread, first_token, per_token,
         tensor, availability, load] = x;
  archive(architecture, precision, engine, rate, prompt, output, spread, first_token, per_token,
          tensor, availability, load);
}
template <class Archive>
void transfer(Archive& archive, Workload& x) {
  auto& [id, title, sentence, needs, training, serving] = x;
  archive(id, title, sentence, needs, training, serving);
}
template <class Archive>
void transfer(Archive& archive, Constant& x) {
  auto& [value, range, means, source] = x;
  archive(value, range, means, source);
}
template <class Archive>
void transfer(Archive& archive, ModelData& x) {
  auto& [id, title, constants] = x;
  archive(id, title, constants);
}
template <class Archive>
void transfer(Archive& archive, Architecture::Layer& x) {
  auto& [kind, repeat, numbers] = x;
  archive(kind, repeat, numbers);
}
template <class Archive>
void transfer(Archive& archive, Architecture& x) {
  auto& [id, title, family, names, numbers, layers, source] = x;
  archive(id, title, family, names, numbers, layers, source);
}
template <class Archive>
void transfer(Archive& archive, IntervalFamily::Errors& x) {
  auto& [median, p90] = x;
  archive(median, p90);
}
template <class Archive>
void transfer(Archive& archive, IntervalFamily& x) {
  auto& [id, gpus, frameworks, topologies, smallest, largest, same_gpu, new_gpu, new_framework,
         new_topology, rows, groups, without_group, without_gpu, without_software] = x;
  archive(id, gpus, frameworks, topologies, smallest, largest, same_gpu, new_gpu, new_framework,
          new_topology, rows, groups, without_group, without_gpu, without_software);
}
template <class Archive>
void transfer(Archive& archive, Price& x) {
  auto& [id, means, value, low, high, unit, date, source] = x;
  archive(id, means, value, low, high, unit, date, source);
}
template <class Archive>
void transfer(Archive& archive, Upgrade& x) {
  auto& [server, kind, from, to, documented, what, source] = x;
  archive(server, kind, from, to, documented, what, source);
}
template <class Archive>
void transfer(Archive& archive, Verified& x) {
  auto& [probe, gpu, gpus, driver, date, measurements] = x;
  archive(probe, gpu, gpus, driver, date, measurements);
}
template <class Archive>
void transfer(Archive& archive, ArticleOrder::Place& x) {
  auto& [server, value, claim] = x;
  archive(server, value, claim);
}
template <class Archive>
void transfer(Archive& archive, ArticleOrder::Difference& x) {
  auto& [better, worse, claims, why] = x;
  archive(better, worse, claims, why);
}
template <class Archive>
void transfer(Archive& archive, ArticleOrder& x) {
  auto& [workload, by, figure, unit, least_is_best, places, differences] = x;
  archive(workload, by, figure, unit, least_is_best, places, differences);
}
template <class Archive>
void transfer(Archive& archive, Claim& x) {
  auto& [id, quote, says, found, verdict, does, kind, criteria] = x;
  archive(id, quote, says, found, verdict, does, kind, criteria);
}

/// Behind its length, so that readers can leave it out.
template <class... T>
void pack_part(Packer& packer, T&... values) {
  Packer part;
  part(values...);
  packer(part.out);
}

template <class... T>
void unpack_part(Unpacker& unpacker, bool wanted, T&... values) {
  Unpacker part(unpacker.take(unpacker.count(0)));
  if (!wanted) return;
  part(values...);
  if (!part.rest.empty()) throw std::out_of_range("the packed catalogue holds more than it should");
}

}  // namespace

std::string pack(Catalogue catalogue) {
  auto& [digest, groups, criteria, gpus, servers, xids, sxids, workloads, claims, models,
         architectures, intervals, prices, upgrades, verified, article_orders] = catalogue;
  Packer packer;
  packer(digest);
  pack_part(packer, groups, criteria, gpus, workloads);
  pack_part(packer, xids);
  pack_part(packer, servers, sxids, claims, models, architectures, intervals, prices, upgrades,
            verified, article_orders);
  return std::move(packer.out);
}

Catalogue unpack(std::string_view packed, Parts parts) {
  Catalogue out;
  auto& [digest, groups, criteria, gpus, servers, xids, sxids, workloads, claims, models,
         architectures, intervals, prices, upgrades, verified, article_orders] = out;
  const bool all = parts == Parts::all;
  Unpacker unpacker(packed);
  unpacker(digest);
  unpack_part(unpacker, all || parts == Parts::judging, groups, criteria, gpus, workloads);
  unpack_part(unpacker, all || parts == Parts::xids, xids);
  unpack_part(unpacker, all, servers, sxids, claims, models, architectures, intervals, prices,
              upgrades, verified, article_orders);
  return out;
}

}  // namespace gpuvet::catalogue
