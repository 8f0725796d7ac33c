// SPDX-License-Identifier: Apache-2.0
// What a model says: one figure and the circumstances it was asked for, or why it will not say.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>
#include <vector>

namespace gpuvet::model {

/// What an interval depends on: how far the question is from measurements that are known.
enum class Transfer { same_gpu, new_gpu, new_framework, new_topology };

std::string_view name(Transfer);

/// The circumstances of a figure. Intervals compare them with those of known measurements.
struct Setting {
  std::string gpu;        ///< id in the catalogue
  std::string framework;  ///< software that runs it: "llm-foundry", "nccl-tests"; may be empty
  std::string topology;   ///< "single", "nvswitch", "nvlink-all", "nvlink-partial", "pcie", "nodes"
  double size = 0;        ///< of the problem, in the family's own measure; 0: has none
};

/// A point estimate, in base units (docs/observations.md): seconds, bytes, bytes per second, watts,
/// tokens or samples per second.
struct Estimate {
  std::string family;  ///< estimates of one family share their interval: "gemm", "training.llm"
  double value = 0;
  Setting setting;
  double difficulty = 1;           ///< widens or narrows the family's interval; 1 is usual
  std::vector<std::string> notes;  ///< what it rests on that a reader must know
  bool decision = false;           ///< yes (1) or no (0): has no interval, doubt is refused
};

/// A question beyond what the model knows.
struct Refusal {
  std::string reason;
};

template <class T>
using Answer = tl::expected<T, Refusal>;

inline auto refuse(std::string reason) { return tl::make_unexpected(Refusal{std::move(reason)}); }

/// GPUVET_ANSWER(auto x, ask());  hands a refusal on to the caller, or binds the answer.
#define GPUVET_ANSWER(decl, expr) GPUVET_TRY(decl, expr)

}  // namespace gpuvet::model
