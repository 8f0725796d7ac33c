// SPDX-License-Identifier: Apache-2.0
#include "model/joined_gpus.hpp"

#include <gtest/gtest.h>

#include <map>

#include "catalogue/packed.hpp"

namespace gpuvet::model {
namespace {

constexpr BytesPerSecond GB_per_s = BytesPerSecond::base(1e9);

const catalogue::Catalogue& catalogue() {
  static const auto c = catalogue::built_in();
  return c;
}
Answer<JoinedGpus> server(const char* id, const Choice& choice = {}) {
  return fabric_of_server(*catalogue().server(id), catalogue(), choice);
}

TEST(FabricOfServer, AnswersOrRefusesEveryServerOfTheCatalogue) {
  // As the facts of data/servers have it: GPU, how many, topology; or why not.
  const std::map<std::string, std::string> expected = {
      {"asus-esc4000-e11", "a100-pcie-80gb x4 pcie"},
      {"asus-esc8000a-e11", "a100-pcie-80gb x8 nvlink-partial"},
      {"aws-p4d", "a100-sxm4-40gb x8 nvswitch"},
      {"aws-p4de", "a100-sxm4-80gb x8 nvswitch"},
      {"aws-p5", "h100-sxm5-80gb x8 nvswitch"},
      {"azure-nc48ads-a100-v4", "a100-pcie-80gb x2 nvlink-all"},
      {"azure-nc96ads-a100-v4", "a100-pcie-80gb x4 nvlink-partial"},
      {"azure-nd40rs-v2", "v100-sxm2-32gb x8 nvlink-partial"},
      {"azure-nd96amsr-a100-v4", "a100-sxm4-80gb x8 nvswitch"},
      {"azure-nd96asr-v4", "a100-sxm4-40gb x8 nvswitch"},
      {"azure-nd96isr-h100-v5", "h100-sxm5-80gb x8 nvswitch"},
      {"dell-r750xa", "several GPUs"},
      {"dell-xe8545", "several GPUs"},
      {"dell-xe9680", "several GPUs"},
      {"dgx-a100-40", "a100-sxm4-40gb x8 nvswitch"},
      {"dgx-a100-80", "a100-sxm4-80gb x8 nvswitch"},
      {"dgx-h100", "several GPUs"},
      {"gcp-a2-highgpu-8g", "a100-sxm4-40gb x8 nvswitch"},
      {"gcp-a2-megagpu-16g", "a100-sxm4-40gb x16 nvswitch"},
      {"gcp-a2-ultragpu-8g", "a100-sxm4-80gb x8 nvswitch"},
      {"gcp-a3-highgpu-8g", "h100-sxm5-80gb x8 nvswitch"},
      {"gigabyte-g492-zd2", "a100-sxm4-80gb x8 nvswitch"},
      {"h3c-r5300g5", "several GPUs"},
      {"h3c-r5500g5", "a100-sxm4-80gb x8 nvswitch"},
      {"hgx-a100-4", "several GPUs"},
      {"hgx-a100-8", "several GPUs"},
      {"hpe-xl675d", "several GPUs"},
      {"inspur-nf5488a5", "a100-sxm4-80gb x8 nvswitch"},
      {"inspur-nf5488m6", "several GPUs"},
      {"inspur-nf5688m6", "a100-sxm4-80gb x8 nvswitch"},
      {"lambda-8x-a100", "several GPUs"},
      {"lenovo-sr670v2", "several GPUs"},
      {"oci-bm-gpu-a100-v2-8", "a100-sxm4-80gb x8 nvswitch"},
      {"oci-bm-gpu-h100-8", "h100-sxm5-80gb x8 nvswitch"},
      {"oci-bm-gpu4-8", "a100-sxm4-40gb x8 nvswitch"},
      {"ocp-2u-8pcie", "several GPUs"},
      {"smc-420gp-tnar", "a100-sxm4-80gb x8 nvswitch"},
      {"smc-420gp-tnhr", "mixes GPUs"},
      {"smc-420gp-tnr", "numbers of GPUs"},
      {"smc-as-2124gq-nart", "several GPUs"},
      {"smc-as-4124go-nart", "a100-sxm4-80gb x8 nvswitch"},
      {"smc-as-4124gs-tnr", "a100-pcie-80gb x8 pcie"},
  };
  for (const auto& one : catalogue().servers) {
    const auto machine = fabric_of_server(one, catalogue());
    const std::string got = machine
                                ? machine->gpu.id + " x" + std::to_string(machine->fabric.gpus) +
                                      " " + std::string(topology_class(machine->fabric))
                                : machine.error().reason;
    const auto found = expected.find(one.id);
    if (found == expected.end()) {
      EXPECT_FALSE(got.empty()) << one.id;
      continue;  // a server added since: any answer or reason will do
    }
    if (machine)
      EXPECT_EQ(got, found->second) << one.id;
    else
      EXPECT_NE(got.find(found->second), std::string::npos) << one.id << ": " << got;
  }
}

TEST(FabricOfServer, TakesTheBuyersChoice) {
  const auto small = server("dell-xe8545", {"a100-sxm4-40gb", 0, {}});
  ASSERT_TRUE(small);
  EXPECT_EQ(small->fabric.gpus, 4);
  EXPECT_EQ(small->fabric.kind, Fabric::Kind::nvlink_all);
  EXPECT_FALSE(server("dell-xe8545", {"a100-pcie-80gb", 0, {}})) << "it has no slots for cards";
  EXPECT_FALSE(server("lenovo-sr670v2", {"a100-pcie-80gb", 0, {}})) << "4 or 8";
  const auto cards = server("lenovo-sr670v2", {"a100-pcie-80gb", 8, {}});
  ASSERT_TRUE(cards) << cards.error().reason;
  EXPECT_EQ(cards->fabric.pairs.size(), 64U);
  EXPECT_FALSE(server("aws-p4d", {"", 16, {}}));
}

TEST(FabricOfServer, BridgesAreAnOption) {
  const auto without = server("asus-esc4000-e11");
  ASSERT_TRUE(without);
  EXPECT_EQ(without->fabric.kind, Fabric::Kind::pcie);
  EXPECT_FALSE(without->notes.empty());
  Choice bridged;
  bridged.bridges = true;
  const auto with = server("asus-esc4000-e11", bridged);
  ASSERT_TRUE(with);
  EXPECT_EQ(with->fabric.kind, Fabric::Kind::nvlink_partial);
  EXPECT_GE(with->fabric.rings->rate, without->fabric.rings->rate);
}

TEST(FabricOfServer, CountsTheAdaptersForCompute) {
  const std::map<const char*, double> gbit = {{"aws-p4d", 400},
                                              {"aws-p4de", 400},
                                              {"aws-p5", 3200},
                                              {"dgx-a100-80", 1600},
                                              {"dgx-a100-40", 1600},
                                              {"azure-nd96asr-v4", 1600},
                                              {"azure-nd40rs-v2", 100},
                                              {"azure-nd96isr-h100-v5", 3200},
                                              {"oci-bm-gpu-a100-v2-8", 1600},
                                              {"gcp-a3-highgpu-8g", 800},
                                              {"oci-bm-gpu-h100-8", 0},
                                              {"smc-as-4124gs-tnr", 0}};
  for (const auto& [id, rate] : gbit) {
    const auto machine = server(id);
    ASSERT_TRUE(machine) << id;
    EXPECT_DOUBLE_EQ(machine->fabric.network.in(GB_per_s)*8, rate) << id;
  }
  EXPECT_TRUE(server("aws-p5")->fabric.efa);
  EXPECT_FALSE(server("gcp-a2-ultragpu-8g")->fabric.rdma);
}

}  // namespace
}  // namespace gpuvet::model
