// SPDX-License-Identifier: Apache-2.0
#include "gpuvet/probe_child.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "core/text.hpp"
#include "device/host/host.hpp"
#include "device/job.hpp"
#include "device/sim/machine.hpp"
#include "evidence/lines.hpp"
#include "gpuvet/simulated_machine.hpp"
#include "platform/process.hpp"
#include "platform/terminal.hpp"
#include "platform/watch.hpp"

namespace gpuvet::app {
namespace {

using Devices = std::vector<std::unique_ptr<device::Device>>;

/// Bytes of real memory that stand for a simulated GPU's.
constexpr std::uint64_t simulated_memory = std::uint64_t{4} << 20;

void say(int fd, std::string_view line) {
  while (!line.empty()) {
    const auto n = ::write(fd, line.data(), line.size());
    if (n <= 0) ::_exit(1);  // nobody listens any more
    line.remove_prefix(static_cast<std::size_t>(n));
  }
}

Result<Devices> open_devices(const ProbeSetup& setup) {
  Devices found;
  if (!setup.target.scenario.empty()) {
    GPUVET_TRY(const auto scenario, scenario_of(setup.target.scenario));
    GPUVET_TRY(auto machine,
               device::Machine::start(scenario, setup.target.faults, setup.target.plants));
    GPUVET_TRY(found, device::simulated_devices(std::move(machine), simulated_memory));
  } else if (setup.options.on == "host") {
    GPUVET_TRY(found, device::host_devices());
  } else {
    GPUVET_TRY(found, device::cuda_devices());
  }
  Devices out;
  for (auto& device : found) {
    const auto& own = device->properties();
    const bool asked = setup.gpus.empty() || std::find(setup.gpus.begin(), setup.gpus.end(),
                                                       own.index) != setup.gpus.end();
    const bool lost = std::find(setup.left_out.begin(), setup.left_out.end(), own.subject) !=
                      setup.left_out.end();
    if (asked && !lost) out.push_back(std::move(device));
  }
  if (out.empty()) return fail(Errc::not_found, "none of the devices asked for is here");
  return out;
}

/// "gpu:…" of the context that an error collected on its way up; empty where none is named.
std::string subject_of(const Error& error) {
  for (const auto& line : error.context)
    if (line.starts_with("gpu:") || line.starts_with("link:")) return line;
  return {};
}

class Child {
 public:
  Child(int fd, const ProbeSetup& setup) : fd_{fd}, setup_{setup} {}

  [[noreturn]] void run(std::size_t first) {
    const auto devices = open_devices(setup_);
    auto host = device::host_devices();
    if (host)
      for (const auto& device : *host) hosts_.push_back(device.get());
    std::vector<device::Device*> under_test;
    if (devices)
      for (const auto& device : *devices) under_test.push_back(device.get());
    if (device::launched_rank() && first < setup_.probes.size()) join();
    for (std::size_t i = first; i < setup_.probes.size(); ++i) {
      if (platform::interrupted()) end();
      const auto& probe = *setup_.probes[i];
      say(fd_, fmt::format("#probe {}\n", i));
      if (no_job_) {
        failed(*no_job_);
        continue;
      }
      if (probe.needs != probe::Needs::host && !devices && !job_) {
        failed(devices.error());
        continue;
      }
      if (probe.needs == probe::Needs::two_devices && under_test.size() < 2 && !job_) {
        failed(Error{Errc::not_supported, "it takes two devices", 0, {}, {}});
        continue;
      }
      if (!one(probe, setup_.budgets[i], under_test, host ? host->front().get() : nullptr)) {
        // What hangs would hold the ends of its buffers and streams up too.
        ::_exit(0);
      }
    }
    say(fd_, "#end\n");
    end();
  }

 private:
  /// The other processes that mpirun started, if it started more than this one.
  void join() {
    auto job = device::mpi_job();
    if (!job)
      no_job_ = std::move(job).error();
    else if ((*job)->size() > 1)
      job_ = std::move(*job);
  }

