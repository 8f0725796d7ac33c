// SPDX-License-Identifier: Apache-2.0
#include "collect/tree.hpp"

namespace gpuvet::collect {

Result<void> collect_libraries(const Machine&, Collected&);

namespace {

class Libraries : public Tree {};

TEST_F(Libraries, TellTheirVersionsAndOneThatDiesHurtsNoOther) {
  for (const char* name : {"cudart", "cublasLt", "cudnn"})
    machine_.libraries[name] = GPUVET_FAKE_CUDA;
  machine_.libraries["nccl"] = GPUVET_FAKE_CUDA;
  Collected out;
  ASSERT_TRUE(collect_libraries(machine_, out));
  EXPECT_EQ(text(out, "node.cuda.runtime"_id, "node"), "12.4");
  EXPECT_EQ(text(out, "node.cublaslt.version"_id, "node"), "12.4.1");
  EXPECT_EQ(text(out, "node.nccl.library"_id, "node"), "2.20.5");
  const auto* dead = find(out, "node.cudnn.version"_id, "node");
  ASSERT_NE(dead, nullptr);
  EXPECT_EQ(dead->get(), nullptr);
  EXPECT_NE(dead->detail.find("ended the process that did (status 137)"), std::string::npos)
      << dead->detail;
}

TEST_F(Libraries, ThatAreNotThereOrTellNothingSaySo) {
  machine_.libraries["nccl"] = folder_ + "/libnccl.so.2";
  machine_.libraries["cudnn"] = "libc.so.6";
  Collected out;
  ASSERT_TRUE(collect_libraries(machine_, out));
  const auto* absent = find(out, "node.nccl.library"_id, "node");
  ASSERT_NE(absent, nullptr);
  EXPECT_EQ(absent->detail, "libnccl is not among the libraries that programs find here");
  EXPECT_EQ(find(out, "node.cudnn.version"_id, "node")->detail,
            "libcudnn does not tell its version");
}

TEST_F(Libraries, OfACapturedMachineAreNotTheseHere) {
  Collected out;
  ASSERT_TRUE(collect_libraries(machine_, out));
  EXPECT_TRUE(out.evidence.observations.empty());
}

}  // namespace
}  // namespace gpuvet::collect
