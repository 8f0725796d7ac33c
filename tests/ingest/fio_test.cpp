// SPDX-License-Identifier: Apache-2.0
// fio's JSON: which option makes a figure what it is.
#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "reading.hpp"

namespace gpuvet::ingest {

Importer fio_json();

namespace {

using namespace testing;

std::string document(const std::string& jobs, const std::string& global = "") {
  return "{\n\"fio version\" : \"fio-3.33\",\n" +
         (global.empty() ? "" : "\"global options\" : {" + global + "},\n") + "\"jobs\" : [\n" +
         jobs + "]\n}\n";
}

std::string job(const std::string& options, const std::string& read, const std::string& more = "") {
  return "{ \"jobname\" : \"j\", \"error\" : 0" + more + ", \"job options\" : {" + options +
         "}, \"read\" : {" + read + "} }\n";
}

const std::string figures =
    R"("io_bytes" : 8388608, "bw_bytes" : 4194304, "iops" : 1024.5, "runtime" : 2000, "total_ios" : 2048)";

std::string dimension_text(const Observation& o, std::string_view name) {
  const auto found = o.where.find(name);
  const auto* held = found == o.where.end() ? nullptr : std::get_if<std::string>(&found->second);
  return held == nullptr ? "" : *held;
}

TEST(Fio, ReadsASequentialJob) {
  const std::string text = document(job(
      R"("rw":"read","bs":"1M","iodepth":"32","ioengine":"io_uring","direct":"1")",
      figures +
          R"(, "lat_ns" : {"mean" : 2500.0}, "clat_ns" : {"percentile" : {"99.000000" : 9000}})"));
  EXPECT_EQ(recognise(text)->kind, "fio_json");
  const Evidence e = understood(fio_json(), text);
  const auto* read = only(e, "storage.read.sequential", "node");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(*read->number(), 4194304);
  EXPECT_EQ(dimension(*read, "bytes"), 1048576.0);
  EXPECT_EQ(dimension(*read, "depth"), 32.0);
  EXPECT_EQ(dimension(*read, "jobs"), 1.0);
  EXPECT_EQ(dimension_text(*read, "direct"), "yes");
  EXPECT_EQ(dimension_text(*read, "engine"), "io_uring");
  EXPECT_EQ(dimension_text(*read, "backend"), "fio");
  EXPECT_EQ(read->provenance->version, "fio-3.33");
  EXPECT_EQ(read->provenance->how, How::measured);
  EXPECT_NEAR(*number(e, "storage.read.latency"), 2.5e-6, 1e-15);
  EXPECT_NEAR(*number(e, "storage.read.latency.p99"), 9e-6, 1e-15);
  EXPECT_EQ(e.observations.size(), 3U);  // nothing of writes
}

TEST(Fio, RandomReadsAreCountedNotWeighed) {
  const Evidence e = understood(fio_json(), document(job(R"("rw":"randread","bs":"4k")", figures)));
  const auto* read = only(e, "storage.read.random", "node");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(*read->number(), 1024.5);
  EXPECT_EQ(dimension(*read, "bytes"), 4096.0);
  EXPECT_EQ(dimension_text(*read, "direct"), "no");     // fio's own default
  EXPECT_EQ(dimension_text(*read, "engine"), "psync");  // likewise
  EXPECT_TRUE(all_of(e, "storage.read.sequential").empty());
}

TEST(Fio, OptionsOfAllJobsCountUnlessAJobHasItsOwn) {
  const Evidence e = understood(
      fio_json(), document(job(R"("iodepth":"4")", figures), R"("rw":"randread","iodepth":"64")"));
  EXPECT_EQ(dimension(*only(e, "storage.read.random", "node"), "depth"), 4.0);
}

TEST(Fio, SizesOfBlocks) {
  const auto bytes = [](const std::string& options) {
    const Evidence e = understood(fio_json(), document(job(options, figures)));
    return dimension(e.observations.at(0), "bytes");
  };
  EXPECT_EQ(bytes(R"("bs":"4096")"), 4096.0);
  EXPECT_EQ(bytes(R"("bs":"64kb")"), 65536.0);
  EXPECT_EQ(bytes(R"("bs":"1m,4k")"), 1048576.0);
  EXPECT_EQ(bytes(R"("bs":"1ki")"), 1000.0);  // so fio means it
  EXPECT_EQ(bytes(R"("bs":"1ki","kb_base":"1000")"), 1024.0);
  EXPECT_EQ(bytes(R"("blocksize":"2k")"), 2048.0);
  EXPECT_EQ(bytes(""), 4096.0);  // what was moved tells it
  EXPECT_EQ(bytes(R"("bsrange":"1k-8k")"), std::nullopt);
  EXPECT_EQ(bytes(R"("bs":"huge")"), 4096.0);
}

TEST(Fio, MixedLoadsErrorsAndDrives) {
  const std::string text =
      "fio: a remark\n" +
      document(
          R"({"jobname":"a","error":0,"job options":{"rw":"randrw","filename":"/dev/nvme3n1"},
"read":{"io_bytes":4096,"bw":4,"iops":1,"total_ios":1},"write":{"io_bytes":8192,"bw":8,"iops":2,"total_ios":2}},
{"jobname":"b","error":13,"job options":{"rw":"read"},"read":{"io_bytes":0}},
{"jobname":"c","error":0,"job options":{"rw":"trim"},"trim":{"io_bytes":4096}})");
  const Evidence e = understood(fio_json(), text);
  const auto* read = only(e, "storage.read.random", "drive:nvme3");
  ASSERT_NE(read, nullptr);
  EXPECT_EQ(dimension_text(*read, "mixed"), "reads and writes");
  EXPECT_EQ(number(e, "storage.write.random", "drive:nvme3"), 2.0);
  EXPECT_EQ(absence(e, "storage.read.sequential"), Absence::permission);
  EXPECT_EQ(e.observations.size(), 3U);
}

TEST(Fio, OldVersionsSayKibibytes) {
  const Evidence e = understood(
      fio_json(),
      document(job(R"("rw":"read")", R"("io_bytes":4096,"bw":4,"iops":1,"total_ios":1)")));
  EXPECT_EQ(number(e, "storage.read.sequential"), 4096.0);
}

TEST(Fio, RefusesWhatItCannotUnderstand) {
  expect_error(fio_json(), "fio: \"fio version\" \"jobs\"\n", 0, "no whole JSON");
  expect_error(fio_json(), document(""), 1, "no job");
  expect_error(fio_json(), document(job("", R"("io_bytes":0)")), 1, "read or wrote");
  expect_error(fio_json(), document(job("", R"("io_bytes":1,"bw_bytes":-4)")), 4, "no rate");
  expect_error(fio_json(), document("7\n"), 5, "no object");
}

}  // namespace
}  // namespace gpuvet::ingest
