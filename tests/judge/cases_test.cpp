// SPDX-License-Identifier: Apache-2.0
// Every criterion does what its cases say, judged with the whole catalogue.
#include "judge/cases.hpp"

#include <gtest/gtest.h>

namespace gpuvet::judge::testing {
namespace {

TEST(CaseFiles, AreNamedAfterCriteriaThatExist) {
  std::size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(cases_folder())) {
    SCOPED_TRACE(entry.path().filename().string());
    const CaseFile file = load_cases(entry.path());
    EXPECT_EQ(entry.path().filename().string(), file.criterion + ".toml");
    EXPECT_NE(embedded_catalogue().criterion(file.criterion), nullptr);
    ++files;
  }
  EXPECT_EQ(files, embedded_catalogue().criteria.size());
}

TEST(CaseFiles, ThatMakeNoSenseAreRefused) {
  const auto refuses = [](const std::string& text) {
    EXPECT_THROW(parse_cases("criterion = 'gpu.lost'\n" + text, "x.toml"), std::runtime_error)
        << text;
  };
  const std::string head = "[[case]]\nname = 'x'\nexpect = 'pass'\n";
  EXPECT_EQ(parse_cases("criterion = 'gpu.lost'\n[[case]]\nname = 'x'\nexpect = 'pass'\n", "x.toml")
                .cases.size(),
            1U);
  EXPECT_THROW(load_cases(cases_folder() / "no.such.criterion.toml"), std::runtime_error);
  refuses("[[case]\n");
  refuses("[[case]]\nname = 'x'\nexpect = 'good'\n");
  refuses("[[case]]\nname = 'x'\nexpect = 'pass+fail'\n");
  refuses("[[case]]\nexpect = 'pass'\n");
  refuses(head + head);
  refuses(head + "stage = 'later'\n");
  refuses(head + "lmit = 'pass'\n");
  const auto observe = [&](const std::string& what) {
    refuses(head + "observe = [{" + what + "}]\n");
  };
  observe("id = 'gpu.lots', subject = 'gpu:A', value = true");
  observe("id = 'gpu.lost', value = true");
  observe("id = 'gpu.lost', subject = 'gpu:A'");
  observe("id = 'gpu.lost', subject = 'gpu:A', value = true, absent = 'timeout'");
  observe("id = 'gpu.lost', subject = 'gpu:A', absent = 'gone'");
  observe("id = 'gpu.power.limit', subject = 'gpu:A', value = 400");
  observe("id = 'gpu.power.limit', subject = 'gpu:A', value = '400 K'");
  observe("id = 'gpu.xid', subject = 'gpu:A', value = [1, 'two']");
}

class Criteria : public ::testing::TestWithParam<std::string> {};

TEST_P(Criteria, DoWhatTheirCasesSay) {
  const CaseFile file = cases_of(GetParam());
  for (const auto& c : file.cases) {
    const CaseOutcome outcome = run(c, GetParam(), embedded_catalogue());
    EXPECT_EQ(outcome.status, c.expect) << GetParam() << ": " << c.name;
    EXPECT_TRUE(outcome.limit_shown)
        << GetParam() << ": " << c.name << ": " << outcome.limits << " lacks '" << c.limit << "'";
  }
}

/// What a criterion can say, some case makes it say.
TEST_P(Criteria, HaveACaseForEveryStatus) {
  const auto& criterion = *embedded_catalogue().criterion(GetParam());
  std::set<std::string> seen;
  for (const auto& c : cases_of(GetParam()).cases) seen.insert(c.expect);
  EXPECT_TRUE(seen.contains("pass"));
  EXPECT_TRUE(seen.contains("no_evidence"));
  EXPECT_TRUE(criterion.applies.terms.empty() || seen.contains("not_applicable"));
  for (const auto& limit : criterion.limits) {
    EXPECT_TRUE(!limit.fail || seen.contains("fail"));
    const bool warns = limit.pass && limit.pass->op != catalogue::Condition::Op::any && !limit.fail;
    EXPECT_TRUE(!warns || seen.contains("warn"));
  }
}

INSTANTIATE_TEST_SUITE_P(All, Criteria, ::testing::ValuesIn(criterion_ids()),
                         [](const auto& criterion) { return test_name(criterion.param); });

}  // namespace
}  // namespace gpuvet::judge::testing
