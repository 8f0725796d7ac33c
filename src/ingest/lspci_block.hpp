// SPDX-License-Identifier: Apache-2.0
// One device of an lspci listing: its line, and the block that -v to -vvv print below it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.hpp"
#include "ingest/lspci_device.hpp"

namespace gpuvet::ingest {

/// LnkCap or LnkSta. A field without a value was printed as "unknown" or x0.
struct PciLink {
  std::optional<double> generation, width;
  std::string generation_words, width_words;  ///< "downgraded"
  std::size_t line = 0;                       ///< 0: not printed
};

/// A text or a number and where it stood; line 0: not printed.
template <class T>
struct Printed {
  T value{};
  std::size_t line = 0;
};

struct PciDevice {
  std::string address;
  std::string class_name;  ///< "3D controller"; empty with -n
  std::string class_code;  ///< "0302"; empty without -n or -nn
  PciName name;
  std::size_t line = 0;

  PciLink capable, current;
  Printed<std::string> numa, iommu_group, driver, acs;
  Printed<std::optional<double>> bar1;
  std::optional<std::int64_t> bus, last_bus;  ///< of a bridge: directly below, last below
  std::size_t denied_line = 0;                ///< "Capabilities: <access denied>"
  std::size_t gone_line = 0;                  ///< "!!! Unknown header type 7f"

  [[nodiscard]] bool is_class(std::string_view code, std::string_view words) const;
  [[nodiscard]] bool is_gpu() const;
  [[nodiscard]] bool is_bridge() const { return bus.has_value() || is_class("0604", "PCI bridge"); }
};

/// The device that `line` begins; nothing for any other line.
std::optional<PciDevice> read_pci_device(std::string_view line);

/// Takes what `line` of the block below `device` says.
Result<void> read_pci_block_line(std::string_view line, std::size_t number, PciDevice& device);

/// "ACSCtl: SrcValid+ TransBlk- ReqRedir+ ...": whether peers are sent through the root complex.
bool acs_redirects(std::string_view flags);

}  // namespace gpuvet::ingest
