// SPDX-License-Identifier: Apache-2.0
// Bends each criterion in every way that a slip in data/criteria could, and wants a case that
// notices. The written form of a condition stays as it is, so that a case notices by what the
// criterion does (only versions are compared by what is written).
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <optional>

#include "core/text.hpp"
#include "judge/cases.hpp"

namespace gpuvet::judge::testing {
namespace {

using catalogue::Condition;
using catalogue::Criterion;
using catalogue::Limit;
using catalogue::When;
using Op = Condition::Op;

/// Mutants that no observation can tell from the original. Each row is checked to exist and to
/// survive, so none outlives its reason.
struct Equivalent {
  std::string_view criterion, mutant, reason;
};
constexpr std::string_view fail_covers = "fail is the opposite of pass and is asked first";
constexpr Equivalent equivalents[] = {
    {"collectives.wrong", "limit 1 pass: == to >=", fail_covers},
    {"compute.wrong", "limit 1 pass: == to >=", fail_covers},
    {"gpu.ecc.uncorrected.dram", "limit 1 pass: == to >=", fail_covers},
    {"gpu.ecc.uncorrected.sram", "limit 1 pass: == to >=", fail_covers},
    {"gpu.ecc.uncorrected.sram.aggregate", "limit 1 pass: == to >=", fail_covers},
    {"gpu.remap.banks.none", "limit 1 pass: == to >=", fail_covers},
    {"gpu.ecc.uncorrected", "limit 1 pass: == to >=", fail_covers},
    {"kernel_log.driver", "limit 1 pass: == to >=", fail_covers},
    {"kernel_log.edac.uncorrected", "limit 1 pass: == to >=", fail_covers},
    {"compute.repeat.differing", "limit 1 pass: == to >=", fail_covers},
    {"compute.sibling.differing", "limit 1 pass: == to >=", fail_covers},
    {"compute.wrong.exact", "limit 1 pass: == to >=", fail_covers},
    {"compute.wrong.inputs", "limit 1 pass: == to >=", fail_covers},
    {"coherency.forbidden", "limit 1 pass: == to >=", fail_covers},
    {"hostlink.wrong", "limit 1 pass: == to >=", fail_covers},
    {"peer.wrong", "limit 1 pass: == to >=", fail_covers},
    {"memory.ecc.uncorrected", "limit 1 pass: == to >=", fail_covers},
    {"memory.wrong", "limit 1 pass: == to >=", fail_covers},
    {"network.tcp.wrong", "limit 1 pass: == to >=", fail_covers},
    {"pci.aer.fatal", "limit 1 pass: == to >=", fail_covers},
    {"storage.wrong", "limit 1 pass: == to >=", fail_covers},
    {"thermal.throttle.hardware", "limit 1 pass: == to >=", fail_covers},
    {"uniformity.sku", "limit 1 pass: == to >=", fail_covers},
    {"uniformity.memory", "limit 1 pass: == to >=", fail_covers},
    {"topology.nvlink.present", "limit 1 pass: other text", fail_covers},
    {"gpu.nvlink.speed", "limit 1 pass: number x 0.99", fail_covers},
    {"gpu.temperature.memory", "limit 1 pass: factor x 1.000001", fail_covers},
    {"gpu.nvlink.speed", "limit 1 pass: number x 0.999999", fail_covers},
    {"gpu.nvlink.speed", "limit 2 pass: number x 0.99", fail_covers},
    {"gpu.nvlink.speed", "limit 2 pass: number x 0.999999", fail_covers},
    {"gpu.nvlink.speed", "limit 3 pass: number x 0.99", fail_covers},
    {"gpu.nvlink.speed", "limit 3 pass: number x 0.999999", fail_covers},
    {"gpu.temperature.core", "limit 1 pass: factor x 1.000001", fail_covers},
    {"gpu.temperature.core", "limit 2 pass: < to <=", fail_covers},
    {"gpu.temperature.core", "limit 2 pass: factor x 1.000001", fail_covers},
    {"thermal.inlet", "limit 1 pass: number x 1.000001", fail_covers},
    {"thermal.inlet", "limit 1 pass: number x 1.01", fail_covers},
    {"network.rdma", "limit 2 when topology.gpu_count: number + 1",
     "at five GPUs limit 1 judges, and a limit that takes anything is never worse"},
};

std::string_view symbol_of(Op op) {
  switch (op) {
    case Op::any:
      return "any";
    case Op::empty:
      return "empty";
    case Op::not_empty:
      return "not empty";
    case Op::equal:
      return "==";
    case Op::not_equal:
      return "!=";
    case Op::less:
      return "<";
    case Op::less_equal:
      return "<=";
    case Op::greater:
      return ">";
    case Op::greater_equal:
      return ">=";
  }
  return "";
}

/// The operators that are most easily mistaken for `c`'s. Counts are never negative, so "== 0" has
/// no neighbour "<= 0".
std::vector<Op> neighbours(const Condition& c) {
  switch (c.op) {
    case Op::any:
      return {Op::empty};
    case Op::empty:
      return {Op::not_empty};
    case Op::not_empty:
      return {Op::empty};
    case Op::equal:
      return c.text ? std::vector{Op::not_equal} : std::vector{Op::not_equal, Op::greater_equal};
    case Op::not_equal:
      return {Op::equal};
    case Op::less:
      return {Op::less_equal, Op::greater_equal};
    case Op::less_equal:
      return {Op::less, Op::greater};
    case Op::greater:
      return {Op::greater_equal, Op::less_equal};
    case Op::greater_equal:
      return {Op::greater, Op::less};
  }
  return {};
}

using Named = std::pair<std::string, Condition>;

/// A figure moved by a relative 1e-6 and by 1 %, a count by one and by 1 % where that is more, a
/// zero by one.
std::vector<std::pair<std::string, double>> moved(double number, bool is_count) {
  std::vector<std::pair<std::string, double>> out;
  if (number == 0 || is_count) {
    out.emplace_back("+ 1", number + 1);
    out.emplace_back("- 1", number - 1);
  }
  if (number == 0) return out;
  for (const double factor : {1 - 0.01, 1 - 1e-6, 1 + 1e-6, 1 + 0.01})
    if (!is_count || std::abs(number * (factor - 1)) > 1)
      out.emplace_back("x " + format_number(factor), number * factor);
  return out;
}

void move_version(const Condition& c, std::vector<Named>& out) {
  const auto operator_end = c.written.find_first_not_of("<>=!");
  const auto parts = version_parts(trim(std::string_view(c.written).substr(operator_end)));
  for (std::size_t i = 0; i < parts.size(); ++i)
    for (const int step : {-1, 1}) {
      auto changed = parts;
      changed[i] += step;
      std::vector<std::string> words;
      for (const auto part : changed) words.push_back(std::to_string(part));
      Condition bent = c;
      bent.written = c.written.substr(0, operator_end) + " " + join(words, ".");
      out.emplace_back("version " + join(words, "."), bent);
    }
}

std::vector<Named> bent(const Condition& c, bool version) {
  std::vector<Named> out;
  const auto with = [&](std::string name, auto change) {
    Condition copy = c;
    change(copy);
    out.emplace_back(std::move(name), std::move(copy));
  };
  for (const Op op : neighbours(c))
    with(std::string(symbol_of(c.op)) + " to " + std::string(symbol_of(op)),
         [&](auto& m) { m.op = op; });
  if (c.op == Op::any || c.op == Op::empty || c.op == Op::not_empty) return out;
  if (c.text) {
    with("other text", [](auto& m) {
      m.text = *m.text == "true" ? "false" : *m.text == "false" ? "true" : *m.text + " no more";
    });
  } else if (version) {
    move_version(c, out);
  } else if (c.relative) {
    for (const auto& [name, value] : moved(c.factor, false))
      with("factor " + name, [&, v = value](auto& m) { m.factor = v; });
    for (const auto& [name, value] : moved(c.number, false))
      with("offset " + name, [&, v = value](auto& m) { m.number = v; });
  } else {
    for (const auto& [name, value] : moved(c.number, c.unit == Unit::none))
      with("number " + name, [&, v = value](auto& m) { m.number = v; });
  }
  if (c.count) with("not counted", [](auto& m) { m.count = false; });
  return out;
}

struct Mutant {
  std::string name;
  Criterion criterion;
};

class Mutants {
 public:
  Mutants(const Criterion& original, bool version) : original_{original}, version_{version} {
    bend_when("applies", [](Criterion& c) -> When& { return c.applies; });
    if (!original.only_if.empty()) add("only_if removed", [](Criterion& c) { c.only_if.clear(); });
    if (!original.pick.empty()) add("pick removed", [](Criterion& c) { c.pick.clear(); });
    narrow_reads();
    for (std::size_t i = 0; i < original.limits.size(); ++i) bend_limit(i);
  }

