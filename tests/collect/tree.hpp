// SPDX-License-Identifier: Apache-2.0
// A machine's files, written by the test: what collectors read in place of /.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "collect/collector.hpp"

namespace gpuvet::collect {

class Tree : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "gpuvet-tree-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    machine_.root = platform::Root(folder_);
    machine_.custody = Custody::simulated;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void put(const std::string& path, const std::string& bytes) const {
    const std::filesystem::path at = folder_ + path;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at, std::ios::binary) << bytes;
  }
  void link(const std::string& path, const std::string& target) const {
    const std::filesystem::path at = folder_ + path;
    std::filesystem::create_directories(at.parent_path());
    std::filesystem::create_symlink(target, at);
  }
  /// A device below "pci0000:00" and the bridges named, with its class and vendor.
  void pci(const std::string& path, const std::string& class_code, const std::string& vendor,
           const std::string& numa) const {
    const std::string address = path.substr(path.rfind('/') + 1);
    const std::string real = "/sys/devices/" + path;
    put(real + "/class", class_code + "\n");
    put(real + "/vendor", vendor + "\n");
    put(real + "/device", "0x20b2\n");
    put(real + "/numa_node", numa + "\n");
    link("/sys/bus/pci/devices/" + address, "../../../devices/" + path);
  }

  const Observation* find(const Collected& c, Id id, std::string_view subject) const {
    for (const auto& o : c.evidence.observations)
      if (o.id == id && o.subject == subject) return &o;
    return nullptr;
  }
  std::string text(const Collected& c, Id id, std::string_view subject) const {
    const auto* o = find(c, id, subject);
    return o == nullptr || o->text() == nullptr ? "" : *o->text();
  }

  std::string folder_;
  Machine machine_;
};

}  // namespace gpuvet::collect
