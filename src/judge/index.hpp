// SPDX-License-Identifier: Apache-2.0
// Evidence by id and subject, and the questions that criteria ask of it.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "evidence/evidence.hpp"

namespace gpuvet::judge {

enum class Answer { yes, no, unknown };

class Index {
 public:
  Index(const Evidence& evidence, const catalogue::Catalogue& catalogue);

  /// Ids that `reads` names; one "*" in it stands for any text.
  [[nodiscard]] std::vector<Id> matching(std::string_view reads) const;

  /// All observations of `id`, by subject, in order.
  [[nodiscard]] const std::map<std::string, std::vector<const Observation*>>& of(Id id) const;

  /// The last present observation of `id` on `subject`, or null.
  [[nodiscard]] const Observation* find(Id id, std::string_view subject) const;

  /// GPUs that some source lists.
  [[nodiscard]] const std::vector<std::string>& gpus() const { return gpus_; }

  /// Whether somebody looked and found no GPU.
  [[nodiscard]] bool without_gpu() const;

  /// The catalogue entry of a GPU; for "node" that of all GPUs when they are alike.
  [[nodiscard]] const catalogue::Gpu* sku(std::string_view subject) const;

  /// Whether every term holds. A key is a dimension of `seen`, "sku:<field>", or an observation of
  /// the subject, else of the node, else of all GPUs alike.
  [[nodiscard]] Answer holds(const catalogue::When& when, std::string_view subject,
                             const Where& seen) const;

  /// "GPU 3 (0000:9b:00.0)", "node", "link smi#0~smi#3": a subject for people.
  [[nodiscard]] std::string label(std::string_view subject) const;

 private:
  [[nodiscard]] std::optional<Value> lookup(std::string_view key, std::string_view subject,
                                            const Where& seen) const;

  const catalogue::Catalogue& catalogue_;
  std::map<Id, std::map<std::string, std::vector<const Observation*>>> by_id_;
  std::vector<std::string> gpus_;
};

/// Whether `value` meets `condition`; `reference` is what "ref" stands for.
bool meets(const Value& value, const catalogue::Condition& condition, double reference = 0);

}  // namespace gpuvet::judge
