// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer lsblk();

namespace testing {
namespace {

const Importer importer = lsblk();

Evidence good(std::string_view text) {
  EXPECT_TRUE(importer.recognises(text)) << text;
  auto evidence = read(importer, text);
  if (!evidence) ADD_FAILURE() << evidence.error().message();
  return evidence ? *std::move(evidence) : Evidence{};
}

TEST(LsblkTest, WholeDisksOnly) {
  const auto evidence = good(
      "NAME=\"/dev/sda\" TYPE=\"disk\" SIZE=\"959656755200\" SERIAL=\"A\" MODEL=\"B  \" "
      "REV=\"5\" PKNAME=\"\"\n"
      "NAME=\"/dev/sda1\" TYPE=\"part\" SIZE=\"1\" SERIAL=\"\" MODEL=\"\" REV=\"\" PKNAME=\"x\"\n"
      "NAME=\"nvme0n1\" TYPE=\"disk\" SIZE=\"2.9T\" SERIAL=\"C\" MODEL=\"D\" REV=\"\"\n");
  EXPECT_EQ(number(evidence, "drive.capacity", "drive:sda"), 959656755200.0);
  EXPECT_EQ(text(evidence, "drive.model", "drive:sda"), "B");
  EXPECT_EQ(absence(evidence, "drive.capacity", "drive:nvme0"), Absence::malformed);
  EXPECT_EQ(text(evidence, "drive.bus", "drive:nvme0"), "nvme");
  EXPECT_EQ(only(evidence, "drive.bus", "drive:sda"), nullptr);
  EXPECT_EQ(all_of(evidence, "drive.model").size(), 2U);
}

TEST(LsblkTest, Refusals) {
  expect_error(importer, "NAME=\"/dev/sda\" TYPE=\"disk\" SIZE=\"9596\nx\n", 1, "cut off");
  expect_error(importer, "NAME=\"/dev/a b\" TYPE=\"disk\" SIZE=\"1\"\n", 1, "lacks its name");
  expect_error(importer, "x\n", 1, "no row");
  EXPECT_FALSE(importer.recognises("NAME=\"Debian\"\nVERSION=\"12\"\n"));  // os-release
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
