// SPDX-License-Identifier: Apache-2.0
// This machine -> evidence. One file per source, each independent of the others: what one cannot
// read says why and hurts no other. Passive: nothing is changed and no GPU is given work.
#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/result.hpp"
#include "evidence/evidence.hpp"
#include "platform/root.hpp"

namespace gpuvet::collect {

/// Which machine, and through which doors.
struct Machine {
  platform::Root root;                                          ///< of /sys, /proc, /dev, /etc
  std::string nvml_library = "libnvidia-ml.so.1";               ///< a simulation brings its own
  std::map<std::string, std::string, std::less<>> tools;        ///< name -> path the user gave
  std::map<std::string, std::string, std::less<>> libraries;    ///< "nccl" -> file, for tests
  std::map<std::string, std::string, std::less<>> environment;  ///< of this process
  bool is_root = false;
  Custody custody = Custody::own;  ///< or simulated
  double call_limit = 8;           ///< seconds that a driver call may take
  std::string bmc;                 ///< address of a Redfish service; empty: not asked
  std::string bmc_user, bmc_password, bmc_ca;
  bool bmc_insecure = false;  ///< its certificate is not verified
};

/// What a tool or a file said, verbatim: kept in the bundle and read by an importer of `kind`.
struct Source {
  std::string name;  ///< "dmesg.txt", unique: its place in the bundle
  std::string kind;  ///< importer's name; empty: whichever recognises it
  std::string bytes;
};

struct Collected {
  Evidence evidence;
  std::vector<Source> sources;
};

struct Collector {
  std::string_view name;   ///< "nvml", "kernel-log"
  std::string_view title;  ///< what it reads, for people
  /// Adds to `out`. An error is the source's as a whole; what single facts lack is absence.
  Result<void> (*collect)(const Machine&, Collected& out);
};

/// In the order in which they run.
std::span<const Collector> all();

/// Where facts come from that `collector` reads itself.
Provenance provenance_of(const Machine&, std::string tool, std::string source);

/// Where a captured tree keeps what tools printed on its machine, by the names of sources.
inline constexpr std::string_view tool_outputs = "/run/gpuvet/tools/";

/// Runs the tool `name`, where it is there, and keeps what it printed as a source. Of a captured
/// machine, takes what it printed there.
Result<void> keep_output(const Machine&, std::string_view name, std::vector<std::string> arguments,
                         std::string source_name, std::string kind, Collected& out);

}  // namespace gpuvet::collect
