// SPDX-License-Identifier: Apache-2.0
// Who holds a controller's password leaves no core dump: a vendor's library that crashes in the
// same process would write it to disk.
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "gpuvet/live_machine.hpp"
#include "platform/process.hpp"

namespace gpuvet::app {
namespace {

/// "dumpable core-limit" of a process that gathered with these options.
std::string privacy_with(const std::string& bmc) {
  const auto child = platform::isolated(
      [&](int fd) {
        ::setenv("GPUVET_BMC_USER", "vetter", 1);
        ::setenv("GPUVET_BMC_PASSWORD", "secret", 1);
        const rlimit some{4096, 4096};
        ::setrlimit(RLIMIT_CORE, &some);
        ::prctl(PR_SET_DUMPABLE, 1);
        LiveOptions options;
        options.root = "/nonexistent";
        options.nvml = "/nonexistent";
        options.bmc = bmc;
        (void)gather_live(options);
        rlimit core{};
        ::getrlimit(RLIMIT_CORE, &core);
        const auto said = std::to_string(::prctl(PR_GET_DUMPABLE)) + " " +
                          std::to_string(core.rlim_cur) + " " + std::to_string(core.rlim_max);
        (void)!::write(fd, said.data(), said.size());
      },
      30);
  return child ? child->output : child.error().what;
}

TEST(Credentials, LeaveNoCoreDump) {
  EXPECT_EQ(privacy_with("127.0.0.1:1"), "0 0 0");
  EXPECT_EQ(privacy_with(""), "1 4096 4096") << "without a password nothing is kept from anybody";
}

}  // namespace
}  // namespace gpuvet::app
