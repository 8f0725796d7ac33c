// SPDX-License-Identifier: Apache-2.0
// Litmus tests that any healthy device passes, whatever its memory order.
#pragma once

#include "device/contract.hpp"
#include "device/litmus_outcomes.hpp"

namespace gpuvet::device {

template <class BackendUnderTest>
class LitmusContract : public DeviceContract<BackendUnderTest> {
 protected:
  static constexpr Litmus shapes[] = {Litmus::message_passing, Litmus::store_buffering,
                                      Litmus::load_buffering,  Litmus::iriw,
                                      Litmus::coherence,       Litmus::atomic_add,
                                      Litmus::atomic_cas,      Litmus::atomic_exchange};
  LitmusCounts run(Litmus shape, Fence fence) {
    LitmusSetup setup;
    setup.shape = shape;
    setup.fence = fence;
    setup.agents.assign(static_cast<std::size_t>(threads(shape)), Agent::device);
    setup.iterations = 1000;
    auto counts = this->device().litmus(setup, nullptr);
    EXPECT_TRUE(counts) << counts.error().message();
    return counts ? *counts : LitmusCounts{};
  }
};

TYPED_TEST_SUITE_P(LitmusContract);

TYPED_TEST_P(LitmusContract, NothingForbiddenIsSeenWhateverTheFence) {
  for (const auto shape : TestFixture::shapes)
    for (const auto fence : {Fence::none, Fence::block, Fence::device, Fence::system}) {
      const auto counts = this->run(shape, fence);
      EXPECT_GE(counts.iterations, 1000U);
      EXPECT_EQ(counts.forbidden, 0U) << name(shape) << ' ' << name(fence);
      std::uint64_t all = 0;
      for (const auto& [text, times] : counts.outcomes) all += times;
      EXPECT_EQ(all, counts.iterations);
    }
}

REGISTER_TYPED_TEST_SUITE_P(LitmusContract, NothingForbiddenIsSeenWhateverTheFence);

}  // namespace gpuvet::device
