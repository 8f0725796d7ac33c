// SPDX-License-Identifier: Apache-2.0
#include "catalogue/offer.hpp"
#include "catalogue/packed.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

namespace gpuvet::catalogue {
namespace {

const Catalogue& shipped() {
  static const auto out = built_in();
  return out;
}

const std::string whole = R"(name = "An offer"
server = "dell-xe9680"
gpu = "a100-sxm4-80gb"
gpus = 8
topology = "nvswitch"
certified = true
[host]
memory = "2 TB"
[figures.price]
value = "120000 USD"
low = "110000 USD"
high = "130000 USD"
document = "quote.pdf"
page = 3
[figures.power_busy]
value = "4.1 kW"
known = "measured"
[figures.delivery]
value = "56 d"
)";

std::string error_of(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  const auto offer = parse_offer(text.replace(at, from.size(), to), shipped());
  return offer ? "no error" : offer.error().message();
}

TEST(offer, holds_figures_in_base_units_with_their_document) {
  const auto offer = parse_offer(whole, shipped());
  ASSERT_TRUE(offer) << offer.error().message();
  EXPECT_EQ(offer->figure("price")->value, 120000);
  EXPECT_EQ(offer->figure("price")->known, "document");
  EXPECT_EQ(offer->figure("price")->page, 3);
  EXPECT_EQ(offer->figure("power_busy")->value, 4100);
  EXPECT_EQ(offer->figure("power_busy")->low, 4100);
  EXPECT_EQ(offer->figure("delivery")->value, 56 * 86400);
  EXPECT_EQ(offer->figure("support"), nullptr);
  EXPECT_EQ(offer->memory, 2e12);
  EXPECT_EQ(offer->certified, true);
}

TEST(offer, errors_name_the_line) {
  const auto has = [](const std::string& error, const std::string& what) {
    EXPECT_NE(error.find(what), std::string::npos) << error;
  };
  has(error_of(whole, "\"120000 USD\"", "120000"), "10: value: must be in USD");
  has(error_of(whole, "\"120000 USD\"", "\"140000 USD\""), "10: value: is outside low");
  has(error_of(whole, "dell-xe9680", "dell-xe9999"), "2: server: 'dell-xe9999' is not in");
  has(error_of(whole, "a100-sxm4-80gb", "a100"), "3: gpu: 'a100' is not in");
  has(error_of(whole, "gpus = 8", "gpus = 0"), "4: gpus: must be between");
  has(error_of(whole, "nvswitch", "mesh"), "5: topology: must be one of");
  has(error_of(whole, "figures.delivery", "figures.discount"), "discount: is no figure");
  has(error_of(whole, "certified", "certfied"), "6: certfied: is not a key");
  has(error_of(whole, "measured", "guessed"), "known: must be");
  has(error_of(whole, "\"4.1 kW\"", "\"-4 kW\""), "must not be negative");
  has(error_of(whole, "name = \"An offer\"", ""), "name: is required");
}

TEST(offer, takes_any_bytes) {
  for (const auto& text :
       {std::string("[[[["), std::string("a = \"\"\"x\"\"\""), std::string("\0\1\2", 3),
        std::string("[\xcc\x81]"), std::string(300, '.'), std::string("= = =")})
    EXPECT_FALSE(parse_offer(text, shipped()));
  EXPECT_FALSE(parse_offer(std::string(300 << 10, '#'), shipped()));
}

TEST(offer, the_examples_are_the_articles_five_and_two_have_its_prices) {
  int offers = 0, prices = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(GPUVET_SOURCE_DIR "/examples/offers")) {
    std::ifstream in(file.path());
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto offer = parse_offer(text, shipped());
    ASSERT_TRUE(offer) << file.path() << offer.error().message();
    ++offers;
    if (const auto* price = offer->figure("price")) {
      ++prices;
      EXPECT_EQ(price->known, "article");
    }
  }
  EXPECT_EQ(offers, 5);
  EXPECT_EQ(prices, 2);
}

TEST(prices, are_in_base_units_and_every_rent_is_of_a_gpu_in_the_catalogue) {
  EXPECT_DOUBLE_EQ(shipped().price("electricity")->value, 0.12 / 3.6e6);
  EXPECT_DOUBLE_EQ(shipped().price("rent.a100-sxm4-40gb")->value, 1.29 / 3600);
  for (const auto& price : shipped().prices)
    if (price.id.rfind("rent.", 0) == 0) {
      EXPECT_NE(shipped().gpu(price.id.substr(5)), nullptr) << price.id;
    }
}

}  // namespace
}  // namespace gpuvet::catalogue