  [[nodiscard]] const std::vector<Mutant>& all() const { return out_; }

 private:
  void add(std::string name, const std::function<void(Criterion&)>& change) {
    out_.push_back({std::move(name), original_});
    change(out_.back().criterion);
  }

  void narrow_reads() {
    const auto star = original_.reads.find('*');
    if (star == std::string::npos) return;
    for (const auto& info : all_ids()) {
      const std::string id(info.name);
      if (id.size() >= original_.reads.size() - 1 &&
          id.starts_with(original_.reads.substr(0, star)) &&
          id.ends_with(original_.reads.substr(star + 1)))
        add("reads only " + id, [&](Criterion& c) { c.reads = id; });
    }
  }

  void bend_limit(std::size_t i) {
    const Limit& limit = original_.limits[i];
    const std::string name = "limit " + std::to_string(i + 1);
    add(name + " removed",
        [&](Criterion& c) { c.limits.erase(c.limits.begin() + static_cast<std::ptrdiff_t>(i)); });
    bend_when(name + " when", [i](Criterion& c) -> When& { return c.limits[i].when; });
    bend_side(name + " pass", i, &Limit::pass);
    bend_side(name + " fail", i, &Limit::fail);
    if (limit.of != "absolute")
      add(name + " without its reference", [&](Criterion& c) { c.limits[i].of = "absolute"; });
  }

