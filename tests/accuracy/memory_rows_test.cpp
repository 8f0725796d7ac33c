// SPDX-License-Identifier: Apache-2.0
// Rows become the questions that their words mean; jobs that ran are never said not to fit.
#include "accuracy/memory_rows.hpp"

#include <gtest/gtest.h>

#include "catalogue/packed.hpp"

#include <cstdlib>
#include <fstream>
#include <iterator>

namespace gpuvet::accuracy {
namespace {

struct Known {
  catalogue::Catalogue catalogue = catalogue::built_in();
  model::Models models{model::Constants(catalogue)};
  World world{catalogue, models};
};

const World& world() {
  static const Known known;
  return known.world;
}

Row row(std::string workload, std::map<std::string, std::string, std::less<>> params = {}) {
  Row r;
  r.kind = "memory";
  r.gpu_norm = "A100-SXM-80";
  r.metric = "peak_gpu_memory";
  r.workload = std::move(workload);
  r.params = std::move(params);
  return r;
}

TEST(MemoryRows, NetsAreFoundByAnySpellingAndTheLongestNameWins) {
  const auto id = [](const char* workload) {
    const auto net = net_of(row(workload), world());
    return net ? net->id : net.error().reason;
  };
  EXPECT_EQ(id("Llama 2 7B LoRA fine-tune on Alpaca, LitGPT"), "llama-2-7b");
  EXPECT_EQ(id("torchtitan FSDP2 Llama-2-70B, local batch 2"), "llama-2-70b");
  EXPECT_EQ(id("Llama-3.1-70B-FP8 vLLM v0.5.4"), "llama-3-70b");
  EXPECT_EQ(id("Qwen-72B Q-LoRA fine-tune"), "qwen-72b");
  EXPECT_EQ(id("bloomz-7b1 LoRA"), "bloom-7b1");
  EXPECT_EQ(id("T0_3B LoRA"), "t0-3b");
  EXPECT_EQ(id("a poem"), "no architecture is known for a poem");
}

TEST(MemoryRows, WordsAndParamsBecomeAJob) {
  auto r = row("torchtitan Llama-3.1-70B", {{"seq", "8192"},
                                            {"local_batch", "16"},
                                            {"activation_ckpt", "full"},
                                            {"parallel", "FSDP32 TP8 + compile + asyncTP"}});
  r.gpus = 256;
  r.nodes = 32;
  const auto asked = memory_job_of(r, world());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->job.tensor, 8);
  EXPECT_EQ(asked->job.micro_batch, 16);
  EXPECT_EQ(asked->job.sharding, model::Sharding::weights);
  EXPECT_EQ(asked->job.recompute, model::Recompute::full);
  EXPECT_TRUE(asked->job.compiled && asked->program.overlaps_pieces);
}

TEST(MemoryRows, QuantisedWeightsMakeItQlora) {
  const auto asked =
      memory_job_of(row("Llama 2 13B LoRA fine-tune on Alpaca, LitGPT",
                        {{"method", "LoRA"}, {"weights", "bnb.nf4-dq"}, {"max_tokens", "1304"}}),
                    world());
  ASSERT_TRUE(asked);
  EXPECT_EQ(asked->job.method, model::Method::qlora);
  EXPECT_EQ(asked->program.frozen, model::StoredWeights::nf4_double);
  EXPECT_EQ(asked->job.sequence, 1304);
}

TEST(MemoryRows, PeaksWithoutASequenceAreRefused) {
  const auto answer =
      memory_kind().predict(row("Qwen-7B LoRA fine-tune", {{"method", "LoRA"}}), world());
  ASSERT_FALSE(answer);
  EXPECT_NE(answer.error().reason.find("sequence"), std::string::npos);
}

TEST(MemoryRows, PublishedJobsThatRanFitAndThoseThatDidNotDont) {
  const char* path = std::getenv("GPUVET_MEASUREMENTS");
  if (path == nullptr) GTEST_SKIP() << "GPUVET_MEASUREMENTS names no table";
  std::ifstream in(std::string(path) + "/measurements.tsv", std::ios::binary);
  const auto rows = read_rows(std::string(std::istreambuf_iterator<char>(in), {}));
  ASSERT_TRUE(rows);
  const auto kind = memory_kind();
  int ran = 0, failed = 0, uncertain = 0;
  for (auto r : *rows) {
    const bool oom = r.kind == "memory" && r.metric == "fits" && r.value == 0.0;
    const bool trained =
        r.kind == "training" && (r.workload.find("Composer") < r.workload.size() ||
                                 r.workload.find("torchtitan") < r.workload.size() ||
                                 r.workload.find("fms-fsdp") < r.workload.size());
    if (!oom && !trained) continue;
    r.metric = "fits";
    const auto answer = kind.predict(r, world());
    if (!answer) {
      EXPECT_EQ(answer.error().reason.rfind("uncertain:", 0), 0U)
          << r.id << ": " << answer.error().reason;
      ++uncertain;
      continue;
    }
    EXPECT_EQ(answer->value, oom ? 0 : 1)
        << r.id << " " << r.workload << ": " << answer->notes.front();
    ++(oom ? failed : ran);
  }
  EXPECT_GT(ran + failed, uncertain) << "mostly it knows";
}

}  // namespace
}  // namespace gpuvet::accuracy
