// SPDX-License-Identifier: Apache-2.0
#include "model/host_sizing.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& shipped() {
  static const auto out = catalogue::built_in();
  return out;
}

std::vector<HostNeed> needs(int servers, const Host& host) {
  return HostSizing(Constants(shipped()))
      .needs(*gpu_from(*shipped().gpu("a100-sxm4-80gb")), 8, servers, host);
}

// Claim C145: NVIDIA's own DGX A100 (128 cores, 2 TB, 8 drives, 8 ports for 8 GPUs) fails the
// article's rule for cores and drives.
TEST(host_sizing, a_dgx_a100_is_enough_and_fails_the_article) {
  const auto dgx = needs(4, {128, 8, 8, Bytes::base(2048e9)});
  for (const auto& need : dgx) EXPECT_EQ(need.has, Sufficiency::enough) << need.what;
  EXPECT_EQ(dgx[0].has_by_article, Sufficiency::too_little);
  EXPECT_EQ(dgx[1].has_by_article, Sufficiency::enough);
  EXPECT_EQ(dgx[2].has_by_article, Sufficiency::too_little);
}

// The article's fifth server: 128 GB beside 640 GB of GPU memory.
TEST(host_sizing, the_custom_build_has_too_little_memory) {
  const auto all = needs(1, {{}, {}, {}, Bytes::base(128e9)});
  EXPECT_EQ(all[1].has, Sufficiency::too_little);
  EXPECT_EQ(all[0].has, Sufficiency::not_said);
}

TEST(host_sizing, one_server_needs_no_network_and_several_do) {
  EXPECT_EQ(needs(1, {{}, {}, 0, {}})[3].has, Sufficiency::enough);
  EXPECT_EQ(needs(2, {{}, {}, 0, {}})[3].has, Sufficiency::too_little);
  EXPECT_EQ(needs(2, {{}, {}, 2, {}})[3].has, Sufficiency::tight);
}

}  // namespace
}  // namespace gpuvet::model
