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

/// What a workload trains, and how much of it is one job. Numbers that are 0 and texts that are
/// empty are left to whoever plans the run on a given server.
struct TrainingSpec {
  std::string architecture;     ///< id in data/architectures
  std::string method = "full";  ///< full, lora, qlora
  double rank = 0;              ///< of the adapters
  double sequence = 0;          ///< tokens; 0 for nets that have none
  double global_batch = 0;      ///< sequences or images of one optimizer step
  double micro_batch = 0;       ///< of one GPU in one pass
  double tensor = 0, pipeline = 0;
  std::string sharding;   ///< none, zero-1, zero-2, zero-3
  std::string recompute;  ///< none, selective, full
  std::string precision = "bf16";
  std::string framework;
  bool flash_attention = true;
  bool compiled = false;
  bool reference_model = false;    ///< a frozen copy runs forward too (DPO)
  double samples = 0, epochs = 1;  ///< one job: sequences or images, and how often each is seen
  std::string job;                 ///< the same in words, for people
};

/// What a workload serves, how much of it, and how fast answers must come.
struct ServingSpec {
  std::string architecture;
  std::string precision = "fp16";  ///< of the weights: fp16, bf16, fp8, int8, nf4
  std::string engine = "vllm";
  double rate = 0;                        ///< requests per second
  double prompt = 0, output = 0;          ///< tokens, means
  double spread = 0;                      ///< coefficient of variation of both; 0: all alike
  double first_token = 0, per_token = 0;  ///< seconds that 95 % of requests must keep; 0: any
  double tensor = 0;                      ///< GPUs that share a replica; 0: as few as fit
  double availability = 0.999;            ///< of the whole service
  std::string load;                       ///< the same in words, for people
};

struct Workload {
  std::string id, title, sentence;
  std::vector<Need> needs;
  std::optional<TrainingSpec> training;
  std::optional<ServingSpec> serving;
};

struct Claim {
  std::string id, quote, says, found, verdict, does;
  std::string kind;  ///< "measured", "inventory", "model", "editorial"
  std::vector<std::string> criteria;
};

/// The article's table read as an order of servers, the best first: data/article_order.toml. It
/// stands beside ours and decides nothing.
struct ArticleOrder {
  struct Place {
    std::string server;  ///< id in data/servers
    double value = 0;    ///< in the article's unit
    std::string claim;   ///< that holds the figure
  };
  /// What audited claims say of two servers that the article has this way round.
  struct Difference {
    std::string better, worse;
    std::vector<std::string> claims;
    std::string why;
  };
  std::string workload;  ///< id of ours that comes nearest to the article's
  std::string by;        ///< "time" or "cost"
  std::string figure, unit;
  bool least_is_best = true;
  std::vector<Place> places;
  std::vector<Difference> differences;
};

/// One number that a model rests on. One with a `range` may be fitted to published measurements
/// (bench/model_fit); the others are physics or somebody's published figure.
struct Constant {
  double value = 0;
  std::optional<std::pair<double, double>> range;
  std::string means;
  Source source;
};

/// data/models/<id>.toml: what one model of the model room takes for granted.
struct ModelData {
  std::string id, title;
  std::map<std::string, Constant, std::less<>> constants;
};

/// A neural network as the models need it: a transformer by its numbers, anything else by its
/// layers.
struct Architecture {
  struct Layer {
    std::string kind;  ///< "conv", "gemm", "attention", "elementwise"
    double repeat = 1;
    std::map<std::string, double, std::less<>> numbers;
  };
  std::string id, title, family;   ///< family: "decoder", "encoder", "convolutional", ...
  std::vector<std::string> names;  ///< as frameworks and benchmarks write it
  std::map<std::string, double, std::less<>> numbers;
  std::vector<Layer> layers;
  std::string source;

  [[nodiscard]] std::optional<double> number(std::string_view name) const;
};

/// How far predictions of one family were from measurements they had not seen: data/intervals.toml,
/// written by bench/model_fit.
struct IntervalFamily {
  std::string id;
  std::vector<std::string> gpus, frameworks, topologies;  ///< of the measurements known
  double smallest = 0, largest = 0;                       ///< sizes of those
  /// 90 % of |ln(predicted / measured)| are below, by how much was new to the model.
  std::optional<double> same_gpu, new_gpu, new_framework, new_topology;
  double rows = 0, groups = 0;

  /// Errors |predicted / measured - 1| of fits that had not seen the row's group, GPU, software.
  struct Errors {
    double median = 0, p90 = 0;
  };
  std::optional<Errors> without_group, without_gpu, without_software;
};

/// A price that somebody published: data/prices.toml.
struct Price {
  std::string id, means;                ///< "rent.a100-sxm4-80gb": of the catalogue's GPU
  double value = 0, low = 0, high = 0;  ///< in USD, USD per second or USD per joule
  std::string unit, date;               ///< as the file has them
  Source source;
};

/// What a server can become by a document, or cannot: data/upgrades.toml.
struct Upgrade {
  std::string server, kind;       ///< kind: "baseboard", "cards", "firmware", "network", "node"
  std::vector<std::string> from;  ///< GPUs that it starts from; none: any
  std::string to;                 ///< GPU that it leads to; may be empty
  bool documented = false;        ///< otherwise contradicted
  std::string what;
  Source source;
};

/// That a probe ran on this hardware and was found right: data/verified.toml.
struct Verified {
  std::string probe, gpu;  ///< gpu: as its driver calls it; "none" for probes of the host
  int gpus = 0;            ///< at once
  std::string driver, date;
  std::string measurements;  ///< page with the figures; may be empty
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
  std::vector<ModelData> models;
  std::vector<Architecture> architectures;
  std::vector<IntervalFamily> intervals;
  std::vector<Price> prices;
  std::vector<Upgrade> upgrades;
  std::vector<Verified> verified;
  std::vector<ArticleOrder> article_orders;

  /// By exact product name first, else by PCI device id.
  [[nodiscard]] const Gpu* gpu_matching(std::string_view name, std::string_view device_id) const;
  [[nodiscard]] const Gpu* gpu(std::string_view id) const;
  [[nodiscard]] const Criterion* criterion(std::string_view id) const;
  [[nodiscard]] const Workload* workload(std::string_view id) const;
  [[nodiscard]] const Server* server(std::string_view id) const;
  [[nodiscard]] const Claim* claim(std::string_view id) const;
  [[nodiscard]] const Price* price(std::string_view id) const;
  /// The latest that ran `probe` on this many GPUs at least; null: unverified on hardware.
  [[nodiscard]] const Verified* verified_on(std::string_view probe, int least_gpus) const;
  /// By id or by one of its names, whatever the case.
  [[nodiscard]] const Architecture* architecture(std::string_view name) const;
};

struct File {
  std::string path;  ///< relative to data/: "criteria/thermal.toml"
  std::string_view text;
};

/// What a caller wants of the catalogue. Judging needs no servers and no claims of the article, and
/// the 170 Xids, half of all the rest, only where one was logged; nor models and architectures.
enum class Parts { all, judging, xids };

/// Parses `files`; the digest covers all of them, whatever `parts`. The error names file and line.
Result<Catalogue> parse(const std::vector<File>& files, Parts parts = Parts::all);

/// A workload of the user's own: one file as in data/workloads.
Result<Workload> parse_own_workload(std::string_view toml);

/// ">= 228 GB/s" and the like.
Result<Condition> parse_condition(std::string_view text);

}  // namespace gpuvet::catalogue