  [[noreturn]] void end() {
    job_.reset();  // MPI wants to be told
    ::_exit(0);
  }

  bool one(const probe::Probe& probe, double budget, std::vector<device::Device*> devices,
           device::Device* host) {
    if (probe.needs == probe::Needs::host && host != nullptr) {
      if (devices.empty() || setup_.options.on == "host") devices = {host};
    }
    if (devices.empty() && job_ && host != nullptr) devices = {host};
    if (devices.empty()) {
      failed(Error{Errc::not_supported, "no device to test", 0, {}, {}});
      return true;
    }
    Evidence evidence;
    Recorder out(evidence, provenance_of(setup_, probe));
    std::size_t published = 0, tables = 0;
    probe::Context context;
    context.devices = devices;
    context.host = host;
    context.hosts = hosts_;
    context.job = job_.get();
    context.until = devices.front()->now() + budget;
    context.thorough = setup_.thorough;
    context.seed = setup_.seed;
    context.call_limit = setup_.call_limit;
    context.folder = setup_.options.folder.empty() ? "." : setup_.options.folder;
    context.peer = setup_.options.peer;
    context.listen = setup_.options.listen;
    context.tool = [this](std::string_view name) { return tool(name); };
    context.keep = [this](const std::string& name, const std::string& bytes) {
      std::string line = "#keep " + name + " ";
      for (const char c : bytes) line += fmt::format("{:02x}", static_cast<unsigned char>(c));
      say(fd_, line + "\n");
    };
    context.out = &out;
    context.cancelled = platform::interrupted;
    context.publish = [&] {
      std::string lines;
      for (; published < evidence.observations.size(); ++published)
        lines += to_line(evidence.observations[published]);
      for (; tables < evidence.tables.size(); ++tables)
        lines += "#table " + to_line(evidence.tables[tables]);
      say(fd_, lines);
    };
    context.progress = [&](double share, std::string_view what) {
      say(fd_, fmt::format("#progress {:.3f} {}\n", share, printable(std::string(what))));
    };
    Result<void> done;
    try {
      done = probe.run(context);
    } catch (const std::exception& broken) {
      done = fail(Errc::vendor_failure, std::string("failed: ") + broken.what());
    }
    context.publish();
    // A probe that is told to stop comes back as if it were through.
    if (done && platform::interrupted())
      done = fail(Errc::cancelled, "stopped by the user; what was measured until then counts");
    if (done) {
      say(fd_, "#done\n");
      return true;
    }
    failed(done.error());
    return done.error().code != Errc::timeout && done.error().code != Errc::vendor_failure;
  }

  /// As the user said it with --tool, else where the system keeps it.
  Result<std::string> tool(std::string_view name) const {
    for (const auto& given : setup_.options.tools)
      if (given.starts_with(std::string(name) + "=")) return given.substr(name.size() + 1);
    return platform::find_tool(name);
  }

  void failed(const Error& error) {
    say(fd_, fmt::format("#failed {}\t{}\t{}\n", static_cast<int>(error.code), subject_of(error),
                         printable(error.message())));
  }

  int fd_;
  const ProbeSetup& setup_;
  std::vector<device::Device*> hosts_;
  std::unique_ptr<device::Job> job_;
  std::optional<Error> no_job_;
};

}  // namespace

Provenance provenance_of(const ProbeSetup& setup, const probe::Probe& probe) {
  const auto& scenario = setup.target.scenario;
  Provenance out;
  out.how = How::measured;
  out.custody = scenario.empty() ? Custody::own : Custody::simulated;
  out.tool = "gpuvet probe " + std::string(probe.name);
  out.version = version_line();
  out.source = scenario.empty() ? "this machine" : "sim:" + scenario;
  out.when = platform::utc_now();
  return out;
}

void run_child(int fd, const ProbeSetup& setup, std::size_t first) { Child(fd, setup).run(first); }

}  // namespace gpuvet::app
