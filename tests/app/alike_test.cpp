// SPDX-License-Identifier: Apache-2.0
// Files and machine say the same of one server: every criterion that both can judge has the same
// status, and what only one of them can judge is listed here with the reason.
#include <algorithm>
#include <map>

#include "app/simulated.hpp"
#include "core/text.hpp"

namespace gpuvet::app {
namespace {

using testing::Simulated;
using Statuses = std::map<std::pair<std::string, std::string>, judge::Status>;

/// Criteria that only one side can judge, and why.
const std::map<std::string, std::string>& one_sided() {
  static const std::map<std::string, std::string> all = {
      {"coherency.uvm", "loaded modules: no file of a tool names them"},
      {"network.gpudirect", "likewise"},
      {"storage.gpudirect", "likewise"},
      {"software.fabric_manager", "a running service: files would need its log"},
      {"nccl.environment", "variables of the job that asks"},
      {"host.iommu", "the kernel's groups; of files only gdscheck's tells"},
      {"gpu.inforom", "NVML checks it; nvidia-smi warns only when it is bad"},
      {"gpu.ecc.uncorrected", "a total that nvidia-smi -q does not print"},
      {"gpu.nvlink.inactive", "with every link down nvidia-smi prints a sentence and no list"},
      {"gpu.nvlink.speed", "likewise"},
      {"gpu.busy", "only who asks now knows who uses it now"},
      {"gpu.visible", "files know nothing of the bus that they were printed beside"},
      {"gpu.responds", "only who asks the driver can wait for it"}};
  return all;
}

bool judged(judge::Status status) {
  return status == judge::Status::pass || status == judge::Status::warn ||
         status == judge::Status::fail;
}

Statuses statuses(const judge::Verdict& verdict) {
  Statuses out;
  for (const auto& f : verdict.findings)
    if (judged(f.status)) out[{f.id, f.subject}] = f.status;
  return out;
}

void expect_alike(const std::string& scenario, const std::string& fault) {
  const Simulated server(scenario, fault);
  if (!server.possible()) return;
  const auto machine = statuses(server.as_machine()), files = statuses(server.as_files());
  EXPECT_GT(files.size(), 3U) << scenario;
  for (const auto& [what, status] : machine) {
    const auto other = files.find(what);
    if (other != files.end())
      EXPECT_EQ(judge::name(status), judge::name(other->second))
          << scenario << " " << fault << ": " << what.first << " of " << what.second;
    else
      EXPECT_TRUE(one_sided().contains(what.first))
          << scenario << " " << fault << ": only the machine tells " << what.first << " of "
          << what.second << " (" << judge::name(status) << ")";
  }
  for (const auto& [what, status] : files)
    EXPECT_TRUE(machine.contains(what) || one_sided().contains(what.first))
        << scenario << " " << fault << ": only the files tell " << what.first << " of "
        << what.second << " (" << judge::name(status) << ")";
}

class EveryServer : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> all_scenarios() {
  std::vector<std::string> out;
  for (const auto& named : sim::scenarios()) out.push_back(named.id);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Alike, EveryServer, ::testing::ValuesIn(all_scenarios()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryServer, MachineAndFilesAreJudgedAlike) { expect_alike(GetParam(), ""); }

class EveryFault : public ::testing::TestWithParam<std::string> {};

std::vector<std::string> all_faults() {
  std::vector<std::string> out;
  for (const auto& fault : sim::faults()) out.emplace_back(fault.id);
  return out;
}

INSTANTIATE_TEST_SUITE_P(Alike, EveryFault, ::testing::ValuesIn(all_faults()),
                         [](const auto& instance) {
                           std::string name = instance.param;
                           std::replace(name.begin(), name.end(), '-', '_');
                           return name;
                         });

TEST_P(EveryFault, MachineAndFilesAreJudgedAlike) {
  const std::string fault = GetParam();
  if (fault == "call-hangs" || fault == "symbol-missing")
    GTEST_SKIP() << "of the library alone: the tools' files were printed without it";
  if (fault == "gpu-lost")
    GTEST_SKIP() << "with a GPU lost nvidia-smi prints no matrix, and counts the rest";
  expect_alike("dgx-a100", fault);
}

}  // namespace
}  // namespace gpuvet::app
