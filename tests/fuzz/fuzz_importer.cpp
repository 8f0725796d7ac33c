// SPDX-License-Identifier: Apache-2.0
// One importer, named by GPUVET_FUZZ_KIND, on any bytes: it reads them or says why not, it says the
// same whatever pieces the bytes come in, and every number is finite.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "ingest/importer.hpp"

namespace gpuvet::fuzz {
namespace {

/// Bytes as a slow pipe gives them: a few at a time, cutting lines and characters anywhere.
class PiecewiseSource final : public ByteSource {
 public:
  explicit PiecewiseSource(std::string_view bytes) : rest_{bytes} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    constexpr std::size_t piece = 61;
    return rest_.read(to, std::min(room, piece));
  }

 private:
  MemorySource rest_;
};

struct Outcome {
  Evidence evidence;
  std::string error;
};

Outcome read(const ingest::Importer& importer, ByteSource& source) {
  Outcome out;
  Recorder recorder{out.evidence, {}};
  if (const auto done = importer.read(source, recorder); !done) {
    out.error = done.error().message();
    require(!out.error.empty(), "an error says something");
  }
  return out;
}

const ingest::Importer& importer_under_test() {
  const char* const kind = std::getenv("GPUVET_FUZZ_KIND");
  require(kind != nullptr, "GPUVET_FUZZ_KIND names an importer");
  const auto all = ingest::all();
  const auto found = std::ranges::find(all, std::string_view(kind), &ingest::Importer::kind);
  require(found != all.end(), "ingest::all() lists what GPUVET_FUZZ_KIND names");
  return *found;
}

void check(std::string_view bytes) {
  static const ingest::Importer& importer = importer_under_test();
  constexpr std::size_t head = std::size_t{1} << 16;
  importer.recognises(bytes.substr(0, head));
  ingest::recognise(bytes.substr(0, head));

  MemorySource whole{bytes};
  PiecewiseSource pieces{bytes};
  const Outcome once = read(importer, whole);
  const Outcome again = read(importer, pieces);
  require(once.error == again.error, "reading twice ends alike");
  require(once.evidence.observations.size() == again.evidence.observations.size(),
          "reading twice gives the same number of observations");
  require(once.evidence.tables.size() == again.evidence.tables.size(),
          "reading twice gives the same number of tables");
  require_finite(once.evidence);
}

}  // namespace
}  // namespace gpuvet::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  gpuvet::fuzz::check({reinterpret_cast<const char*>(data), size});
  return 0;
}
