// SPDX-License-Identifier: Apache-2.0
#include "platform/files.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace gpuvet::platform {
namespace {

namespace fs = std::filesystem;

Errc code_of(int error) {
  return error == ENOENT || error == ENOTDIR ? Errc::not_found
         : error == EACCES || error == EPERM ? Errc::permission
                                             : Errc::vendor_failure;
}

tl::unexpected<Error> refused(const std::string& path, int error) {
  return tl::make_unexpected(Error{code_of(error), std::strerror(error), 0, {path}, {}});
}

/// A file descriptor that closes itself.
class Descriptor {
 public:
  explicit Descriptor(int fd, bool owned = true) : fd_{fd}, owned_{owned} {}
  Descriptor(Descriptor&& other) noexcept : fd_{other.fd_}, owned_{other.owned_} {
    other.owned_ = false;
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (owned_ && fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
  bool owned_;
};

class FileSource final : public ByteSource {
 public:
  FileSource(Descriptor fd, std::string path) : fd_{std::move(fd)}, path_{std::move(path)} {}
  Result<std::size_t> read(char* to, std::size_t room) override {
    for (;;) {
      const auto n = ::read(fd_.get(), to, room);
      if (n >= 0) return static_cast<std::size_t>(n);
      if (errno != EINTR) return refused(path_, errno);
    }
  }

 private:
  Descriptor fd_;
  std::string path_;
};

Result<void> write_all(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const auto n = ::write(fd, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return refused(path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

}  // namespace

Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
  if (path == "-")
    return std::make_unique<FileSource>(Descriptor(STDIN_FILENO, false), "standard input");
  // Non-blocking only for the open itself: a pipe without a writer must not hang us.
  Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return refused(path, errno);
  struct stat status {};
  if (::fstat(fd.get(), &status) != 0) return refused(path, errno);
  if (S_ISDIR(status.st_mode)) return refused(path, EISDIR);
  ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) & ~O_NONBLOCK);
  return std::make_unique<FileSource>(std::move(fd), path);
}

Result<std::string> read_file(const std::string& path, std::size_t limit) {
  GPUVET_TRY(const auto source, open_file(path));
  return in_context(read_all(*source, limit), path);
}

Result<std::string> read_private_file(const std::string& path, std::size_t limit) {
  struct stat about {};
  if (::stat(path.c_str(), &about) != 0) return refused(path, errno);
  if ((about.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    return fail(Errc::permission, path + ": others may read it; chmod 600 it first");
  return read_file(path, limit);
}

Result<std::vector<std::string>> files_below(const std::string& path, int depth, std::size_t most) {
  std::error_code error;
  std::vector<std::string> out;
  const fs::path root = fs::canonical(path, error);
  if (error) return refused(path, error.value());
  fs::recursive_directory_iterator it(path, fs::directory_options::skip_permission_denied, error),
      end;
  if (error) return refused(path, error.value());
  for (; it != end; it.increment(error)) {
    if (error) return refused(path, error.value());
    if (it.depth() >= depth) it.disable_recursion_pending();
    if (!it->is_regular_file(error)) continue;
    if (it->is_symlink(error)) {
      const auto target = fs::canonical(it->path(), error);
      const auto inside = fs::relative(target, root, error).string();
      if (error || inside == ".." || inside.rfind("../", 0) == 0) continue;
    }
    out.push_back(it->path().string());
    if (out.size() > most)
      return fail(Errc::too_large,
                  fmt::format("{}: more than {} files; name the ones that matter", path, most));
  }
  std::sort(out.begin(), out.end());
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> texts_below(const std::string& path,
                                                                     std::string_view suffix,
                                                                     std::size_t limit) {
  constexpr int depth = 2;
  constexpr std::size_t most = 10000;
  GPUVET_TRY(const auto files, files_below(path, depth, most));
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& file : files) {
    if (!file.ends_with(suffix)) continue;
    GPUVET_TRY(auto text, read_file(file, limit));
    const auto name = std::min(file.size(), file.find_first_not_of('/', path.size()));
    out.emplace_back(file.substr(name), std::move(text));
  }
  return out;
}

bool is_folder(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error);
}

std::size_t file_size(const std::string& path) {
  std::error_code error;
  const auto size = fs::is_regular_file(path, error) ? fs::file_size(path, error) : 0;
  return error ? 0 : static_cast<std::size_t>(size);
}

Result<void> write_file(const std::string& path, std::string_view bytes) {
  if (path == "-") return write_all(STDOUT_FILENO, bytes, "standard output");
  std::error_code error;
  if (fs::exists(path, error) &&
      !fs::is_regular_file(path, error)) {  // a pipe or device is written in place
    const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
    if (fd.get() < 0) return refused(path, errno);
    return write_all(fd.get(), bytes, path);
  }
  const std::string fresh = path + ".part";
  {
    const Descriptor fd(::open(fresh.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (fd.get() < 0) return refused(fresh, errno);
    auto written = write_all(fd.get(), bytes, fresh);
    if (written && ::fsync(fd.get()) != 0 && errno != EINVAL) written = refused(fresh, errno);
    if (!written) {
      ::unlink(fresh.c_str());
      return written;
    }
  }
  if (::rename(fresh.c_str(), path.c_str()) != 0) return refused(path, errno);
  return {};
}

Result<void> write_new_file(const std::string& path, std::string_view bytes) {
  const Descriptor fd{
      ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0644)};
  if (fd.get() < 0) return refused(path, errno);
  return write_all(fd.get(), bytes, path);
}

Result<void> make_link(const std::string& path, const std::string& target) {
  ::unlink(path.c_str());
  if (::symlink(target.c_str(), path.c_str()) != 0) return refused(path, errno);
  return {};
}

Result<std::size_t> copy_file(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error) return refused(from, error.value());
  return static_cast<std::size_t>(fs::file_size(to, error));
}

Result<void> make_folder(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error) return refused(path, error.value());
  return {};
}

}  // namespace gpuvet::platform
