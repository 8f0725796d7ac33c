// SPDX-License-Identifier: Apache-2.0
#include "platform/process.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

tl::unexpected<Error> system_error(const char* what) {
  return fail(Errc::vendor_failure, std::string(what) + ": " + std::strerror(errno));
}

struct Pipe {
  std::array<int, 2> ends{-1, -1};
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) ends = {-1, -1};
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  void close_end(std::size_t end) {
    if (ends[end] >= 0) ::close(ends[end]);
    ends[end] = -1;
  }
};

int status_of(int raw) { return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : WEXITSTATUS(raw); }

/// Waits up to `seconds`; nothing when the child is still there.
bool reaped(pid_t child, double seconds, int& status) {
  const double until = monotonic_seconds() + seconds;
  do {
    int raw = 0;
    const pid_t got = ::waitpid(child, &raw, WNOHANG);
    if (got == child) {
      status = status_of(raw);
      return true;
    }
    if (got < 0 && errno != EINTR) return true;
    ::usleep(2000);
  } while (monotonic_seconds() < until);
  return false;
}

enum class End { finished, timeout, too_large, stopped };

/// Reads all `pipes` until they close, hold more than `most` bytes together, or time is up: at
/// `until`, which every byte that comes moves to `quiet` seconds later where that is above 0.
End drain(std::vector<std::pair<Pipe*, std::string*>> pipes, double until, std::size_t most,
          double quiet = 0, const std::function<bool()>& stopped = {}) {
  std::size_t total = 0;
  std::array<char, 1 << 16> buffer{};
  while (!pipes.empty()) {
    const double left = until - monotonic_seconds();
    if (left <= 0) return End::timeout;
    if (stopped && stopped()) return End::stopped;
    std::vector<pollfd> waiting;
    for (const auto& [pipe, to] : pipes) waiting.push_back({pipe->ends[0], POLLIN, 0});
    const double pause = stopped ? std::min(left, 0.1) : left;
    const int ready = ::poll(waiting.data(), waiting.size(), static_cast<int>(pause * 1000) + 1);
    if (ready < 0 && errno != EINTR) return End::finished;
    for (std::size_t i = waiting.size(); ready > 0 && i-- > 0;) {
      if (waiting[i].revents == 0) continue;
      const auto n = ::read(waiting[i].fd, buffer.data(), buffer.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) {
        pipes.erase(pipes.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
      pipes[i].second->append(buffer.data(), static_cast<std::size_t>(n));
      total += static_cast<std::size_t>(n);
      if (quiet > 0) until = monotonic_seconds() + quiet;
      if (total > most) return End::too_large;
    }
  }
  return End::finished;
}

[[noreturn]] void become(const Program& program, int output, int errors) {
  ::setpgid(0, 0);
  const int null = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::dup2(null, STDIN_FILENO);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(errors, STDERR_FILENO);
  std::vector<std::string> variables;
  for (const auto& [name, value] : program.environment) variables.push_back(name + "=" + value);
  std::vector<char*> argv{const_cast<char*>(program.path.c_str())}, env;
  for (const auto& a : program.arguments) argv.push_back(const_cast<char*>(a.c_str()));
  for (auto& v : variables) env.push_back(v.data());
  argv.push_back(nullptr);
  env.push_back(nullptr);
  ::execve(program.path.c_str(), argv.data(), env.data());
  ::_exit(127);
}

}  // namespace

Result<Finished> run(const Program& program) {
  if (!program.path.starts_with('/'))
    return fail(Errc::usage, program.path + ": a program is named by its full path");
  if (::access(program.path.c_str(), X_OK) != 0)
    return fail(errno == EACCES ? Errc::permission : Errc::not_found,
                program.path + ": " + std::strerror(errno));
  Pipe output, errors;
  if (output.ends[0] < 0 || errors.ends[0] < 0) return system_error("pipe");
  const double until = monotonic_seconds() + program.limit;
  const pid_t child = ::fork();
  if (child < 0) return system_error("fork");
  if (child == 0) become(program, output.ends[1], errors.ends[1]);
  ::setpgid(child, child);
  output.close_end(1);
  errors.close_end(1);
  Finished out;
  const End end = drain({{&output, &out.output}, {&errors, &out.errors}}, until, program.most, 0,
                        program.stopped);
  const double left = std::max(0.0, until - monotonic_seconds());
  if (end == End::finished && reaped(child, left, out.status)) return out;
  ::kill(-child, SIGKILL);
  reaped(child, 1, out.status);
  if (end == End::too_large)
    return fail(Errc::too_large, program.path + " wrote too much and was stopped");
  if (end == End::stopped) return fail(Errc::cancelled, program.path + " was stopped");
  return fail(Errc::timeout, program.path + " did not end in time and was stopped");
}

Result<std::string> find_tool(std::string_view name) {
  constexpr std::array<std::string_view, 7> folders = {
      "/usr/bin/",       "/usr/sbin/",       "/bin/",     "/sbin/",
      "/usr/local/bin/", "/usr/local/sbin/", "/opt/bin/",
  };
  return find_tool_in(folders, name);
}

Result<std::string> find_tool_in(std::span<const std::string_view> folders, std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos)
    return fail(Errc::usage, std::string(name) + ": not the name of a tool");
  for (const auto folder : folders) {
    const std::string path = std::string(folder) + std::string(name);
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) continue;
    if (::access(path.c_str(), X_OK) != 0) continue;
    // As root a program that somebody else may rewrite would hand them the machine.
    if (::geteuid() == 0 && (status.st_uid != 0 || (status.st_mode & (S_IWGRP | S_IWOTH)) != 0))
      return fail(Errc::permission, path + " can be changed by others than root; not run");
    return path;
  }
  return fail(Errc::not_found, std::string(name) + " is not installed");
}

Result<Isolated> isolated(const std::function<void(int fd)>& work, double quiet, std::size_t most) {
  Pipe output;
  if (output.ends[0] < 0) return system_error("pipe");
  const pid_t child = ::fork();
  if (child < 0) return system_error("fork");
  if (child == 0) {
    ::setpgid(0, 0);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // an interrupted gpuvet leaves nothing behind
    ::close(output.ends[0]);
    work(output.ends[1]);
    ::_exit(0);
  }
  ::setpgid(child, child);
  output.close_end(1);
  Isolated out;
  const End end = drain({{&output, &out.output}}, monotonic_seconds() + quiet, most, quiet);
  if (end == End::finished && reaped(child, quiet, out.status)) return out;
  ::kill(-child, SIGKILL);
  // A child stuck in the driver does not even die; it is the kernel's to clean up.
  if (!reaped(child, 0.5, out.status)) out.status = 128 + SIGKILL;
  if (end == End::too_large) return fail(Errc::too_large, "a child process wrote too much");
  out.timed_out = true;
  return out;
}

}  // namespace gpuvet::platform
