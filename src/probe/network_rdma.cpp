// SPDX-License-Identifier: Apache-2.0
// perftest between two ports of this machine or against a peer. Its programs come in pairs: one
// waits, the other connects, measures and prints.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <optional>
#include <thread>

#include "core/text.hpp"
#include "platform/terminal.hpp"
#include "probe/harness.hpp"
#include "probe/network.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {
namespace {

constexpr int first_port = 18620;  // perftest's own 18515 may be in use
constexpr double patience = 5;     // seconds until the waiting side listens

struct Test {
  const char* program;
  Id id;
  bool gpu;
  std::vector<std::string> arguments;
};

std::vector<Test> tests(bool gpu, double seconds) {
  const auto duration = fmt::format("{}", std::max(1, static_cast<int>(seconds)));
  const std::vector<std::string> large{"-s", "1048576", "-D", duration, "--report_gbits"};
  std::vector<Test> out{
      {"ib_write_bw", "nic.rdma.bandwidth"_id, false, large},
      {"ib_write_lat", "nic.rdma.latency"_id, false, {"-s", "2", "-n", "5000"}},
      {"ib_read_bw", "nic.rdma.bandwidth"_id, false, large},
  };
  if (gpu) out.push_back({"ib_write_bw", "nic.rdma.bandwidth"_id, true, large});
  return out;
}

/// The GPU to use with a port: on its NUMA node where there is one.
const device::Device* gpu_near(const Context& context, const RdmaPort& port) {
  const device::Device* any = nullptr;
  for (const auto* device : context.devices) {
    if (device->properties().backend != device::Backend::cuda) continue;
    if (device->properties().numa == port.numa) return device;
    if (any == nullptr) any = device;
  }
  return any;
}

class Pair {
 public:
  Pair(Context& context, const Test& test, double seconds)
      : context_{context}, test_{test}, seconds_{seconds} {}

  /// What the measuring side printed. `waiting` is null where a peer waits.
  Result<platform::Finished> run(const RdmaPort& measuring, const RdmaPort* waiting) {
    GPUVET_TRY(path_, context_.tool(test_.program));
    std::atomic<bool> over = false;
    std::thread server;
    if (waiting != nullptr)
      server = std::thread([&] {
        auto program = side(*waiting);
        program.stopped = [&] { return over.load() || context_.cancelled(); };
        (void)platform::run(program);
      });
    auto program = side(measuring);
    program.arguments.push_back(waiting != nullptr ? "127.0.0.1" : context_.peer);
    program.stopped = context_.cancelled;
    const double until = platform::monotonic_seconds() + patience;
    auto done = platform::run(program);
    // The other side may not listen yet.
    while (done && done->status != 0 && waiting != nullptr &&
           contains(done->output + done->errors, "onnect") &&
           platform::monotonic_seconds() < until && !context_.cancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      done = platform::run(program);
    }
    over = true;
    if (server.joinable()) server.join();
    return done;
  }

 private:
  [[nodiscard]] platform::Program side(const RdmaPort& port) const {
    platform::Program out;
    out.path = path_;
    out.arguments = {"-d", port.device, "-i", fmt::format("{}", port.port), "-F"};
    if (context_.peer.empty()) {
      out.arguments.emplace_back("-p");
      out.arguments.push_back(fmt::format("{}", first_port));
    }
    out.arguments.insert(out.arguments.end(), test_.arguments.begin(), test_.arguments.end());
    if (test_.gpu)
      if (const auto* gpu = gpu_near(context_, port))
        out.arguments.push_back(fmt::format("--use_cuda={}", gpu->properties().index));
    out.limit = seconds_ + context_.call_limit;
    return out;
  }

  Context& context_;
  const Test& test_;
  double seconds_;
  std::string path_;
};

std::string subject_of(const RdmaPort& port) {
  return port.port == 1 ? "nic:" + port.device : fmt::format("nic:{}/{}", port.device, port.port);
}

/// One try by one route; the error says why there is no figure.
Result<void> measure(Context& context, const Test& test, double seconds, const RdmaPort& from,
                     const RdmaPort* to, const std::string& route) {
  GPUVET_TRY(auto done, Pair(context, test, seconds).run(from, to));
  if (done.status != 0)
    return fail(Errc::vendor_failure,
                fmt::format("{} ended with {}: {}", test.program, done.status,
                            last_words(done.errors.empty() ? done.output : done.errors)));
  return take_output(
      context,
      fmt::format("{}_{}_{}{}.txt", test.program, from.device, from.port, test.gpu ? "_gpu" : ""),
      std::move(done.output), [&](Observation& o) {
        o.subject = subject_of(from);  // perftest does not tell which port it was
        o.where.emplace("route", route);
      });
}

}  // namespace

void measure_rdma(Context& context, const std::vector<RdmaPort>& ports, double seconds) {
  if (ports.empty()) {
    for (const Id id : {"nic.rdma.bandwidth"_id, "nic.rdma.latency"_id})
      context.out->absent(id, "node", Absence::not_supported, "no RDMA port is active");
    return;
  }
  const bool gpu = gpu_near(context, ports.front()) != nullptr;
  const double share =
      seconds / static_cast<double>(ports.size() * tests(gpu, 1).size());  // of one test
  for (std::size_t i = 0; i < ports.size(); ++i) {
    const auto& from = ports[i];
    for (const auto& test : tests(gpu, std::min(share / 2, 10.0))) {
      if (context.over()) return;
      context.progress(0.75 * static_cast<double>(i) / static_cast<double>(ports.size()),
                       fmt::format("{} on {}", test.program, from.device));
      const auto& other = ports[(i + 1) % ports.size()];
      const bool alone = &other == &from;
      auto done = !context.peer.empty() ? measure(context, test, share, from, nullptr, "peer")
                  : alone               ? measure(context, test, share, from, &from, "same port")
                          : measure(context, test, share, from, &other, "between ports");
      // Rails of a fabric need not reach each other; a port reaches itself.
      if (!done && context.peer.empty() && !alone && done.error().code == Errc::vendor_failure)
        done = measure(context, test, share, from, &from, "same port");
      if (done) continue;
      Where where{{"backend", "perftest"},
                  {"verb", contains(test.program, "read") ? "read" : "write"},
                  {"memory", test.gpu ? "gpu" : "host"}};
      context.out->absent(test.id, subject_of(from), absence_of(done.error()), done.error().what,
                          std::move(where));
    }
    context.publish();
  }
}

}  // namespace gpuvet::probe
