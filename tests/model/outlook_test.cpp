// SPDX-License-Identifier: Apache-2.0
#include "model/outlook.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

const catalogue::Catalogue& all() {
  static const auto out = catalogue::built_in();
  return out;
}

double rate_of(const Outlooks& outlooks, const catalogue::Workload& workload, const char* gpu) {
  const auto machine = machine_of(*all().gpu(gpu), 8, "");
  const auto out = outlooks.of(workload, *machine);
  return out.rate ? out.rate->value : 0;
}

TEST(Outlook, WhatIsRememberedOfOneServerIsWhatAnotherWouldBeSimulatedTo) {
  const Outlooks used(all());
  auto workload = *all().workload("serve-7b");
  const double first = rate_of(used, workload, "a100-sxm4-80gb");
  EXPECT_GT(first, 0);
  EXPECT_EQ(rate_of(used, workload, "a100-sxm4-80gb"), first);
  // All that decides the rate must be told apart: another GPU, other limits, other lengths.
  auto patient = workload, longer = workload, coarser = workload;
  patient.serving->per_token *= 4;
  longer.serving->output *= 2;
  coarser.serving->spread /= 2;
  const auto same = [&](const catalogue::Workload& w, const char* gpu) {
    const double fresh = rate_of(Outlooks(all()), w, gpu);
    EXPECT_EQ(rate_of(used, w, gpu), fresh);
    EXPECT_NE(fresh, first);
  };
  same(workload, "a100-sxm4-40gb");
  same(workload, "h100-sxm5-80gb");
  same(patient, "a100-sxm4-80gb");
  same(longer, "a100-sxm4-80gb");
  same(coarser, "a100-sxm4-80gb");
}

}  // namespace
}  // namespace gpuvet::model
