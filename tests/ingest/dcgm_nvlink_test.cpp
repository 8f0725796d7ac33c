// SPDX-License-Identifier: Apache-2.0
// dcgmi nvlink: what it says, and what is refused.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer dcgm_nvlink();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(dcgm_nvlink().recognises(input));
  auto read_back = read(dcgm_nvlink(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(dcgm_nvlink(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

const std::string states =
    "+----------------------+\n|  NvLink Link Status  |\n+----------------------+\nGPUs:\n"
    "    gpuId 0:\n        U U U U\n    gpuId 1:\n        U D X _\n    gpuId 2:\n        _ _ _ _\n"
    "NvSwitches:\n    physicalId 8:\n        U U X X\n\n"
    "Key: Up=U, Down=D, Disabled=X, Not Supported=_\n";

const std::string errors =
    "+-----------------------------+------------------------------------------------+\n"
    "| NVLINK Error Counts                                                          |\n"
    "| GPU 5                                                                        |\n"
    "+=============================+================================================+\n"
    "| Link 0                      |                                                |\n"
    "| -> CRC FLIT Error           | 2                                              |\n"
    "| -> Replay Error             | 0                                              |\n"
    "| Link 1                      |                                                |\n"
    "| -> CRC FLIT Error           | 3                                              |\n"
    "| -> Replay Error             | N/A                                            |\n"
    "+-----------------------------+------------------------------------------------+\n";

TEST(DcgmNvlink, CountsLinksAndNamesThoseThatAreDown) {
  const Evidence e = facts(states);
  EXPECT_EQ(number(e, "gpu.nvlink.active", "gpu:dcgm#0"), 4);
  EXPECT_EQ(numbers(e, "gpu.nvlink.inactive", "gpu:dcgm#0"), std::vector<double>{});
  EXPECT_EQ(number(e, "gpu.nvlink.links", "gpu:dcgm#1"), 3);
  EXPECT_EQ(number(e, "gpu.nvlink.active", "gpu:dcgm#1"), 1);
  EXPECT_EQ(numbers(e, "gpu.nvlink.inactive", "gpu:dcgm#1"), (std::vector<double>{1, 2}));
  EXPECT_EQ(absence(e, "gpu.nvlink.active", "gpu:dcgm#2"), Absence::not_supported);
}

TEST(DcgmNvlink, AddsUpErrorsOverLinks) {
  const Evidence e = facts(errors + states);
  EXPECT_EQ(number(e, "gpu.nvlink.errors.crc_flit", "gpu:dcgm#5"), 5);
  EXPECT_EQ(number(e, "gpu.nvlink.errors.replay", "gpu:dcgm#5"), 0);
  EXPECT_EQ(only(e, "gpu.nvlink.errors.replay", "gpu:dcgm#5")->detail,
            "1 counters could not be read");
  EXPECT_EQ(number(e, "gpu.nvlink.active", "gpu:dcgm#0"), 4);
}

TEST(DcgmNvlink, RefusesWhatIsNotWhole) {
  EXPECT_TRUE(contains(refusal(states.substr(0, states.size() - 60)), "cut off"));
  EXPECT_TRUE(contains(refusal(errors.substr(0, errors.size() - 100)), "cut off"));
  EXPECT_TRUE(contains(refusal("|  NvLink Link Status  |\n gpuId 0:\n U Q\nKey: Up=U\n"),
                       "unknown NVLink state Q"));
}

}  // namespace
}  // namespace gpuvet::ingest
