// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "ingest/reading.hpp"

namespace gpuvet::ingest {

Importer mllog();

namespace testing {
namespace {

const Importer importer = mllog();

std::string record(long long ms, std::string_view key, std::string_view value,
                   std::string_view metadata = "") {
  return fmt::format(
      ":::MLLOG {{\"namespace\": \"\", \"time_ms\": {}, \"event_type\": \"POINT_IN_TIME\", "
      "\"key\": \"{}\", \"value\": {}, \"metadata\": {{\"file\": \"train.py\", \"lineno\": 1{}}}}}",
      ms, key, value, metadata);
}

std::string line(long long ms, std::string_view key, std::string_view value,
                 std::string_view metadata = "") {
  return record(ms, key, value, metadata) + "\n";
}

std::string run(std::string_view status) {
  return "+ echo start\n" + line(1000, "submission_benchmark", "\"ssd\"") +
         "0: " + line(1001, "submission_platform", "\"1xVendor G4\"") +
         line(1002, "global_batch_size", "256") + line(1002, "local_batch_size", "32") +
         line(5000, "run_start", "null") + line(5001, "train_samples", "4572") +
         line(6000, "tracked_stats", "{\"throughput\": 120.0}") +
         line(7000, "tracked_stats", "{\"throughput\": 130.0}") +
         line(8000, "eval_accuracy", "0.31") + line(9000, "eval_accuracy", "0.345") +
         line(65500, "run_stop", "null", ", \"status\": \"" + std::string(status) + "\"") +
         line(65501, "tracked_stats", "{\"throughput\": 140.0}");
}

TEST(MllogTest, OneRun) {
  const auto evidence = read(importer, run("success"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(text(*evidence, "workload.status", "workload:ssd"), "success");
  EXPECT_DOUBLE_EQ(*number(*evidence, "workload.duration", "workload:ssd"), 60.5);
  EXPECT_EQ(text(*evidence, "workload.platform", "workload:ssd"), "1xVendor G4");
  EXPECT_EQ(number(*evidence, "workload.gpus", "workload:ssd"), 8);
  EXPECT_EQ(number(*evidence, "workload.batch", "workload:ssd"), 256);
  EXPECT_EQ(number(*evidence, "workload.samples", "workload:ssd"), 4572);
  EXPECT_EQ(number(*evidence, "workload.quality", "workload:ssd"), 0.345);
  EXPECT_EQ(number(*evidence, "workload.throughput", "workload:ssd"), 130);
  const auto* duration = only(*evidence, "workload.duration", "workload:ssd");
  EXPECT_EQ(dimension(*duration, "gpus"), 8);
  EXPECT_EQ(duration->line, 12U);
  EXPECT_EQ(duration->provenance->how, How::measured);
}

TEST(MllogTest, SeveralRunsAndAKilledOne) {
  const std::string killed = line(1, "cache_clear", "true") + line(5, "run_start", "null");
  const auto evidence = read(importer, run("aborted") + killed + run("success"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  const auto statuses = all_of(*evidence, "workload.status", "workload:ssd");
  ASSERT_EQ(statuses.size(), 2U);
  EXPECT_EQ(*statuses[0].text(), "aborted");
  EXPECT_EQ(*statuses[1].text(), "success");
  EXPECT_EQ(absence(*evidence, "workload.status", "workload:unnamed"), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "workload.duration", "workload:unnamed"), Absence::malformed);
  EXPECT_EQ(absence(*evidence, "workload.gpus", "workload:unnamed"), Absence::not_asked);
}

TEST(MllogTest, GpusOfTheLaunchScript) {
  const std::string body = line(5, "submission_platform", "\"1xSUBMISSION_PLATFORM_PLACEHOLDER\"") +
                           line(6, "run_start", "null") +
                           line(9, "run_stop", "null", ", \"status\": \"success\"");
  for (const std::string before :
       {"Run vars: id 77 gpus 4 mparams ''\n",
        "num_gpus=4 num_sockets = 2 num_nodes=8 cores_per_socket=64\n"}) {
    const auto evidence = read(importer, before + body);
    ASSERT_TRUE(evidence) << evidence.error().message();
    EXPECT_EQ(number(*evidence, "workload.gpus", "workload:unnamed"), 4);
    EXPECT_EQ(absence(*evidence, "workload.platform", "workload:unnamed"), Absence::malformed);
  }
  // What one node says is not the count of two.
  std::string two = body;
  two.replace(two.find("1xSUB"), 1, "2");
  const auto evidence = read(importer, "Run vars: id 77 gpus 4 mparams ''\n" + two);
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_EQ(absence(*evidence, "workload.gpus", "workload:unnamed"), Absence::not_asked);
}

TEST(MllogTest, TornAndJoinedRecords) {
  const std::string joined = record(5, "run_start", "null") + line(6, "train_samples", "10");
  const auto evidence =
      read(importer, joined + ":::MLLOG {\"namespace\": \"\", \"key\": \"eval_accuracy\", \"val\n" +
                         ":::MLLOG [1, 2]\n:::MLLOG {\"key\": 3, \"value\": \"run_start\"\n"
                         ":::MLLOG {\"key\": \"weights_initialization\"\n" +
                         line(9, "run_stop", "null"));
  // The third of these torn records names run_start, as a value.
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().input_line, 4U);
  const auto sound = read(importer, joined + ":::MLLOG {\"key\": \"eval_accuracy\", \"val\n" +
                                        line(4, "run_stop", "null"));
  ASSERT_TRUE(sound) << sound.error().message();
  EXPECT_EQ(number(*sound, "workload.samples", "workload:unnamed"), 10);
  EXPECT_EQ(absence(*sound, "workload.duration", "workload:unnamed"), Absence::malformed);
  EXPECT_EQ(absence(*sound, "workload.status", "workload:unnamed"), Absence::malformed);
}

TEST(MllogTest, HostileNumbers) {
  const auto evidence =
      read(importer,
           line(5, "global_batch_size", "1e400") + line(5, "train_samples", "-3") +
               line(5, "eval_accuracy", "\"0,5\"") + line(5, "run_start", "null") +
               line(9, "run_stop", "{}",
                    ", \"status\": [" + std::string(50000, '[') + std::string(50000, ']') + "]"));
  ASSERT_TRUE(evidence) << evidence.error().message();
  EXPECT_TRUE(all_of(*evidence, "workload.batch").empty());
  EXPECT_TRUE(all_of(*evidence, "workload.samples").empty());
  EXPECT_TRUE(all_of(*evidence, "workload.quality").empty());
  EXPECT_EQ(number(*evidence, "workload.duration", "workload:unnamed"), 0.004);
}

TEST(MllogTest, RefusedWithTheReason) {
  expect_error(importer, line(5, "cache_clear", "true"), 1, "no run_start");
  expect_error(importer, line(5, "run_start", "null") + ":::MLLOG {\"key\": \"run_stop\", \"va", 2,
               "no whole JSON");
  expect_error(importer, std::string(":::MLLOG {\0}\n", 13), 1, "NUL");
  std::string many;
  for (int i = 0; i < 1002; ++i) many += line(i, "run_start", "null");
  expect_error(importer, many, 1002, "more than 1000 runs");
}

TEST(MllogTest, RecognisesItsOwnOnly) {
  EXPECT_TRUE(importer.recognises("+ docker exec\n" + run("success")));
  EXPECT_FALSE(importer.recognises(":::MLPv0.5.0 resnet 1541635088.000 (x.py:5) run_start\n"));
  EXPECT_FALSE(importer.recognises(""));
}

}  // namespace
}  // namespace testing
}  // namespace gpuvet::ingest
