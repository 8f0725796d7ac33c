// SPDX-License-Identifier: Apache-2.0
// Which probe ran on which hardware.
#include <gtest/gtest.h>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"
#include "core/text.hpp"

namespace gpuvet::catalogue {
namespace {

std::string entry(const std::string& probe, const std::string& gpu, int gpus,
                  const std::string& date) {
  return "[[verified]]\nprobe = \"" + probe + "\"\ngpu = \"" + gpu +
         "\"\ngpus = " + std::to_string(gpus) + "\ndriver = \"570.124.06\"\ndate = \"" + date +
         "\"\n";
}

TEST(Verified, TheLatestRunOnEnoughGpusCounts) {
  const auto read = parse({{"verified.toml", entry("peer", "H100", 2, "2026-01-02") +
                                                 entry("peer", "H200", 1, "2026-03-04") +
                                                 entry("storage", "none", 0, "2026-02-03")}});
  ASSERT_TRUE(read) << read.error().message();
  EXPECT_EQ(read->verified_on("peer", 1)->gpu, "H200");
  EXPECT_EQ(read->verified_on("peer", 2)->gpu, "H100");
  EXPECT_EQ(read->verified_on("peer", 3), nullptr);
  EXPECT_EQ(read->verified_on("storage", 0)->gpu, "none");
  EXPECT_EQ(read->verified_on("storage", 1), nullptr);
  EXPECT_EQ(read->verified_on("compute", 1), nullptr);
  EXPECT_EQ(unpack(pack(*read)).verified_on("peer", 2)->driver, "570.124.06");
}

TEST(Verified, RefusesWhatCannotBe) {
  const auto error = [](const std::string& text) {
    const auto read = parse({{"verified.toml", text}});
    return read ? "" : read.error().message();
  };
  EXPECT_TRUE(contains(error(entry("p", "H100", 1, "28.11.2026")), "2026-11-28"));
  EXPECT_TRUE(contains(error(entry("p", "H100", 1, "2026-13-01")), "2026-11-28"));
  EXPECT_TRUE(contains(error(entry("p", "H100", 0, "2026-11-28")), "gpus"));
  EXPECT_TRUE(contains(error(entry("p", "none", 1, "2026-11-28")), "gpus"));
  EXPECT_TRUE(contains(error("[[verified]]\nprobe = \"p\"\n"), "gpu"));
}

TEST(Verified, NoVerdictDependsOnIt) {
  const auto digest = [](const std::vector<File>& files) { return parse(files).value().digest; };
  EXPECT_EQ(digest({}), digest({{"verified.toml", entry("p", "H100", 1, "2026-11-28")}}));
}

}  // namespace
}  // namespace gpuvet::catalogue
