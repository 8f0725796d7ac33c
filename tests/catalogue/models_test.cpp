// SPDX-License-Identifier: Apache-2.0
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"

namespace gpuvet::catalogue {
namespace {

using testing::HasSubstr;

std::string refusal(const std::string& path, const std::string& text) {
  const auto parsed = parse({{path, text}});
  return parsed ? "" : parsed.error().message();
}

constexpr auto model_head = "id = \"m\"\ntitle = \"M\"\n[[constant]]\nname = \"c\"\n";
constexpr auto tail = "means = \"x\"\nsource = { tier = 3, ref = \"r\" }\n";

TEST(Models, EveryConstantHasASource) {
  EXPECT_THAT(refusal("models/m.toml", std::string(model_head) + "value = 1\nmeans = \"x\"\n"),
              HasSubstr("source"));
  EXPECT_EQ(refusal("models/m.toml", std::string(model_head) + "value = 1\n" + tail), "");
}

TEST(Models, AFreeConstantStandsWithinItsRange) {
  EXPECT_THAT(refusal("models/m.toml",
                      std::string(model_head) + "value = 3\nat_least = 1\nat_most = 2\n" + tail),
              HasSubstr("at_least"));
}

TEST(Workloads, OfTheUsersOwnSayWhatIsWrongAndWhere) {
  const std::string head = "id = \"mine\"\ntitle = \"Mine\"\nsentence = \"s\"\n";
  const auto nothing = parse_own_workload(head);
  ASSERT_FALSE(nothing);
  EXPECT_THAT(nothing.error().message(), HasSubstr("nothing to predict"));
  const auto typo = parse_own_workload(
      head +
      "[training]\narchitecture = \"llama-3-8b\"\nmethod = \"lorra\"\nglobal_batch = 8\n"
      "samples = 1\njob = \"j\"\n");
  ASSERT_FALSE(typo);
  EXPECT_THAT(typo.error().message(), HasSubstr("one of full, lora, qlora"));
  EXPECT_EQ(typo.error().input_line, 6U);
  const auto right = parse_own_workload(
      head +
      "[serving]\narchitecture = \"llama-3-8b\"\nrate = 3\nprompt = 100\noutput = 50\n"
      "first_token = \"200 ms\"\nload = \"l\"\n");
  ASSERT_TRUE(right);
  EXPECT_DOUBLE_EQ(right->serving->first_token, 0.2);
}

TEST(Workloads, OfTheCatalogueAllTrainOrServe) {
  const auto c = built_in();
  for (const auto& w : c.workloads) {
    ASSERT_NE(w.training.has_value(), w.serving.has_value()) << w.id;
    const auto& net = w.training ? w.training->architecture : w.serving->architecture;
    EXPECT_FALSE(net.empty()) << w.id;
  }
}

}  // namespace
}  // namespace gpuvet::catalogue
