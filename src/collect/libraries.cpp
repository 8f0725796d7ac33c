// SPDX-License-Identifier: Apache-2.0
// Versions of the libraries that jobs load: CUDA runtime, cuBLASLt, NCCL, cuDNN. Each says its own,
// so it is opened, as programs would open it; in a child process, since somebody else's code that
// runs while it loads may crash or hang.
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <optional>

#include "collect/collector.hpp"
#include "core/text.hpp"
#include "platform/library.hpp"
#include "platform/process.hpp"

namespace gpuvet::collect {
namespace {

using platform::Library;

/// "12.4.1" of 120401 with a major of 10000, "8.9.7" of 8907 with one of 1000.
std::string version(unsigned long number, unsigned long major) {
  constexpr unsigned long minor = 100;
  return fmt::format("{}.{}.{}", number / major, number % major / minor, number % minor);
}

std::optional<std::string> runtime(const Library& library) {
  int number = 0;
  const auto ask = library.symbol<int(int*)>("cudaRuntimeGetVersion");
  if (ask == nullptr || ask(&number) != 0 || number <= 0) return {};
  return fmt::format("{}.{}", number / 1000, number % 1000 / 10);
}

std::optional<std::string> cublas(const Library& library) {
  const auto ask = library.symbol<std::size_t()>("cublasLtGetVersion");
  return ask == nullptr ? std::nullopt : std::optional(version(ask(), 10000));
}

std::optional<std::string> nccl(const Library& library) {
  int number = 0;
  const auto ask = library.symbol<int(int*)>("ncclGetVersion");
  if (ask == nullptr || ask(&number) != 0 || number <= 0) return {};
  const auto n = static_cast<unsigned long>(number);
  return n < 10000 ? version(n, 1000) : version(n, 10000);  // 2708 is 2.7.8
}

std::optional<std::string> cudnn(const Library& library) {
  const auto ask = library.symbol<std::size_t()>("cudnnGetVersion");
  if (ask == nullptr) return {};
  const auto n = ask();
  return n < 10000 ? version(n, 1000) : version(n, 10000);  // 8907 is 8.9.7
}

struct Known {
  std::string_view name;  ///< in Machine::libraries
  Id id;
  std::vector<std::string> files;  ///< newest first: what a program built today would load
  std::optional<std::string> (*version)(const Library&);
};

const std::array<Known, 4>& known() {
  static const std::array<Known, 4> all = {
      Known{"cudart",
            "node.cuda.runtime"_id,
            {"libcudart.so.13", "libcudart.so.12", "libcudart.so.11.0", "libcudart.so"},
            runtime},
      Known{"cublasLt",
            "node.cublaslt.version"_id,
            {"libcublasLt.so.13", "libcublasLt.so.12", "libcublasLt.so.11", "libcublasLt.so"},
            cublas},
      Known{"nccl", "node.nccl.library"_id, {"libnccl.so.2", "libnccl.so"}, nccl},
      Known{"cudnn",
            "node.cudnn.version"_id,
            {"libcudnn.so.9", "libcudnn.so.8", "libcudnn.so"},
            cudnn}};
  return all;
}

void say(int fd, const std::string& words) {
  // The little that fits into any pipe; a reader that went away is nobody's loss.
  [[maybe_unused]] const auto written = ::write(fd, words.data(), words.size());
}

void record(const Known& library, const std::vector<std::string>& files, double limit,
            Recorder& out) {
  const auto child = platform::isolated(
      [&](int fd) {
        const auto opened = Library::open(files);
        if (!opened) return say(fd, "-");
        const auto version = library.version(*opened);
        say(fd, version ? *version : "?");
      },
      limit);
  if (!child) return out.absent(library.id, "node", Absence::malformed, child.error().what);
  if (child->timed_out)
    return out.absent(library.id, "node", Absence::timeout,
                      files.front() + " did not open in time");
  if (child->status != 0)
    return out.absent(library.id, "node", Absence::malformed,
                      fmt::format("opening {} ended the process that did (status {})",
                                  files.front(), child->status));
  if (child->output == "-")
    return out.absent(
        library.id, "node", Absence::not_supported,
        fmt::format("lib{} is not among the libraries that programs find here", library.name));
  if (child->output.empty() || child->output == "?")
    return out.absent(library.id, "node", Absence::not_supported,
                      fmt::format("lib{} does not tell its version", library.name));
  out.text(library.id, "node", printable(child->output));
}

}  // namespace

Result<void> collect_libraries(const Machine& machine, Collected& out) {
  // A captured or simulated machine's libraries are not here, and ours are not its own.
  if (!machine.root.is_this_machine() && machine.libraries.empty()) return {};
  Recorder recorder(out.evidence, provenance_of(machine, "gpuvet collect libraries", "dlopen"));
  for (const auto& library : known()) {
    const auto given = machine.libraries.find(library.name);
    if (given == machine.libraries.end() && !machine.libraries.empty()) continue;
    const auto files =
        given == machine.libraries.end() ? library.files : std::vector{given->second};
    record(library, files, machine.call_limit, recorder);
  }
  return {};
}

}  // namespace gpuvet::collect
