// SPDX-License-Identifier: Apache-2.0
// The kernel's messages: /dev/kmsg where it may be read, else what dmesg or the journal prints.
#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "collect/collector.hpp"
#include "core/text.hpp"

namespace gpuvet::collect {
namespace {

constexpr std::size_t most = std::size_t{32} << 20;

/// "6,1234,5678901,-;text" and its continuation lines -> "[    5.678901] text".
void append_record(std::string_view record, std::string& out) {
  const auto semicolon = record.find(';');
  if (semicolon == std::string_view::npos) return;
  const auto fields = split(record.substr(0, semicolon), ',');
  if (fields.size() < 3) return;
  const double microseconds = parse_number(fields[2]).value_or(0);
  const auto text = record.substr(semicolon + 1);
  out += fmt::format("[{:12.6f}] {}\n", microseconds / 1e6, text.substr(0, text.find('\n')));
}

/// All that the ring buffer holds: reading blocks at its end, so it is opened not to.
Result<std::string> read_kmsg(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0)
    return fail(errno == ENOENT ? Errc::not_found : Errc::permission,
                path + ": " + std::strerror(errno));
  std::string out;
  std::array<char, 8192> record{};  // one read is one record
  while (out.size() < most) {
    const auto n = ::read(fd, record.data(), record.size());
    if (n > 0)
      append_record({record.data(), static_cast<std::size_t>(n)}, out);
    else if (n < 0 && (errno == EPIPE || errno == EINTR))
      continue;  // overwritten while we read
    else
      break;
  }
  ::close(fd);
  return out;
}

}  // namespace

Result<void> collect_kernel_log(const Machine& machine, Collected& out) {
  const auto direct = machine.root.is_this_machine() ? read_kmsg("/dev/kmsg")
                                                     : machine.root.read("/dev/kmsg", most);
  if (direct && !trim(*direct).empty()) {
    // A tree holds records as the device gives them, or text as dmesg prints it.
    std::string text;
    for (const auto line : split(*direct, '\n'))
      if (line.find(';') < line.find(' '))
        append_record(line, text);
      else if (!line.empty())
        text += std::string(line) + "\n";
    out.sources.push_back({"dmesg.txt", "kernel_log", std::move(text)});
    return {};
  }
  auto printed = keep_output(machine, "dmesg", {"--kernel"}, "dmesg.txt", "kernel_log", out);
  if (printed) return {};
  auto journal =
      keep_output(machine, "journalctl", {"--dmesg", "--no-pager", "--output=short-iso", "--boot"},
                  "dmesg.txt", "kernel_log", out);
  if (journal) return {};
  return tl::make_unexpected(direct ? printed.error() : direct.error());
}

}  // namespace gpuvet::collect
