// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "device/cuda/nccl_abi.hpp"
#include "device/cuda/nccl_log.hpp"
#include "platform/library.hpp"

namespace gpuvet::device::nccl {
namespace {

// Lines as NCCL 2.19 and 2.23 write them.
constexpr std::string_view log = R"(node:309:309 [0] NCCL INFO NCCL_DEBUG_SUBSYS set to TUNING
node:309:309 [0] NCCL INFO 1048576 Bytes -> Algo 0 proto 1 time 21.800001
node:309:309 [0] NCCL INFO AllReduce: 8388608 Bytes -> Algo Ring proto LL128 channel{Lo..Hi}={0..15}
node:309:309 [0] NCCL INFO AllGather: 8388608 Bytes -> Algo RING proto SIMPLE channel{Lo..Hi}={0..23}
node:309:309 [0] NCCL INFO AllReduce: 8388608 Bytes -> Algo NVLS proto SIMPLE channel{Lo..Hi}={0..15}
node:309:309 [0] NCCL INFO AllReduce: 99 Bytes -> Algo 77 proto)";

std::string text(std::optional<Choice> choice) {
  return choice ? choice->algorithm + "/" + choice->protocol : "none";
}

TEST(NcclLog, TellsTheLastChoiceForAnOperationAndSize) {
  EXPECT_EQ(text(choice_in(log, Collective::all_reduce, 8388608)), "nvls/simple");
  EXPECT_EQ(text(choice_in(log, Collective::all_gather, 8388608)), "ring/simple");
  EXPECT_EQ(text(choice_in(log, Collective::broadcast, 8388608)), "none");
  EXPECT_EQ(text(choice_in(log, Collective::all_reduce, 4)), "none");
}

TEST(NcclLog, ReadsNumbersOfOlderVersions) {
  EXPECT_EQ(text(choice_in(log, Collective::all_reduce, 1048576)), "tree/ll128");
}

TEST(NcclLog, IgnoresLinesThatAreCutOff) {
  EXPECT_EQ(text(choice_in(log, Collective::all_reduce, 99)), "none");
  EXPECT_EQ(text(choice_in(" Bytes -> Algo ", Collective::all_reduce, 99)), "none");
}

TEST(Nccl, VersionsReadAsTheLibraryPrintsThem) {
  EXPECT_EQ(version_text(22809), "2.28.9");
  EXPECT_EQ(version_text(21903), "2.19.3");
  EXPECT_EQ(version_text(2708), "2.7.8");
}

TEST(Nccl, TheLibraryHasWhatIsDeclared) {
  const auto library =
      platform::Library::open({"libnccl.so.2", "/usr/local/cuda/lib64/libnccl.so.2"});
  if (!library) GTEST_SKIP() << "no NCCL here";
#define GPUVET_NCCL_EXPECT(name, arguments) \
  EXPECT_NE(library->symbol<function::name>(#name), nullptr) << #name;
  GPUVET_NCCL_FUNCTIONS(GPUVET_NCCL_EXPECT)
#undef GPUVET_NCCL_EXPECT
  int version = 0;
  ASSERT_EQ(library->symbol<function::ncclGetVersion>("ncclGetVersion")(&version), Return::success);
  EXPECT_GE(version, 2700);
}

}  // namespace
}  // namespace gpuvet::device::nccl
