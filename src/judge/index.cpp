// SPDX-License-Identifier: Apache-2.0
#include "judge/index.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.hpp"

namespace gpuvet::judge {
namespace {

bool is_gpu(std::string_view subject) { return subject.substr(0, 4) == "gpu:"; }

bool matches(std::string_view name, std::string_view pattern) {
  const auto star = pattern.find('*');
  if (star == std::string_view::npos) return name == pattern;
  const auto before = pattern.substr(0, star), after = pattern.substr(star + 1);
  return name.size() >= before.size() + after.size() && name.substr(0, before.size()) == before &&
         name.substr(name.size() - after.size()) == after;
}

/// A value as the catalogue writes it: 8, true, nvswitch.
std::string written(const Value& value) {
  if (const auto* number = std::get_if<double>(&value)) return format_number(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  return {};
}

/// How many entries a list has; anything else is one.
std::size_t entries(const Value& value) {
  if (const auto* texts = std::get_if<std::vector<std::string>>(&value)) return texts->size();
  if (const auto* numbers = std::get_if<std::vector<double>>(&value)) return numbers->size();
  return 1;
}

template <class T>
bool compares(catalogue::Condition::Op op, const T& left, const T& right) {
  using Op = catalogue::Condition::Op;
  switch (op) {
    case Op::equal:
      return left == right;
    case Op::not_equal:
      return left != right;
    case Op::less:
      return left < right;
    case Op::less_equal:
      return left <= right;
    case Op::greater:
      return left > right;
    case Op::greater_equal:
      return left >= right;
    default:
      return false;
  }
}

}  // namespace

Index::Index(const Evidence& evidence, const catalogue::Catalogue& catalogue)
    : catalogue_{catalogue}, gpus_{gpus_listed(evidence)} {
  for (const auto& o : evidence.observations) by_id_[o.id][o.subject].push_back(&o);
}

std::vector<Id> Index::matching(std::string_view reads) const {
  std::vector<Id> out;
  for (const auto& info : all_ids())
    if (matches(info.name, reads)) out.push_back(*find_id(info.name));
  return out;
}

const std::map<std::string, std::vector<const Observation*>>& Index::of(Id id) const {
  static const std::map<std::string, std::vector<const Observation*>> none;
  const auto found = by_id_.find(id);
  return found == by_id_.end() ? none : found->second;
}

const Observation* Index::find(Id id, std::string_view subject) const {
  const auto& subjects = of(id);
  const auto found = subjects.find(std::string(subject));
  if (found == subjects.end()) return nullptr;
  const auto present = std::find_if(found->second.rbegin(), found->second.rend(),
                                    [](const auto* o) { return o->get() != nullptr; });
  return present == found->second.rend() ? nullptr : *present;
}

bool Index::without_gpu() const {
  const auto* count = find("topology.gpu_count"_id, "node");
  return count != nullptr && count->number() != nullptr && *count->number() == 0;
}

const catalogue::Gpu* Index::sku(std::string_view subject) const {
  const auto* o = is_gpu(subject) ? find("gpu.sku"_id, subject) : nullptr;
  if (o == nullptr) o = find("node.gpu.sku"_id, "node");
  return o == nullptr || o->text() == nullptr ? nullptr : catalogue_.gpu(*o->text());
}

std::optional<Value> Index::lookup(std::string_view key, std::string_view subject,
                                   const Where& seen) const {
  if (const auto dimension = seen.find(key); dimension != seen.end()) {
    if (const auto* number = std::get_if<double>(&dimension->second)) return Value{*number};
    return Value{std::get<std::string>(dimension->second)};
  }
  if (key.substr(0, 4) == "sku:") {
    const auto* gpu = sku(subject);
    if (gpu == nullptr) return {};
    if (const auto text = gpu->texts.find(key.substr(4)); text != gpu->texts.end())
      return Value{text->second};
    if (const auto field = gpu->decided(key.substr(4))) return Value{field->value};
    return {};
  }
  const auto id = find_id(key);
  if (!id) return {};
  for (const auto place : {subject, std::string_view("node")})
    if (const auto* o = find(*id, place)) return *o->get();
  std::optional<Value> common;
  for (const auto& [gpu, observations] : of(*id)) {
    const auto* o = find(*id, gpu);
    if (o == nullptr || (common && !(*common == *o->get()))) return {};
    common = *o->get();
  }
  return common;
}

Answer Index::holds(const catalogue::When& when, std::string_view subject,
                    const Where& seen) const {
  Answer answer = Answer::yes;
  for (const auto& term : when.terms) {
    const auto value = lookup(term.key, subject, seen);
    if (!value) {
      answer = Answer::unknown;
      continue;
    }
    const bool ok = term.condition ? meets(*value, *term.condition)
                                   : std::find(term.any_of.begin(), term.any_of.end(),
                                               written(*value)) != term.any_of.end();
    if (!ok) return Answer::no;
  }
  return answer;
}

std::string Index::label(std::string_view subject) const {
  constexpr std::string_view link = "link:";
  const auto between = subject.find('~');
  if (subject.substr(0, link.size()) == link && between != std::string_view::npos) {
    const auto end = [&](std::string_view name) { return label("gpu:" + std::string(name)); };
    return end(subject.substr(link.size(), between - link.size())) + " to " +
           end(subject.substr(between + 1));
  }
  if (!is_gpu(subject)) return std::string(subject);
  const auto* index = find("gpu.index"_id, subject);
  const auto* pci = find("gpu.pci.address"_id, subject);
  // Other tools count in their own order: their GPU 3 may not be nvidia-smi's.
  for (const auto& [space, words] :
       {std::pair{"gpu:cuda#", "CUDA device "}, std::pair{"gpu:dcgm#", "DCGM GPU "},
        std::pair{"gpu:bmc#", "BMC's "}, std::pair{"gpu:nccl#", "NCCL device "}})
    if (subject.substr(0, std::string_view(space).size()) == space)
      return words + std::string(subject.substr(std::string_view(space).size()));
  std::string out = "GPU";
  if (index != nullptr && index->number() != nullptr)
    out += " " + format_number(*index->number());
  else if (const auto hash = subject.find('#'); hash != std::string_view::npos)
    return out + " " + std::string(subject.substr(hash + 1));
  if (pci != nullptr && pci->text() != nullptr) return out + " (" + *pci->text() + ")";
  // A lost GPU tells its address no more, and is known by nothing else.
  if (const auto own = pci_address(subject.substr(4)); own && index != nullptr)
    return out + " (" + *own + ")";
  return index == nullptr ? out + " " + std::string(subject.substr(4)) : out;
}

bool meets(const Value& value, const catalogue::Condition& c, double reference) {
  using Op = catalogue::Condition::Op;
  if (c.op == Op::any) return true;
  if (c.op == Op::empty) return entries(value) == 0;
  if (c.op == Op::not_empty) return entries(value) != 0;
  if (c.text) return (written(value) == *c.text) == (c.op == Op::equal);
  // "13.0" against ">= 12.4": versions, part by part.
  if (const auto* text = std::get_if<std::string>(&value); text != nullptr && !c.count) {
    auto have = version_parts(*text);
    auto want = version_parts(
        trim(std::string_view(c.written).substr(c.written.find_first_not_of("<>=!"))));
    if (have.empty() || want.empty()) return false;
    // "2" is version 2.0.
    have.resize(std::max(have.size(), want.size()), 0);
    want.resize(have.size(), 0);
    return compares(c.op, have, want);
  }
  double seen = 0;
  if (c.count)
    seen = static_cast<double>(entries(value));
  else if (const auto* number = std::get_if<double>(&value))
    seen = *number;
  else
    return false;
  const double right = c.relative ? c.factor * reference + c.number : c.number;
  return compares(c.op, seen, right);
}

}  // namespace gpuvet::judge
