// SPDX-License-Identifier: Apache-2.0
// A bundle survives being written and read; a hostile one is refused.
#include "evidence/bundle.hpp"

#include <gtest/gtest.h>

#include <string>

#include "core/text.hpp"
#include "evidence/json.hpp"
#include "sample.hpp"

namespace gpuvet {
namespace {

Bundle sample_bundle() {
  return {"node-7",
          "2026-11-22T14:00:00Z",
          "0.1.0",
          {{"sources/01-query.xml", "query.xml", "nvidia_smi_xml", "", 4711},
           {"", "notes.docx", "", "no importer", 12}},
          testing::sample_evidence()};
}

Result<Bundle> read(const std::vector<BundleFile>& files, const std::string& document) {
  return read_bundle(document, [&](const std::string& path) -> Result<std::string> {
    for (const auto& file : files)
      if (file.path == path) return file.bytes;
    return fail(Errc::not_found, path);
  });
}

Result<Bundle> read(const std::vector<BundleFile>& files) {
  return read(files, files.back().bytes);
}

/// The sample's bundle.json after `change`, read with the sample's tables.
template <class Change>
Result<Bundle> read_changed(Change change) {
  const auto files = write_bundle(sample_bundle());
  Json document = Json::parse(files.back().bytes);
  change(document);
  return read(files, document.dump());
}

TEST(Bundle, IsWrittenAsOneDocumentAndItsTables) {
  const auto files = write_bundle(sample_bundle());
  ASSERT_EQ(files.size(), 2U);
  EXPECT_EQ(files[0].path, "tables/001.json");
  EXPECT_EQ(files[1].path, "bundle.json");
  EXPECT_TRUE(is_bundle(files[1].bytes));
}

TEST(Bundle, SurvivesARoundTripWithoutLoss) {
  const Bundle given = sample_bundle();
  const auto files = write_bundle(given);
  const auto bundle = read(files);
  ASSERT_TRUE(bundle) << bundle.error().message();
  EXPECT_EQ(bundle->hostname, given.hostname);
  EXPECT_EQ(bundle->collected, given.collected);
  EXPECT_EQ(bundle->gpuvet, given.gpuvet);
  EXPECT_EQ(bundle->evidence.observations.size(), given.evidence.observations.size());
  ASSERT_EQ(bundle->sources.size(), 2U);
  EXPECT_EQ(bundle->sources[0].bytes, 4711U);
  EXPECT_EQ(bundle->sources[1].reason, "no importer");
  const auto again = write_bundle(*bundle);
  ASSERT_EQ(again.size(), files.size());
  for (std::size_t i = 0; i < files.size(); ++i) EXPECT_EQ(again[i].bytes, files[i].bytes);
}

TEST(Bundle, IsRecognisedByItsSchema) {
  EXPECT_TRUE(is_bundle(" \n{\"schema\": \"gpuvet.bundle/1\"}"));
  EXPECT_FALSE(is_bundle("{\"schema\": \"gpuvet.verdict/1\"}"));
  EXPECT_FALSE(is_bundle("gpuvet.bundle/1"));
  EXPECT_FALSE(is_bundle(""));
}

TEST(HostileBundle, CannotReachOutsideThroughATable) {
  for (const char* path : {"../secret", "/etc/passwd", "tables/../../secret", "tables/..", "", ".",
                           "tables//1", "..\\secret", "./x"}) {
    bool asked = false;
    const Json document = {{"schema", "gpuvet.bundle/1"}, {"tables", {{{"file", path}}}}};
    const auto bundle =
        read_bundle(document.dump(), [&](const std::string&) -> Result<std::string> {
          asked = true;
          return std::string("{}");
        });
    EXPECT_FALSE(bundle) << path;
    EXPECT_FALSE(asked) << path << " was opened";
  }
}

TEST(HostileBundle, CannotReachOutsideThroughASource) {
  for (const char* path : {"../secret", "/etc/passwd", "sources/../../x"})
    EXPECT_FALSE(read_changed([&](Json& j) { j["sources"][0]["file"] = path; })) << path;
}

TEST(HostileBundle, WithAnUndeclaredIdIsRefused) {
  const auto bundle = read_changed([](Json& j) { j["observations"][0]["id"] = "gpu.made.up"; });
  ASSERT_FALSE(bundle);
  EXPECT_TRUE(contains(bundle.error().message(), "gpu.made.up")) << bundle.error().message();
}

TEST(HostileBundle, OfAnotherSchemaIsRefusedByName) {
  const auto bundle = read_changed([](Json& j) { j["schema"] = "gpuvet.bundle/99"; });
  ASSERT_FALSE(bundle);
  EXPECT_EQ(bundle.error().code, Errc::not_supported);
  EXPECT_TRUE(contains(bundle.error().message(), "gpuvet.bundle/99"));
  EXPECT_FALSE(read_changed([](Json& j) { j.erase("schema"); }));
  EXPECT_FALSE(read({}, "[]"));
}

TEST(HostileBundle, WithNumbersThatAreNotFiniteIsRefused) {
  const auto files = write_bundle(sample_bundle());
  for (const char* number : {"NaN", "Infinity", "-Infinity", "1e999"}) {
    std::string document = files.back().bytes;
    const auto at = document.find("62.5");
    ASSERT_NE(at, std::string::npos);
    document.replace(at, 4, number);
    EXPECT_FALSE(read(files, document)) << number;
  }
}

TEST(HostileBundle, WithATableThatIsMissingOrBrokenIsRefused) {
  auto files = write_bundle(sample_bundle());
  files[0].bytes.resize(files[0].bytes.size() / 2);
  const auto cut = read(files);
  ASSERT_FALSE(cut);
  EXPECT_TRUE(contains(cut.error().message(), "tables/001.json")) << cut.error().message();
  EXPECT_FALSE(read({files[1]}));
}

TEST(HostileBundle, WithMembersOfTheWrongKindDoesNotCrash) {
  for (const char* text : {R"({"schema":"gpuvet.bundle/1","machine":7})",
                           R"({"schema":"gpuvet.bundle/1","sources":[7,null,[]]})",
                           R"({"schema":"gpuvet.bundle/1","observations":{},"tables":"x"})"}) {
    const auto bundle = read({}, text);
    EXPECT_TRUE(!bundle || bundle->evidence.observations.empty()) << text;
  }
  EXPECT_FALSE(read({}, R"({"schema":"gpuvet.bundle/1","observations":[null]})"));
  EXPECT_FALSE(read({}, R"({"schema":"gpuvet.bundle/1","tables":[7]})"));
}

}  // namespace
}  // namespace gpuvet
