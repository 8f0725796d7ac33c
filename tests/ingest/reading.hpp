// SPDX-License-Identifier: Apache-2.0
// What every importer test needs: a text through an importer, and one observation out of the rest.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "ingest/importer.hpp"

namespace gpuvet::ingest::testing {

/// What `importer` makes of `text`, as if it came from the file "given.txt".
inline Result<Evidence> read(const Importer& importer, std::string_view text) {
  MemorySource source{text};
  Evidence evidence;
  Provenance provenance;
  provenance.source = "given.txt";
  Recorder recorder{evidence, std::move(provenance)};
  GPUVET_CHECK(importer.read(source, recorder));
  return evidence;
}

/// read() of a text that is expected to be understood; empty when it is not.
inline Evidence understood(const Importer& importer, std::string_view text) {
  auto evidence = read(importer, text);
  EXPECT_TRUE(evidence) << text << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

/// `importer` refuses `text` at this line, in words that hold these.
inline void expect_error(const Importer& importer, std::string_view text, std::size_t line,
                         std::string_view words) {
  const auto evidence = read(importer, text);
  ASSERT_FALSE(evidence) << text;
  EXPECT_EQ(evidence.error().input_line, line) << text;
  EXPECT_NE(evidence.error().what.find(words), std::string::npos) << evidence.error().what;
}

/// All observations of `id`, in the order recorded; of one subject when one is named.
inline std::vector<Observation> all_of(const Evidence& evidence, std::string_view id,
                                       std::optional<std::string_view> subject = {}) {
  std::vector<Observation> found;
  std::ranges::copy_if(evidence.observations, std::back_inserter(found), [&](const Observation& o) {
    return o.id.name() == id && (!subject || o.subject == *subject);
  });
  return found;
}

/// The only observation of `id` on `subject`; null when there is none or more than one.
inline const Observation* only(const Evidence& evidence, std::string_view id,
                               std::string_view subject) {
  const Observation* found = nullptr;
  for (const Observation& o : evidence.observations) {
    if (o.id.name() != id || o.subject != subject) continue;
    if (found != nullptr) return nullptr;
    found = &o;
  }
  return found;
}

/// The value of only(); nothing when there is no such observation or it is of another type or
/// absent.
template <class T>
std::optional<T> value(const Evidence& evidence, std::string_view id, std::string_view subject) {
  const Observation* o = only(evidence, id, subject);
  const T* held = o == nullptr ? nullptr : o->as<T>();
  return held == nullptr ? std::nullopt : std::optional<T>{*held};
}

inline std::optional<double> number(const Evidence& evidence, std::string_view id,
                                    std::string_view subject = "node") {
  return value<double>(evidence, id, subject);
}

inline std::optional<std::string> text(const Evidence& evidence, std::string_view id,
                                       std::string_view subject = "node") {
  return value<std::string>(evidence, id, subject);
}

inline std::optional<std::vector<double>> numbers(const Evidence& evidence, std::string_view id,
                                                  std::string_view subject) {
  return value<std::vector<double>>(evidence, id, subject);
}

/// Why only() holds no value; nothing when it holds one or does not exist.
inline std::optional<Absence> absence(const Evidence& evidence, std::string_view id,
                                      std::string_view subject = "node") {
  const Observation* o = only(evidence, id, subject);
  const Absence* why = o == nullptr ? nullptr : std::get_if<Absence>(&o->value);
  return why == nullptr ? std::nullopt : std::optional<Absence>{*why};
}

/// The numeric dimension of `observation` called `name`.
inline std::optional<double> dimension(const Observation& observation, std::string_view name) {
  const auto found = observation.where.find(name);
  if (found == observation.where.end()) return {};
  const double* held = std::get_if<double>(&found->second);
  return held == nullptr ? std::nullopt : std::optional<double>{*held};
}

/// The first table called `name`.
inline const Table* table(const Evidence& evidence, std::string_view name) {
  const auto found = std::ranges::find(evidence.tables, name, &Table::name);
  return found == evidence.tables.end() ? nullptr : &*found;
}

}  // namespace gpuvet::ingest::testing
