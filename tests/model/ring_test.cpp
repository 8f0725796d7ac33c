// SPDX-License-Identifier: Apache-2.0
#include "model/ring.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <functional>

#include "catalogue/catalogue.hpp"
#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

constexpr BytesPerSecond GB_per_s = BytesPerSecond::base(1e9);

Fabric graph_of(int gpus, const std::function<Fabric::Pair(int, int)>& pair) {
  Fabric f;
  f.kind = Fabric::Kind::nvlink_partial;
  f.gpus = gpus;
  f.nvlinks = 12;
  f.nvlink_each = 25 * GB_per_s;
  f.pcie = 24 * GB_per_s;
  for (int a = 0; a < gpus; ++a)
    for (int b = 0; b < gpus; ++b) f.pairs.push_back(a == b ? Fabric::Pair{} : pair(a, b));
  return f;
}

double rate_of(const Fabric& f) { return best_rings(f).rate.in(GB_per_s); }

TEST(Ring, SharesOutAllLinksOfADirectMesh) {
  // HGX A100 4-GPU: four links to each of three peers, 300 GB/s a GPU. Whole rings of one link each
  // leave at most a link or two unused.
  const auto f = graph_of(4, [](int, int) { return Fabric::Pair{Path::nvlink, 4}; });
  EXPECT_TRUE(best_rings(f).nvlink);
  EXPECT_GE(rate_of(f), 250);
  EXPECT_LE(rate_of(f), 300);
}

TEST(Ring, OfTheCubeMeshUsesAllSixLinks) {
  static const auto catalogue = catalogue::built_in();
  const auto gpu = gpu_from(*catalogue.gpu("v100-sxm2-32gb"));
  ASSERT_TRUE(gpu);
  const auto f = usual_fabric(*gpu, 8);
  ASSERT_TRUE(f.rings);
  EXPECT_TRUE(f.rings->nvlink);
  // NCCL's own search finds six rings of one link each (its documentation of the DGX-1).
  EXPECT_GE(f.rings->rate.in(GB_per_s), 4 * 25);
  EXPECT_LE(f.rings->rate.in(GB_per_s), 6 * 25);
}

TEST(Ring, ThroughBridgedPairsIsAsFastAsPcie) {
  const auto f = graph_of(4, [](int a, int b) {
    return a / 2 == b / 2 ? Fabric::Pair{Path::nvlink, 12} : Fabric::Pair{Path::node, 0};
  });
  EXPECT_FALSE(best_rings(f).nvlink);
  EXPECT_DOUBLE_EQ(rate_of(f), 24);
}

TEST(Ring, PicksTheOrderThatCrossesTheUplinkOnce) {
  // Switches hold 0, 2 and 1, 3: in the order of the matrix a ring would cross four times.
  const auto f = graph_of(4, [](int a, int b) {
    return Fabric::Pair{a % 2 == b % 2 ? Path::pix : Path::node, 0};
  });
  EXPECT_DOUBLE_EQ(rate_of(f), 24);
}

TEST(Ring, DividesTheSocketLink) {
  auto f = graph_of(4, [](int a, int b) {
    return Fabric::Pair{a / 2 == b / 2 ? Path::pix : Path::sys, 0};
  });
  f.socket_link = 10 * GB_per_s;
  EXPECT_DOUBLE_EQ(rate_of(f), 10) << "once in each direction";
  auto odd = graph_of(4, [](int a, int b) {
    return Fabric::Pair{a % 2 == b % 2 ? Path::pix : Path::sys, 0};
  });
  odd.socket_link = 10 * GB_per_s;
  EXPECT_DOUBLE_EQ(rate_of(odd), 10);
}

TEST(Ring, OfMoreThanEightFollowsTheMatrix) {
  auto f = graph_of(10, [](int a, int b) {
    return Fabric::Pair{a / 5 == b / 5 ? Path::pix : Path::sys, 0};
  });
  f.socket_link = 10 * GB_per_s;
  EXPECT_DOUBLE_EQ(rate_of(f), 10);
}

TEST(Ring, NeedsNoSearchBehindASwitch) {
  Fabric f;
  f.kind = Fabric::Kind::nvswitch;
  f.gpus = 8;
  f.nvlinks = 18;
  f.nvlink_each = 25 * GB_per_s;
  EXPECT_DOUBLE_EQ(rate_of(f), 450);
  EXPECT_TRUE(best_rings(f).nvlink);
}

RC_GTEST_PROP(Ring, GainsFromEveryLink, ()) {
  const int gpus = *rc::gen::inRange(2, 6);
  std::vector<int> links(static_cast<std::size_t>(gpus * gpus));
  for (auto& l : links) l = *rc::gen::inRange(0, 4);
  const auto build = [&](int more) {
    return graph_of(gpus, [&](int a, int b) {
      const int n = links[static_cast<std::size_t>(std::min(a, b) * gpus + std::max(a, b))] * more;
      return Fabric::Pair{n > 0 ? Path::nvlink : Path::sys, n};
    });
  };
  const auto one = best_rings(build(1)), two = best_rings(build(2));
  RC_ASSERT(one.nvlink == two.nvlink);
  RC_ASSERT(two.rate >= one.rate);
}

RC_GTEST_PROP(Ring, DoesNotDependOnHowGpusAreNumbered, ()) {
  const int gpus = *rc::gen::inRange(3, 7);
  std::vector<int> side(static_cast<std::size_t>(gpus));
  for (auto& s : side) s = *rc::gen::inRange(0, 2);
  const auto of = [&](bool reversed) {
    auto f = graph_of(gpus, [&](int a, int b) {
      const auto at = [&](int i) {
        return side[static_cast<std::size_t>(reversed ? gpus - 1 - i : i)];
      };
      return Fabric::Pair{at(a) == at(b) ? Path::pxb : Path::sys, 0};
    });
    f.socket_link = 10 * GB_per_s;
    return rate_of(f);
  };
  RC_ASSERT(of(false) == of(true));
}

}  // namespace
}  // namespace gpuvet::model
