// SPDX-License-Identifier: Apache-2.0
// The fabric manager's log: version, state, errors and SXid codes.
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer fabricmanager();

namespace {

using namespace testing;

Evidence facts(std::string_view input) {
  EXPECT_TRUE(fabricmanager().recognises(input));
  auto read_back = read(fabricmanager(), input);
  EXPECT_TRUE(read_back) << (read_back ? "" : read_back.error().message());
  return read_back ? *read_back : Evidence{};
}

std::string refusal(std::string_view input) {
  const auto read_back = read(fabricmanager(), input);
  EXPECT_FALSE(read_back);
  return read_back ? "" : read_back.error().message();
}

std::string line(const std::string& level, const std::string& message) {
  return "[Mar 02 2025 08:00:01] [" + level + "] [tid 1234] " + message + "\n";
}

TEST(Fabricmanager, TakesTheLastVersionAndState) {
  const Evidence e = facts(
      line("INFO",
           "Fabric Manager version 535.54.03 is running with the following configuration options") +
      line("ERROR", "failed to initialize NVSwitch") +
      line("INFO",
           "Fabric Manager version 550.90.07 is running with the following configuration options") +
      line("INFO",
           "Successfully configured all the available GPUs and NVSwitches to route NVLink "
           "traffic."));
  EXPECT_EQ(text(e, "node.fabric_manager.version"), "550.90.07");
  EXPECT_EQ(text(e, "node.fabric_manager.state"), "running");
  EXPECT_EQ(only(e, "node.fabric_manager.state", "node")->line, 4U);
  EXPECT_EQ(value<std::vector<std::string>>(e, "node.fabric_manager.errors", "node"),
            std::vector<std::string>{"failed to initialize NVSwitch"});
}

TEST(Fabricmanager, ReadsErrorsOfNvswitches) {
  const std::string nonfatal = line("ERROR",
                                    "detected NVSwitch non-fatal error 12028 on fid 0 on NVSwitch "
                                    "pci bus id 00000000:86:00.0 physical id 3 port 61");
  const Evidence e = facts(nonfatal + nonfatal +
                           line("ERROR",
                                "detected NVSwitch fatal error 20034 on fid 0 on NVSwitch pci bus "
                                "id 00000000:86:00.0 physical id 3 port 61"));
  EXPECT_EQ(numbers(e, "nvswitch.sxid", "nvswitch:0000:86:00.0"),
            (std::vector<double>{12028, 20034}));
  EXPECT_EQ(numbers(e, "nvswitch.sxid.fatal", "nvswitch:0000:86:00.0"), std::vector<double>{20034});
  EXPECT_EQ(only(e, "node.fabric_manager.errors", "node")->detail, "3 errors in all");
}

TEST(Fabricmanager, SaysWhenNothingWentWrong) {
  const Evidence e =
      facts(line("INFO", "multicast group 0 is freed.") + "Message payload details\n\n");
  EXPECT_EQ(value<std::vector<std::string>>(e, "node.fabric_manager.errors", "node"),
            std::vector<std::string>{});
  EXPECT_TRUE(all_of(e, "node.fabric_manager.state").empty());
}

TEST(Fabricmanager, WithstandsHostileInput) {
  EXPECT_TRUE(contains(refusal("[a] [b] c\n"), "no line looks like"));
  EXPECT_TRUE(contains(refusal(line("INFO", std::string(1, '\0'))), "NUL"));
  std::string many;
  for (int i = 0; i < 500; ++i) many += line("ERROR", "e\x1b" + std::to_string(i));
  const auto errors =
      value<std::vector<std::string>>(facts(many), "node.fabric_manager.errors", "node");
  ASSERT_TRUE(errors);
  EXPECT_EQ(errors->size(), 64U);
  EXPECT_EQ(errors->front(), "e\\x1b0");
  EXPECT_TRUE(
      all_of(facts(line("ERROR", "NVSwitch fatal error 99999999999999999999 on pci bus id x")),
             "nvswitch.sxid")
          .empty());
}

}  // namespace
}  // namespace gpuvet::ingest