  void bend_side(const std::string& name, std::size_t i, std::optional<Condition> Limit::*side) {
    const auto& condition = original_.limits[i].*side;
    if (!condition) return;
    // A limit with neither pass nor fail passes everything, as "any" does.
    if (condition->op != Op::any)
      add(name + " removed", [&](Criterion& c) { (c.limits[i].*side).reset(); });
    for (const auto& [what, changed] : bent(*condition, version_))
      add(name + ": " + what, [&, to = changed](Criterion& c) { c.limits[i].*side = to; });
  }

  template <class Get>
  void bend_when(const std::string& name, Get get) {
    Criterion reading = original_;
    const When when = get(reading);
    for (std::size_t t = 0; t < when.terms.size(); ++t) {
      const auto& term = when.terms[t];
      const std::string at = name + " " + term.key;
      add(at + " removed", [&](Criterion& c) {
        auto& terms = get(c).terms;
        terms.erase(terms.begin() + static_cast<std::ptrdiff_t>(t));
      });
      for (std::size_t v = 0; v < term.any_of.size(); ++v)
        add(at + ": " + term.any_of[v] + " replaced",
            [&](Criterion& c) { get(c).terms[t].any_of[v] = "something else"; });
      if (term.condition)
        for (const auto& [what, changed] : bent(*term.condition, false))
          add(at + ": " + what,
              [&, to = changed](Criterion& c) { get(c).terms[t].condition = to; });
    }
  }

  const Criterion& original_;
  bool version_;
  std::vector<Mutant> out_;
};

/// Whether what the criterion reads is text that its figures are compared with part by part.
bool reads_versions(const Criterion& criterion, const CaseFile& file) {
  for (const auto& c : file.cases)
    for (const auto& o : c.evidence.observations)
      if (o.id.name() == criterion.reads && o.text() != nullptr) return true;
  return false;
}

class Mutation : public ::testing::TestWithParam<std::string> {};

TEST_P(Mutation, IsNoticedByACase) {
  const Criterion& original = *embedded_catalogue().criterion(GetParam());
  const CaseFile file = cases_of(GetParam());
  auto catalogue = only(embedded_catalogue(), original);
  std::vector<CaseOutcome> before;
  for (const auto& c : file.cases) before.push_back(run(c, original.id, catalogue));

  std::set<std::string> excused;
  for (const auto& row : equivalents)
    if (row.criterion == original.id) excused.insert(std::string(row.mutant));

  const Mutants mutants(original, reads_versions(original, file));
  std::string survivors;
  for (const auto& mutant : mutants.all()) {
    catalogue.criteria.front() = mutant.criterion;
    bool noticed = false;
    for (std::size_t i = 0; i < file.cases.size() && !noticed; ++i)
      noticed = !(run(file.cases[i], original.id, catalogue) == before[i]);
    if (excused.erase(mutant.name) > 0)
      EXPECT_FALSE(noticed) << "no equivalent: " << original.id << ": " << mutant.name;
    else if (!noticed)
      survivors += "\n  " + mutant.name;
  }
  EXPECT_EQ(survivors, "") << "no case of " << original.id << " notices these";
  EXPECT_TRUE(excused.empty()) << "no such mutant of " << original.id << ": " << *excused.begin();
  EXPECT_GT(mutants.all().size(), 0U);
  RecordProperty("mutants", static_cast<int>(mutants.all().size()));
}

TEST(MutationTable, NamesCriteriaThatExist) {
  for (const auto& row : equivalents)
    EXPECT_NE(embedded_catalogue().criterion(row.criterion), nullptr) << row.criterion;
}

INSTANTIATE_TEST_SUITE_P(Every, Mutation, ::testing::ValuesIn(criterion_ids()),
                         [](const auto& criterion) { return test_name(criterion.param); });

}  // namespace
}  // namespace gpuvet::judge::testing
