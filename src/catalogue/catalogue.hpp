// SPDX-License-Identifier: Apache-2.0
// The facts that judge: criteria, GPUs, servers, workloads, Xids, the article's claims. Parsed from
// data/*.toml while gpuvet is built (packed.hpp), or from the folder that --data-dir names.
#pragma once

#include <array>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.hpp"
#include "evidence/observation.hpp"

namespace gpuvet::catalogue {

enum class Stage { purchase, acceptance, prejob };
enum class GroupKind { benchmark, kit, other };
enum class Severity { info, warn, fail };

std::string_view name(Stage);
std::optional<Stage> stage_named(std::string_view);

/// Where a figure comes from. Tier 1 vendor document or code, 2 cloud operator or raw benchmark
/// log, 3 independent measurement, 4 unsourced article. Tier 4 alone never fails a server.
struct Source {
  int tier = 4;
  std::string ref;
};

/// "<= ref - 3 K", ">= 228 GB/s", "count == 1", "empty", "any": how one observation compares.
struct Condition {
  enum class Op {
    any,
    empty,
    not_empty,
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal
  };
  Op op = Op::any;
  bool count = false;     ///< compares how many entries a list has
  bool relative = false;  ///< right side is factor x reference + number
  double factor = 1;
  double number = 0;  ///< base units; the offset when relative
  Unit unit = Unit::none;
  std::optional<std::string> text;  ///< right side of == and != on text, "true"/"false" on flags
  std::string written;              ///< as the catalogue has it
};

/// When a limit, a criterion or a need applies: every entry must hold. The key is an observation of
/// the same subject (else of the node) or a dimension of the observation that is judged.
struct When {
  struct Term {
    std::string key;
    std::vector<std::string> any_of;     ///< text or numbers, one of them
    std::optional<Condition> condition;  ///< or a comparison
  };
  std::vector<Term> terms;
};

struct Limit {
  When when;
  /// "absolute", "sku:<field>", "siblings:median", "baseline", "model:<id>", "gpu:<id>".
  std::string of = "absolute";
  std::optional<Condition> pass, fail;
  Source source;
};

struct Criterion {
  std::string id, title, group;
  std::string reads;  ///< observation id; one "*" stands for any text: "collective.*.wrong"
  std::string pick;   ///< when several observations of one subject qualify: "" all, "largest:bytes"
  When applies;
  std::vector<Stage> required_at;
  std::string only_if;  ///< flag observation without which a pass is no evidence
  std::vector<Limit> limits;
  std::string why;
  std::vector<std::string> next;
  std::string evidence;              ///< what to send to have it judged, for people
  std::vector<std::string> article;  ///< claims it answers: "C019"
  std::string file;                  ///< catalogue file it stands in
};

struct Group {
  std::string id, title;
  GroupKind kind{};
  std::string evidence;  ///< what would answer it, for people
};

/// A GPU model. Fields named in `unverified` are shown and never decide.
struct Gpu {
  std::string id, title;
  std::vector<std::string> names, device_ids, subsystem_ids;
  std::string architecture;
  bool datacenter = false;
  std::string nvlink_attach;                           ///< "module" (SXM), "bridge", "none"
  std::map<std::string, Measure, std::less<>> fields;  ///< numbers by name, base units
  std::map<std::string, std::string, std::less<>> texts;
  std::vector<std::string> unverified;
  std::string source;
  std::vector<std::string> notes;

  /// The number, unless it is absent or unverified.
  [[nodiscard]] std::optional<Measure> decided(std::string_view field) const;
};

struct Server {
  std::string id, vendor, model, kind;
  std::vector<std::pair<std::string, std::string>> facts;  ///< in file order: name, text
  std::vector<std::string> unverified;
  std::string source;
};

struct Xid {
  int code = 0;
  std::string mnemonic, meaning, immediate, investigate;
  Severity severity{};
  bool application = false;  ///< usually the application's doing
  std::string next, source;
};

struct Sxid {
  int code = 0;
  std::string meaning;
  bool fatal = false;
  std::string next, source;
};

/// What one workload needs, as limits over observations.
struct Need {
  std::string reads;
  When applies;
  Condition pass;
  std::string why;
  Source source;
  std::string otherwise;  ///< "unfit" or "uncertain" when the condition does not hold
};

struct Workload {
  std::string id, title, sentence;
  std::vector<Need> needs;
};

struct Claim {
  std::string id, quote, says, found, verdict, does;
  std::string kind;  ///< "measured", "inventory", "model", "editorial"
  std::vector<std::string> criteria;
};

struct Catalogue {
  std::string digest;
  std::vector<Group> groups;  ///< in scorecard order
  std::vector<Criterion> criteria;
  std::vector<Gpu> gpus;
  std::vector<Server> servers;
  std::map<int, Xid> xids;
  std::map<int, Sxid> sxids;
  std::vector<Workload> workloads;
  std::vector<Claim> claims;

  /// By exact product name first, else by PCI device id.
  [[nodiscard]] const Gpu* gpu_matching(std::string_view name, std::string_view device_id) const;
  [[nodiscard]] const Gpu* gpu(std::string_view id) const;
  [[nodiscard]] const Criterion* criterion(std::string_view id) const;
};

struct File {
  std::string path;  ///< relative to data/: "criteria/thermal.toml"
  std::string_view text;
};

/// What a caller wants of the catalogue. Judging needs no servers and no claims of the article, and
/// the 170 Xids, half of all the rest, only where one was logged.
enum class Parts { all, judging, xids };

/// Parses `files`; the digest covers all of them, whatever `parts`. The error names file and line.
Result<Catalogue> parse(const std::vector<File>& files, Parts parts = Parts::all);

/// ">= 228 GB/s" and the like.
Result<Condition> parse_condition(std::string_view text);

}  // namespace gpuvet::catalogue
