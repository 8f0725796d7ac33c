// SPDX-License-Identifier: Apache-2.0
#include <fmt/format.h>

#include "platform/process.hpp"
#include "probe/stored_file.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {

Result<void> read_by_fio(Context& context, const StoredFile& stored, bool random, double seconds) {
  GPUVET_TRY(const auto path, context.tool("fio"));
  Error last{Errc::not_supported, "fio was not run", 0, {}, {}};
  // Where the kernel or a sandbox forbids io_uring, fio has the older interface.
  for (const std::string engine : {"io_uring", "libaio"}) {
    if (context.cancelled()) return fail(Errc::cancelled, "stopped");
    platform::Program program;
    program.path = path;
    program.arguments = {"--name=gpuvet",
                         "--filename=" + stored.file.path(),
                         "--readonly",
                         fmt::format("--size={}", stored.bytes),
                         random ? "--rw=randread" : "--rw=read",
                         fmt::format("--bs={}", random ? small_block : large_block),
                         fmt::format("--iodepth={}", random ? small_depth : large_depth),
                         "--ioengine=" + engine,
                         "--direct=1",
                         "--norandommap",
                         fmt::format("--randseed={}", context.seed),
                         fmt::format("--runtime={}", std::max(1, static_cast<int>(seconds))),
                         "--time_based",
                         "--output-format=json"};
    program.limit = seconds + context.call_limit;
    program.stopped = context.cancelled;
    auto done = platform::run(program);
    if (!done) return tl::make_unexpected(std::move(done).error());
    if (done->status == 0)
      return take_output(context, random ? "fio_random.json" : "fio_sequential.json",
                         std::move(done->output),
                         [&](Observation& o) { o.where.emplace("filesystem", stored.filesystem); });
    last = {Errc::vendor_failure,
            fmt::format("fio ended with {}: {}", done->status, last_words(done->errors)),
            0,
            {},
            {}};
  }
  return tl::make_unexpected(std::move(last));
}

}  // namespace gpuvet::probe
