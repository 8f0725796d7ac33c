// SPDX-License-Identifier: Apache-2.0
// What every format for people says, and in which order: the headline, the words for a status, and
// findings that differ only in their subject told once.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "judge/verdict.hpp"

namespace gpuvet::report {

/// "UNFIT for purchase: 2 criteria failed". Holds nothing that came from an input file.
std::string headline(const judge::Verdict&);

/// Short words for people: "FAIL", "no evidence", "n/a".
std::string_view word(judge::Status);
std::string_view word(judge::FitStatus);

/// "1 criterion", "2 criteria".
std::string counted(std::size_t n, std::string_view one, std::string_view many);

/// Whether the group has a row on the scorecard: the seven benchmarks and the validation kit.
bool on_scorecard(const judge::GroupResult&);

/// "2 failed, 5 passed, 1 not tested"; where nothing was tested, what is missing.
std::string counts(const judge::GroupResult&);

/// The group's title; its id when the verdict has no such group.
std::string_view group_title(const judge::Verdict&, std::string_view group);

/// "tier 2: Azure/azurehpc-health-checks@0e0a1ac"; empty when no limit applied.
std::string source_text(const judge::Finding&);

/// Findings of one criterion with one status, limit, source and advice: told together, so that
/// eight GPUs with one fault are one paragraph. Never empty.
using Block = std::vector<const judge::Finding*>;

/// "62 °C at gpus=8 (reported by nvidia-smi -q, received, q.txt:12)"; empty without evidence.
std::string seen_text(const judge::Finding&);

/// The same for a block: "2, 5 (reported by nvidia-smi -q, received, q.txt)"; one text for each
/// provenance and set of conditions.
std::vector<std::string> seen_texts(const Block&);

/// "reported by nvidia-smi topo -m, received, topo.txt:12".
std::string provenance_text(const Provenance&, std::size_t line);

/// Blocks of the findings that `wanted` accepts, in the order of their first finding.
std::vector<Block> blocks(const std::vector<judge::Finding>&,
                          bool (*wanted)(const judge::Finding&));

/// The same blocks by group; groups in the order of their first (and so worst) block.
std::vector<std::vector<Block>> by_group(std::vector<Block>);

/// Failed, warned or could not be judged for an error.
bool is_trouble(const judge::Finding&);
/// Required at this stage, and nothing was sent that answers it.
bool is_missing(const judge::Finding&);
/// Neither of the two.
bool is_quiet(const judge::Finding&);

/// "gpu:A, gpu:B and 3 more": the subjects of a block, once each.
std::string subjects(const Block&);

/// What stands beside a block's title: its subjects, or "8 findings" where several messages name
/// them.
std::string about(const Block&);

/// "Remapped rows"; the id of a criterion without a title.
std::string title(const judge::Finding&);

/// What a block has to say. Messages name their subjects, so eight GPUs give eight of them, with
/// one and the same explanation behind: that is told once.
struct Told {
  std::vector<std::string> each;  ///< distinct messages, less what is common
  std::string common;             ///< sentences that all of several messages end with
};
Told told(const Block&);

}  // namespace gpuvet::report
