// SPDX-License-Identifier: Apache-2.0
// Small evidence for the tests of derive: matrices as people write them, facts in one line.
#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>

#include "catalogue/packed.hpp"
#include "core/text.hpp"
#include "derive/derive.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::derive::testing {

inline const catalogue::Catalogue& embedded_catalogue() {
  static const catalogue::Catalogue catalogue = catalogue::built_in();
  return catalogue;
}

/// A recorder's worth of facts from one source file.
inline Evidence from(const std::string& source, const std::function<void(Recorder&)>& write) {
  Evidence out;
  Provenance provenance;
  provenance.source = source;
  Recorder recorder(out, provenance);
  write(recorder);
  return out;
}

/// What the importers make of `text`.
inline Evidence imported(const std::string& text, const std::string& source = "file") {
  const auto* importer = ingest::recognise(text);
  EXPECT_NE(importer, nullptr) << text;
  return from(source, [&](Recorder& out) {
    MemorySource bytes(text);
    const auto read = importer->read(bytes, out);
    EXPECT_TRUE(read) << read.error().message();
  });
}

/// A matrix of `n` GPUs with `cell(i, j)` between them, half of the GPUs on each NUMA node.
inline std::string matrix(int n, const std::function<std::string(int, int)>& cell) {
  std::string out = "     ";
  for (int i = 0; i < n; ++i) out += "  GPU" + std::to_string(i);
  out += "  CPU Affinity  NUMA Affinity\n";
  for (int i = 0; i < n; ++i) {
    out += "GPU" + std::to_string(i);
    for (int j = 0; j < n; ++j) out += "  " + (i == j ? std::string("X") : cell(i, j));
    out += i < (n + 1) / 2 ? "  0-23  0\n" : "  24-47  1\n";
  }
  return out;
}

inline Evidence derived(Evidence evidence, double thermal_asked = 48 * 3600.0) {
  return derive(std::move(evidence), embedded_catalogue(), {thermal_asked});
}

inline const Observation* find(const Evidence& evidence, std::string_view id,
                               std::string_view subject = "node") {
  const Observation* out = nullptr;
  for (const auto& o : evidence.observations)
    if (o.id.name() == id && o.subject == subject) out = &o;
  return out;
}

/// The value for people, or why there is none; "-" when the fact is not there at all.
inline std::string shown(const Evidence& evidence, std::string_view id,
                         std::string_view subject = "node") {
  const auto* o = find(evidence, id, subject);
  return o == nullptr ? "-" : format(*o);
}

}  // namespace gpuvet::derive::testing
