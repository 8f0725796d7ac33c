// SPDX-License-Identifier: Apache-2.0
// What is known about one server: a multiset of observations and a few tables. Two that disagree
// both stay.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "evidence/observation.hpp"
#include "evidence/table.hpp"

namespace gpuvet {

struct Evidence {
  std::vector<Observation> observations;
  std::vector<Table> tables;

  void append(Evidence other);
};

/// The GPUs of the inventory: every "gpu:…" that a driver's source lists; where none does, those
/// that another source, such as lspci, tells by their PCI ids. Facts about a GPU under some other
/// name alone don't make one. Sorted by subject.
std::vector<std::string> gpus_listed(const Evidence&);

/// Writes what one source says into Evidence. Checks at the door: numbers are finite and dimensions
/// declared (a violation is a bug of the writer and throws).
class Recorder {
 public:
  Recorder(Evidence& evidence, Provenance provenance);

  /// The facts that follow, and those already recorded here, come from this tool and version.
  void tool(std::string name, std::string version = {});
  void when(std::string time);
  /// How those facts are known: a benchmark measured them, a document claims them. Unless told, a
  /// tool reported them.
  void how(How);
  void line(std::size_t n) { line_ = n; }  ///< of the facts that follow
  [[nodiscard]] std::size_t line() const { return line_; }

  void number(Id, std::string subject, double value, Where = {});
  void text(Id, std::string subject, std::string value, Where = {});
  void flag(Id, std::string subject, bool value, Where = {});
  void numbers(Id, std::string subject, std::vector<double> values, Where = {});
  void texts(Id, std::string subject, std::vector<std::string> values, Where = {});
  void absent(Id, std::string subject, Absence why, std::string detail = {}, Where = {});
  void table(Table);

  /// Adds words to the observation recorded last.
  void detail(std::string words);

  /// What another source said, as it stands there.
  void append(Evidence other) { evidence_.append(std::move(other)); }

  [[nodiscard]] const Evidence& evidence() const { return evidence_; }
  [[nodiscard]] const Provenance& provenance() const { return *provenance_; }

 private:
  void add(Id, std::string subject, std::variant<Absence, Value>, Where);

  Evidence& evidence_;
  std::shared_ptr<Provenance> provenance_;
  std::size_t line_ = 0;
};

}  // namespace gpuvet
