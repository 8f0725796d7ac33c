// SPDX-License-Identifier: Apache-2.0
// NVML. The driver is asked in a child process that writes each fact as a line: where a call never
// returns, what was said until then counts, the GPU that hangs is named, and another child asks
// about those behind it.
#include <fmt/format.h>
#include <unistd.h>

#include "collect/collector.hpp"
#include "collect/nvml_facts.hpp"
#include "core/text.hpp"
#include "evidence/lines.hpp"
#include "platform/process.hpp"

namespace gpuvet::collect {
namespace {

using nvml::Return;

void write_line(int fd, std::string_view line) {
  while (!line.empty()) {
    const auto n = ::write(fd, line.data(), line.size());
    if (n <= 0) ::_exit(1);  // nobody reads any more
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

/// Facts recorded by `record`, written once they are all there.
template <class Record>
void write_facts(int fd, const Provenance& provenance, Record record) {
  Evidence evidence;
  Recorder out(evidence, provenance);
  record(out);
  std::string lines;
  for (const auto& o : evidence.observations) lines += to_line(o);
  write_line(fd, lines);
}

/// The child: "#gpus N", then "#gpu I", its facts and "#done I" for each; "#error text" instead
/// where the driver can't be asked at all.
void ask(int fd, const Machine& machine, unsigned first) {
  const auto provenance = provenance_of(machine, "NVML", machine.nvml_library);
  const auto opened = platform::Nvml::open(machine.nvml_library);
  if (!opened) return write_line(fd, "#error " + opened.error().what + "\n");
  const auto& nvml = *opened;
  if (const auto started = nvml.start(); !started)
    return write_line(fd, "#error " + started.error().what + "\n");
  unsigned gpus = 0;
  if (const auto said = nvml.nvmlDeviceGetCount_v2(&gpus); said != Return::success)
    return write_line(fd, "#error " + platform::error_of(said, "nvmlDeviceGetCount").what + "\n");
  write_line(fd, fmt::format("#gpus {}\n", gpus));
  if (first == 0)
    write_facts(fd, provenance, [&](Recorder& out) { record_driver(nvml, gpus, out); });
  for (unsigned i = first; i < gpus; ++i) {
    write_line(fd, fmt::format("#gpu {}\n", i));
    nvml::Device device = nullptr;
    const auto found = nvml.nvmlDeviceGetHandleByIndex_v2(i, &device);
    if (found != Return::success) {
      write_facts(fd, provenance, [&](Recorder& out) {
        const NvmlGpu gpu{nvml, device, "gpu:smi#" + std::to_string(i), out};
        out.number("gpu.index"_id, gpu.subject, i);
        out.flag("gpu.lost"_id, gpu.subject, found == Return::gpu_is_lost);
        gpu.absent("gpu.name"_id, found);
      });
    } else {
      std::string subject;
      write_facts(fd, provenance,
                  [&](Recorder& out) { subject = record_handle(nvml, device, i, out); });
      for (const auto part :
           {&NvmlGpu::identity, &NvmlGpu::state, &NvmlGpu::health, &NvmlGpu::links})
        write_facts(fd, provenance, [&](Recorder& out) {
          (NvmlGpu{nvml, device, subject, out}.*part)();
        });
      write_facts(fd, provenance,
                  [&](Recorder& out) { out.flag("gpu.responds"_id, subject, true); });
    }
    write_line(fd, fmt::format("#done {}\n", i));
  }
  nvml.stop();
  write_line(fd, "#end\n");
}

struct Heard {
  Evidence evidence;
  std::string error;  ///< of the driver as a whole
  unsigned gpus = 0;
  std::optional<unsigned> at;  ///< GPU that was asked about last
  std::string subject;         ///< its subject, where it said that much
  bool finished = false;
};

Heard listen(const std::string& output, const std::shared_ptr<const Provenance>& provenance) {
  Heard out;
  for (const auto line : split(output, '\n')) {
    const auto rest = [&](std::string_view mark) { return line.substr(mark.size()); };
    if (line.starts_with("#error ")) {
      out.error = rest("#error ");
    } else if (line.starts_with("#gpus ")) {
      out.gpus = static_cast<unsigned>(parse_integer(rest("#gpus ")).value_or(0));
    } else if (line.starts_with("#gpu ")) {
      out.at = static_cast<unsigned>(parse_integer(rest("#gpu ")).value_or(0));
      out.subject = "gpu:smi#" + std::to_string(*out.at);
    } else if (line.starts_with("#end")) {
      out.finished = true;
    } else if (!line.empty() && line[0] == '{') {
      auto fact = observation_in(line);
      if (!fact) continue;  // the line that was cut off
      if (fact->id == "gpu.index"_id) out.subject = fact->subject;
      fact->provenance = provenance;
      out.evidence.observations.push_back(std::move(*fact));
    }
  }
  return out;
}

/// The GPU whose call did not return, or ended the process that made it.
void record_silence(const Machine& machine, const Heard& heard, bool timed_out, Collected& out) {
  Recorder recorder(out.evidence, provenance_of(machine, "NVML", machine.nvml_library));
  recorder.flag("gpu.responds"_id, heard.subject, false);
  recorder.detail(timed_out ? fmt::format("a driver call did not return within {} s",
                                          format_number(machine.call_limit))
                            : "a driver call ended the process that made it");
}

}  // namespace

Result<void> collect_nvml(const Machine& machine, Collected& out) {
  const auto provenance =
      std::make_shared<const Provenance>(provenance_of(machine, "NVML", machine.nvml_library));
  unsigned first = 0;
  for (;;) {
    GPUVET_TRY(const auto child,
               platform::isolated([&](int fd) { ask(fd, machine, first); }, machine.call_limit));
    auto heard = listen(child.output, provenance);
    out.evidence.append(std::move(heard.evidence));
    if (heard.finished) return {};
    if (!heard.error.empty()) return fail(Errc::not_found, heard.error);
    if (!heard.at) {
      if (child.timed_out)
        return fail(Errc::timeout, fmt::format("the NVIDIA driver did not start within {} s",
                                               format_number(machine.call_limit)));
      return fail(Errc::vendor_failure,
                  fmt::format("asking NVML ended with status {}", child.status));
    }
    record_silence(machine, heard, child.timed_out, out);
    first = *heard.at + 1;
    if (first >= heard.gpus) return {};
  }
}

}  // namespace gpuvet::collect
