// SPDX-License-Identifier: Apache-2.0
#include "ingest/kernel_log_machine.hpp"
#include "ingest/dmidecode_structures.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/text.hpp"
#include "ingest/kernel_log_line.hpp"

namespace gpuvet::ingest {
namespace {

/// "550.144.03" in "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  550.144.03  ...".
std::optional<std::string_view> driver_version(std::string_view line) {
  constexpr std::string_view loading = "NVRM: loading NVIDIA UNIX", module = "Kernel Module";
  const auto begin = line.find(loading);
  if (begin == std::string_view::npos) return {};
  const auto name = line.find(module, begin + loading.size());
  if (name == std::string_view::npos) return {};
  // The open driver puts "for x86_64" in between; a date and a builder follow the version.
  for (const auto word : first_words<4>(line.substr(name + module.size())))
    if (contains(word, ".") &&
        std::ranges::all_of(word, [](char c) { return (c >= '0' && c <= '9') || c == '.'; }))
      return word;
  return {};
}

/// The kernel joins maker and product with a blank, and either may hold blanks: only makers that
/// are known by their full name can be told apart from the product.
constexpr std::array<std::string_view, 46> makers = {
    "ASRockRack",
    "ASUSTeK COMPUTER INC.",
    "AVANTEK",
    "Alibaba Cloud",
    "Amazon EC2",
    "Bull SAS",
    "Cisco Systems Inc",
    "DELL",
    "Dell Inc.",
    "FUJITSU",
    "Foxconn",
    "GIGABYTE",
    "Giga Computing",
    "Gigabyte Technology Co., Ltd.",
    "Google",
    "H3C",
    "HP",
    "HPE",
    "Hewlett Packard Enterprise",
    "Hewlett-Packard",
    "Huawei",
    "IBM",
    "IEIT SYSTEMS",
    "Inspur",
    "Intel Corporation",
    "LENOVO",
    "Lambda",
    "Lenovo",
    "Micro-Star International Co., Ltd.",
    "Microsoft Corporation",
    "Nettrix",
    "New H3C Technologies Co., Ltd.",
    "NVIDIA",
    "OpenStack Foundation",
    "Penguin Computing",
    "QEMU",
    "Quanta Cloud Technology Inc.",
    "Red Hat",
    "Super Micro Computer, Inc.",
    "Supermicro",
    "TYAN",
    "Tyan Computer Corporation",
    "VMware, Inc.",
    "Wiwynn",
    "ZTE",
    "xFusion",
};

std::string_view maker_of(std::string_view product) {
  std::string_view longest;
  for (const auto maker : makers)
    if (product.starts_with(maker) && product.substr(maker.size()).starts_with(' ') &&
        maker.size() > longest.size())
      longest = maker;
  return longest;
}

bool is_date(std::string_view s) {  // "02/10/2023"
  return s.size() == 10 && leading_digits(s) == 2 && s[2] == '/' &&
         leading_digits(s.substr(3)) == 2 && s[5] == '/' && leading_digits(s.substr(6)) == 4;
}

}  // namespace

void MachineFacts::Latest::set(std::string_view value, std::size_t at, bool earlier_boot) {
  if (earlier_boot && !text.empty()) return;
  text = value;
  line = at;
}

void MachineFacts::message(std::string_view message, std::size_t line, bool earlier_boot) {
  if (const auto version = driver_version(message)) driver_.set(*version, line, earlier_boot);
  if (message.starts_with("nvidia-uvm: Loaded the UVM driver"))
    uvm_.set("loaded", line, earlier_boot);
  if (message.starts_with("nvidia-uvm: Unloaded the UVM driver"))
    uvm_.set("unloaded", line, earlier_boot);
  // A crash prints the same facts again, under another name; a dump may have only that.
  for (const std::string_view label : {"DMI: ", "Hardware name: "})
    if (message.starts_with(label) && contains(message, ", BIOS "))
      dmi_.set(printable(shortened(message.substr(label.size()))), line, earlier_boot);
}

void MachineFacts::record(Recorder& out) const {
  if (!driver_.text.empty()) {
    out.line(driver_.line);
    out.text("node.driver.version"_id, "node", driver_.text);
  }
  if (!uvm_.text.empty()) {
    out.line(uvm_.line);
    out.flag("node.uvm"_id, "node", uvm_.text == "loaded");
  }
  if (!dmi_.text.empty()) record_dmi(out);
}

/// "Supermicro SYS-7048GR-TR/X10DRG-Q, BIOS 3.1 06/08/2018": maker product/board, BIOS version
/// date.
void MachineFacts::record_dmi(Recorder& out) const {
  constexpr std::string_view label = ", BIOS ";
  out.line(dmi_.line);
  const std::string_view all = dmi_.text;
  const auto comma = all.rfind(label);
  if (comma == std::string_view::npos) return;
  std::string_view bios = trim(all.substr(comma + label.size()));
  const auto blank = bios.rfind(' ');
  if (blank != std::string_view::npos && is_date(bios.substr(blank + 1))) {
    out.text("node.bios.date"_id, "node", iso_date(bios.substr(blank + 1)));
    bios = trim(bios.substr(0, blank));
  }
  if (!bios.empty()) out.text("node.bios.version"_id, "node", std::string(bios));
  std::string_view product = trim(all.substr(0, comma));
  const auto slash = product.rfind('/');
  const bool one_slash = slash != std::string_view::npos && product.find('/') == slash;
  const auto maker = maker_of(product);
  const std::string words =
      "the kernel joins maker, product and board: \"" + std::string(product) + "\"";
  if (maker.empty())
    out.absent("node.vendor"_id, "node", Absence::malformed, words);
  else
    out.text("node.vendor"_id, "node", std::string(maker));
  if (maker.empty() || (slash != std::string_view::npos && !one_slash)) {
    out.absent("node.model"_id, "node", Absence::malformed, words);
    return;
  }
  if (one_slash) {
    if (const auto board = trim(product.substr(slash + 1)); !board.empty())
      out.text("node.board.model"_id, "node", std::string(board));
    product = product.substr(0, slash);
  }
  if (const auto model = trim(product.substr(maker.size())); !model.empty())
    out.text("node.model"_id, "node", std::string(model));
}

}  // namespace gpuvet::ingest
