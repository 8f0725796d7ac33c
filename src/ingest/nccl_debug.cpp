// SPDX-License-Identifier: Apache-2.0
// Logs of any program that ran with NCCL_DEBUG=INFO. All ranks write at once, so lines stick
// together; and the program's own output stands in between, which of nccl-tests is read as well.
#include <algorithm>
#include <string>
#include <string_view>

#include "core/text.hpp"
#include "ingest/importer.hpp"
#include "ingest/nccl_debug_log.hpp"
#include "ingest/nccl_tests_parser.hpp"
#include "ingest/nccl_tests_table.hpp"

namespace gpuvet::ingest {

Importer nccl_debug();

namespace {

bool recognises(std::string_view head) {
  std::string storage;
  while (!head.empty()) {
    const auto end = std::min(head.find('\n'), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 1, head.size()));
    if (contains(line, " NCCL ") && nccl::log_line(nccl::plain(line, storage))) return true;
  }
  return false;
}

Result<void> read(ByteSource& source, Recorder& out) {
  LineReader lines{source};
  nccl::Log log;
  nccl::Parser tests;
  std::string storage;
  while (const auto raw = lines.next()) {
    const auto line = nccl::plain(*raw, storage);
    log.line(line, lines.line());
    GPUVET_CHECK(tests.line(line, lines.line()));
  }
  if (lines.error()) return tl::make_unexpected(*lines.error());
  if (log.empty())
    return fail(Errc::malformed, "no line of NCCL's log: run the job with NCCL_DEBUG=INFO", 1);
  const bool table = tests.finish();
  if (table) {
    GPUVET_CHECK(tests.record(out));
  } else {
    out.tool("NCCL log");
    tests.record_missing(out);
  }
  log.record(out, table);
  return {};
}

}  // namespace

Importer nccl_debug() {
  return {.kind = "nccl_debug",
          .title = "NCCL debug log",
          .obtain = "NCCL_DEBUG=INFO all_reduce_perf -b 8 -e 16G -f 2 -g <GPUs> > nccl.log 2>&1",
          .recognises = recognises,
          .read = read};
}

}  // namespace gpuvet::ingest
