// SPDX-License-Identifier: Apache-2.0
// A context for tests of probes that need no device, with programs in place of the machine's tools.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>

#include "device/host/host.hpp"
#include "probe/probe.hpp"

namespace gpuvet::probe::testing {

inline device::Properties host_properties(device::Backend backend = device::Backend::host) {
  device::Properties out;
  out.backend = backend;
  out.name = "host";
  out.subject = "node";
  return out;
}

class Bench {
 public:
  explicit Bench(double seconds, device::Backend backend = device::Backend::host)
      : device_(host_properties(backend), {-1}, std::uint64_t{16} << 20),
        recorder_(evidence, own()) {
    std::string name = std::filesystem::temp_directory_path().string() + "/gpuvet-bench-XXXXXX";
    folder_ = ::mkdtemp(name.data());
    context.devices = devices_;
    context.host = &device_;
    context.until = device_.now() + seconds;
    context.out = &recorder_;
    context.root = platform::Root(folder_);
    context.keep = [this](std::string file, std::string bytes) {
      kept[std::move(file)] = std::move(bytes);
    };
    context.tool = [this](std::string_view tool) -> Result<std::string> {
      const auto found = tools.find(tool);
      if (found == tools.end())
        return fail(Errc::not_found, std::string(tool) + " is not installed");
      return found->second;
    };
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;
  ~Bench() { std::filesystem::remove_all(folder_); }

  /// A program of this name that does what `script`, for /bin/sh, says; its path.
  std::string program(const std::string& name, const std::string& script) {
    const auto path = folder_ + "/" + name;
    std::ofstream(path) << "#!/bin/sh\n" << script;
    ::chmod(path.c_str(), 0700);
    return path;
  }
  /// A file below the context's root.
  void file(const std::string& path, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(folder_ + path).parent_path());
    std::ofstream(folder_ + path) << text;
  }

  /// The first observation of `id`, of this backend where one is named; null without.
  [[nodiscard]] const Observation* find(std::string_view id, std::string_view backend = {}) const {
    for (const auto& o : evidence.observations) {
      const auto held = o.where.find("backend");
      if (o.id.name() == id &&
          (backend.empty() ||
           (held != o.where.end() && std::get<std::string>(held->second) == backend)))
        return &o;
    }
    return nullptr;
  }

  Context context;
  Evidence evidence;
  std::map<std::string, std::string, std::less<>> tools;  ///< name -> path
  std::map<std::string, std::string> kept;

 private:
  static Provenance own() {
    Provenance out;
    out.how = How::measured;
    out.custody = Custody::own;
    out.tool = "gpuvet probe";
    return out;
  }
  device::HostDevice device_;
  std::array<device::Device*, 1> devices_{&device_};
  Recorder recorder_;
  std::string folder_;
};

}  // namespace gpuvet::probe::testing
