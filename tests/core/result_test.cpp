// SPDX-License-Identifier: Apache-2.0
// Errors carry where and why on their way up.
#include "core/result.hpp"

#include <gtest/gtest.h>

namespace gpuvet {
namespace {

Result<int> refuse() { return fail(Errc::malformed, "row has 7 cells", 12); }

Result<int> twice(Result<int> given) {
  GPUVET_TRY(const int value, std::move(given));
  return 2 * value;
}

Result<void> check(Result<void> given) {
  GPUVET_CHECK(std::move(given));
  return fail(Errc::usage, "came past the check");
}

TEST(Error, ReadsFromTheOutermostContextToTheReason) {
  const auto r = in_context(in_context(refuse(), "topo.txt"), "evidence");
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().message(), "evidence: topo.txt:12: row has 7 cells");
}

TEST(Error, ReadsWellWithoutContextOrLine) {
  EXPECT_EQ(refuse().error().message(), "line 12: row has 7 cells");
  EXPECT_EQ((Error{Errc::usage, "why", 0, {}, {}}.message()), "why");
}

TEST(Error, KnowsTheLineOfSourceThatRaisedIt) {
  const auto r = refuse();
  EXPECT_NE(std::string(r.error().where.file).find("result_test.cpp"), std::string::npos);
  EXPECT_GT(r.error().where.line, 0);
}

TEST(Try, BindsTheValueOrReturnsTheError) {
  EXPECT_EQ(twice(21).value(), 42);
  const auto r = twice(refuse());
  ASSERT_FALSE(r);
  EXPECT_EQ(r.error().what, "row has 7 cells");
}

TEST(Check, GoesOnOnlyAfterSuccess) {
  EXPECT_EQ(check({}).error().code, Errc::usage);
  EXPECT_EQ(check(fail(Errc::timeout, "late")).error().code, Errc::timeout);
}

TEST(InContext, LeavesSuccessAlone) { EXPECT_EQ(in_context(Result<int>(7), "unused").value(), 7); }

}  // namespace
}  // namespace gpuvet
