// SPDX-License-Identifier: Apache-2.0
#include "ingest/kernel_log_gpus.hpp"

#include <algorithm>
#include <optional>
#include <vector>

#include "core/text.hpp"
#include "ingest/kernel_log_line.hpp"

namespace gpuvet::ingest {
namespace {

constexpr std::size_t most_codes = 4096;

/// One "Xid (PCI:0000:0f:00): 94, ..." or "SXid (PCI:0000:06:00.0): 20034, Fatal, ...".
struct Event {
  std::optional<std::string> address;  ///< nothing when the driver printed none that we know
  std::optional<std::int64_t> code;
  std::string_view rest;  ///< what follows the code and its comma
};

std::optional<Event> event_after(std::string_view line, std::string_view marker) {
  const auto begin = line.find(marker);
  if (begin == std::string_view::npos) return {};
  line.remove_prefix(begin + marker.size());
  Event event;
  const auto close = line.find(')');
  if (close == std::string_view::npos) return event;
  // The function is missing for GPUs and there for switches; pci_address() evens that out.
  event.address = pci_address(line.substr(0, close));
  line.remove_prefix(close + 1);
  if (!line.starts_with(": ")) return event;
  line = trim(line.substr(2));
  const std::size_t digits = leading_digits(line);
  constexpr std::size_t most_digits = 9;
  const bool ends = digits == line.size() || line[digits] == ',' || line[digits] == ' ';
  if (digits == 0 || digits > most_digits || !ends) return event;
  event.code = parse_integer(line.substr(0, digits));
  line.remove_prefix(digits);
  line.remove_prefix(std::min(line.find_first_not_of(", "), line.size()));
  event.rest = line;
  return event;
}

}  // namespace

Result<void> GpuEvents::line(std::string_view text, std::size_t number) {
  number_ = number;
  GPUVET_CHECK(uuid(text));
  GPUVET_CHECK(event(text, "NVRM: Xid (", gpus_));
  return event(text, "SXid (", switches_);
}

void GpuEvents::record(Recorder& out) const {
  for (const auto& [address, gpu] : gpus_) record_gpu(out, address, gpu);
  for (const auto& [address, nvswitch] : switches_)
    record_switch(out, "nvswitch:" + address, nvswitch);
}

void GpuEvents::record_gpu(Recorder& out, const std::string& address, const Device& gpu) {
  const std::string subject = "gpu:" + address;
  for (const auto& [uuid, number] : gpu.uuids) {
    out.line(number);
    out.text("gpu.uuid"_id, subject, uuid);
  }
  if (!gpu.uuids.empty()) {
    out.line(gpu.uuids.begin()->second);
    out.text("gpu.pci.address"_id, subject, address);
  }
  // A GPU that the log names but that logged nothing: kernel_log.gpu_events tells.
  if (gpu.codes.empty()) return;
  std::vector<double> codes;
  for (const auto& [code, seen] : gpu.codes) codes.push_back(static_cast<double>(code));
  out.line(gpu.first_line);
  out.numbers("gpu.xid"_id, subject, std::move(codes));
  out.detail(gpu.first_message);
}

void GpuEvents::record_switch(Recorder& out, const std::string& subject, const Device& nvswitch) {
  std::vector<double> all, fatal, nonfatal;
  std::size_t fatal_line = 0, nonfatal_line = 0;
  const auto add = [](std::vector<double>& list, std::size_t& first, std::int64_t code,
                      std::size_t line) {
    list.push_back(static_cast<double>(code));
    first = first == 0 ? line : std::min(first, line);
  };
  for (const auto& [code, seen] : nvswitch.codes) {
    all.push_back(static_cast<double>(code));
    if (seen.fatal_line != 0)
      add(fatal, fatal_line, code, seen.fatal_line);
    else
      add(nonfatal, nonfatal_line, code, seen.line);
  }
  if (all.empty()) return;
  out.line(nvswitch.first_line);
  out.numbers("nvswitch.sxid"_id, subject, std::move(all));
  out.detail(nvswitch.first_message);
  out.line(fatal_line);  // an empty list says that it logged, and none of this kind
  out.numbers("nvswitch.sxid.fatal"_id, subject, std::move(fatal));
  out.line(nonfatal_line);
  out.numbers("nvswitch.sxid.nonfatal"_id, subject, std::move(nonfatal));
}

Result<GpuEvents::Device*> GpuEvents::device(Devices& devices, const std::string& address) {
  const auto [found, fresh] = devices.try_emplace(address);
  if (fresh && gpus_.size() + switches_.size() > most_log_devices)
    return fail(Errc::too_large, "more than 4096 GPUs and switches", number_);
  return &found->second;
}

/// "NVRM: GPU at PCI:0000:9b:00: GPU-509665ad-...".
Result<void> GpuEvents::uuid(std::string_view text) {
  constexpr std::string_view prefix = "NVRM: GPU at ", separator = ": GPU-";
  const auto address = between(text, prefix, separator);
  if (!address) return {};
  const auto pci = pci_address(*address);
  text.remove_prefix(static_cast<std::size_t>(address->end() - text.begin()) + 2);
  const auto uuid = first_words<1>(text)[0];
  constexpr std::size_t uuid_length = 4 + 36;
  if (!pci || uuid.size() != uuid_length) return {};
  GPUVET_TRY(Device* const gpu, device(gpus_, *pci));
  gpu->uuids.try_emplace(std::string(uuid), number_);
  if (gpu->uuids.size() > most_codes)
    return fail(Errc::too_large, "more than 4096 GPUs at " + *pci, number_);
  return {};
}

Result<void> GpuEvents::event(std::string_view text, std::string_view marker, Devices& devices) {
  const auto event = event_after(text, marker);
  if (!event) return {};
  ++events_;  // also when we can't read it: a log with one is not a log without
  if (!event->address || !event->code) return {};
  GPUVET_TRY(Device* const device_, device(devices, *event->address));
  if (device_->first_line == 0) {
    device_->first_line = number_;
    device_->first_message = shortened(text.substr(text.find(marker)));
  }
  // "Severity 1 ..." and "Data {...}" are details of another line and leave a code as it was.
  Seen& seen = device_->codes.try_emplace(*event->code, Seen{number_, 0}).first->second;
  if (seen.fatal_line == 0 && event->rest.starts_with("Fatal")) seen.fatal_line = number_;
  if (device_->codes.size() > most_codes)
    return fail(Errc::too_large, "more than 4096 codes at " + *event->address, number_);
  return {};
}

}  // namespace gpuvet::ingest
