// SPDX-License-Identifier: Apache-2.0
// The GPUs of a CUDA benchmark: it counts them in CUDA's order, which need not be nvidia-smi's, and
// at best prints their PCI addresses.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "evidence/evidence.hpp"

namespace gpuvet::ingest {

class CudaDevices {
 public:
  static constexpr std::size_t most = 64;  ///< in one server

  /// Ordinals beyond `most` are ignored; readers refuse matrices that wide.
  void add(std::size_t ordinal, std::string_view name, std::optional<std::string> address,
           std::size_t line);
  void clear() { devices_.clear(); }
  [[nodiscard]] std::size_t size() const { return devices_.size(); }

  /// Names and addresses of the devices that an address identifies: those make an inventory.
  void record(Recorder& out) const;

  /// "gpu:<pci address>", else "gpu:cuda#<ordinal>".
  [[nodiscard]] std::string gpu(std::size_t ordinal) const;
  /// "link:<a>~<b>", the lower ordinal first.
  [[nodiscard]] std::string link(std::size_t a, std::size_t b) const;

 private:
  struct Device {
    std::string name;
    std::optional<std::string> address;
    std::size_t line = 0;
  };
  [[nodiscard]] const Device* identified(std::size_t ordinal) const;

  std::map<std::size_t, Device> devices_;
};

}  // namespace gpuvet::ingest
