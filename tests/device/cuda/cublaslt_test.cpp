// SPDX-License-Identifier: Apache-2.0
#include "device/cuda/cublaslt.hpp"

#include <gmock/gmock.h>

#include "platform/library.hpp"

namespace gpuvet::device::cuda {
namespace {

/// Without a GPU the library is found, has all that is called, and says what is missing.
TEST(Cublas, SaysWhatIsMissing) {
  const auto there =
      platform::Library::open({"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11",
                               "/usr/local/cuda/lib64/libcublasLt.so"});
  const auto opened = Cublas::open();
  if (opened) GTEST_SKIP() << "there is a GPU: " << (*opened)->name();
  EXPECT_EQ(opened.error().code, Errc::not_supported);
  EXPECT_THAT(opened.error().message(),
              testing::HasSubstr(there ? "refuses this GPU or driver" : "no cuBLASLt"));
}

}  // namespace
}  // namespace gpuvet::device::cuda
