// SPDX-License-Identifier: Apache-2.0
#include "platform/tcp.hpp"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "platform/terminal.hpp"

namespace gpuvet::platform {
namespace {

// What a connection begins with; the last letter but one says what it is for.
constexpr std::array<char, 16> greeting{'g', 'p', 'u', 'v', 'e', 't', ' ', 't',
                                        'c', 'p', ' ', '1', ' ', '?', ' ', '\n'};
constexpr std::size_t kind_at = 13;
constexpr std::size_t piece = std::size_t{1} << 20, largest_message = 4096;
constexpr std::size_t all_checked = std::size_t{64} << 20, one_in = 16;
constexpr std::size_t most_connections = 64;

class Socket {
 public:
  explicit Socket(int number = -1) : number_{number} {}
  Socket(Socket&& other) noexcept : number_{other.number_} { other.number_ = -1; }
  Socket& operator=(Socket&&) = delete;
  Socket(const Socket&) = delete;
  Socket& operator=(const Socket&) = delete;
  ~Socket() {
    if (number_ >= 0) ::close(number_);
  }
  [[nodiscard]] int get() const { return number_; }

 private:
  int number_;
};

tl::unexpected<Error> refused(const std::string& what) {
  const Errc code = errno == EACCES || errno == EPERM          ? Errc::permission
                    : errno == ETIMEDOUT || errno == EAGAIN    ? Errc::timeout
                    : errno == ECONNREFUSED || errno == ENOENT ? Errc::not_found
                                                               : Errc::vendor_failure;
  return fail(code, what + ": " + std::strerror(errno));
}

/// No call on the socket blocks longer than this.
void limit(int socket, double seconds) {
  const timeval time{static_cast<time_t>(seconds),
                     static_cast<suseconds_t>(
                         (seconds - static_cast<double>(static_cast<time_t>(seconds))) * 1e6)};
  ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof time);
  ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof time);
  const int on = 1;
  ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

struct FreeAddresses {
  void operator()(addrinfo* list) const { ::freeaddrinfo(list); }
};
Result<std::unique_ptr<addrinfo, FreeAddresses>> addresses(const std::string& host, int port,
                                                           bool passive) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = passive ? AI_PASSIVE : 0;
  addrinfo* list = nullptr;
  const int bad = ::getaddrinfo(host.empty() ? nullptr : host.c_str(), std::to_string(port).c_str(),
                                &hints, &list);
  if (bad != 0) return fail(Errc::not_found, host + ": " + ::gai_strerror(bad));
  return std::unique_ptr<addrinfo, FreeAddresses>(list);
}

Result<Socket> connect_to(const std::string& host, int port, char kind) {
  GPUVET_TRY(const auto list, addresses(host, port, false));
  errno = ENOENT;
  for (const auto* a = list.get(); a != nullptr; a = a->ai_next) {
    Socket socket(::socket(a->ai_family, a->ai_socktype | SOCK_CLOEXEC, a->ai_protocol));
    if (socket.get() < 0) continue;
    limit(socket.get(), 5);  // of sending, and so of connecting
    if (::connect(socket.get(), a->ai_addr, a->ai_addrlen) != 0) continue;
    auto hello = greeting;
    hello[kind_at] = kind;
    if (::send(socket.get(), hello.data(), hello.size(), MSG_NOSIGNAL) ==
        static_cast<ssize_t>(hello.size()))
      return socket;
  }
  return refused(host + ", port " + std::to_string(port));
}

/// All of `bytes`, unless the other end or time stops it.
bool receive_all(int socket, char* to, std::size_t bytes, const std::function<bool()>& stop) {
  std::size_t got = 0;
  while (got < bytes && !stop()) {
    const auto n = ::recv(socket, to + got, bytes - got, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (n > 0) got += static_cast<std::size_t>(n);
  }
  return got == bytes;
}

bool send_all(int socket, const char* from, std::size_t bytes) {
  while (bytes > 0) {
    const auto n = ::send(socket, from, bytes, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return false;
    from += n;
    bytes -= static_cast<std::size_t>(n);
  }
  return true;
}

/// What is sent over and over: words that tell their place.
const std::vector<char>& content() {
  static const std::vector<char> bytes = [] {
    std::vector<char> out(piece);
    for (std::size_t i = 0; i < piece; i += 8) {
      std::uint64_t x = (i + 1) * 0x9e3779b97f4a7c15U;
      x = (x ^ (x >> 32U)) * 0xd6e8feb86659fd93U;
      std::memcpy(out.data() + i, &x, 8);
    }
    return out;
  }();
  return bytes;
}

struct Account {
  std::uint64_t bytes = 0, checked = 0, wrong = 0;
};

/// Takes in all that comes. The beginning is compared byte by byte, later one piece of sixteen: the
/// comparison must not become what is measured.
Account take_in(int socket, const std::function<bool()>& stop) {
  Account out;
  std::vector<char> buffer(piece);
  while (!stop()) {
    const auto n = ::recv(socket, buffer.data(), buffer.size(), 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) break;
    if (n < 0) continue;
    const auto got = static_cast<std::size_t>(n);
    if (out.bytes < all_checked || out.bytes / piece % one_in == 0) {
      out.checked += got;
      for (std::size_t done = 0; done < got;) {
        const std::size_t at = (out.bytes + done) % piece, run = std::min(got - done, piece - at);
        const char* due = content().data() + at;
        if (std::memcmp(due, buffer.data() + done, run) != 0)
          for (std::size_t i = 0; i < run; ++i)
            if (due[i] != buffer[done + i]) ++out.wrong;
        done += run;
      }
    }
    out.bytes += got;
  }
  return out;
}

void answer(const Socket& socket, const std::function<bool()>& stop) {
  limit(socket.get(), 0.1);
  std::array<char, greeting.size()> hello{};
  if (!receive_all(socket.get(), hello.data(), hello.size(), stop)) return;
  const char kind = hello[kind_at];
  hello[kind_at] = greeting[kind_at];
  if (hello != greeting) return;
  if (kind == 'B') {
    const Account seen = take_in(socket.get(), stop);
    std::array<char, sizeof seen> reply{};
    std::memcpy(reply.data(), &seen, sizeof seen);
    send_all(socket.get(), reply.data(), reply.size());
  }
  if (kind == 'L') {
    std::vector<char> message(largest_message);
    while (!stop()) {
      const auto n = ::recv(socket.get(), message.data(), message.size(), 0);
      if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
      if (n > 0 && !send_all(socket.get(), message.data(), static_cast<std::size_t>(n))) return;
    }
  }
}

}  // namespace

Result<TcpServer> TcpServer::listen(const std::string& address, int port) {
  GPUVET_TRY(const auto list, addresses(address, port, true));
  const int number = ::socket(list->ai_family, list->ai_socktype | SOCK_CLOEXEC, list->ai_protocol);
  if (number < 0) return refused("a socket");
  TcpServer server(number, port);
  const int on = 1;
  ::setsockopt(number, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(number, list->ai_addr, list->ai_addrlen) != 0 || ::listen(number, 64) != 0)
    return refused("port " + std::to_string(port));
  sockaddr_storage bound{};
  socklen_t length = sizeof bound;
  if (::getsockname(number, reinterpret_cast<sockaddr*>(&bound), &length) != 0)
    return refused("a socket's name");
  server.port_ =
      ntohs(bound.ss_family == AF_INET6 ? reinterpret_cast<sockaddr_in6*>(&bound)->sin6_port
                                        : reinterpret_cast<sockaddr_in*>(&bound)->sin_port);
  return server;
}

TcpServer::~TcpServer() {
  if (socket_ >= 0) ::close(socket_);
}

void TcpServer::serve(const std::function<bool()>& stop) {
  std::vector<std::thread> threads;
  std::atomic<std::size_t> open = 0;
  while (!stop()) {
    pollfd waiting{socket_, POLLIN, 0};
    if (::poll(&waiting, 1, 50) <= 0) continue;
    Socket next(::accept4(socket_, nullptr, nullptr, SOCK_CLOEXEC));
    if (next.get() < 0 || open >= most_connections || threads.size() >= 10'000) continue;
    ++open;
    threads.emplace_back([socket = std::move(next), &stop, &open] {
      answer(socket, stop);
      --open;
    });
  }
  for (auto& thread : threads) thread.join();
}

Result<TcpRun> tcp_send(const std::string& host, int port, int streams, double seconds,
                        const std::function<bool()>& cancelled) {
  std::vector<Socket> sockets;
  for (int i = 0; i < streams; ++i) {
    GPUVET_TRY(auto socket, connect_to(host, port, 'B'));
    sockets.push_back(std::move(socket));
  }
  std::mutex mutex;
  std::optional<Error> error;
  TcpRun out;
  const double begin = monotonic_seconds();
  const auto one = [&](const Socket& socket) {
    std::uint64_t sent = 0;
    bool good = true;
    while (good && !cancelled() && monotonic_seconds() < begin + seconds) {
      good = send_all(socket.get(), content().data(), piece);
      sent += piece;
    }
    ::shutdown(socket.get(), SHUT_WR);
    Account seen;
    std::array<char, sizeof seen> reply{};
    const double until = monotonic_seconds() + 10;
    good = good && receive_all(socket.get(), reply.data(), reply.size(),
                               [&] { return monotonic_seconds() > until; });
    std::memcpy(&seen, reply.data(), sizeof seen);
    const std::lock_guard lock(mutex);
    if (!good || seen.bytes != sent) {
      if (!error) error = Error{Errc::vendor_failure, "a connection was lost", 0, {}, {}};
      return;
    }
    out.bytes += seen.bytes;
    out.checked += seen.checked;
    out.wrong += seen.wrong;
  };
  std::vector<std::thread> threads;
  for (const auto& socket : sockets) threads.emplace_back([&one, &socket] { one(socket); });
  for (auto& thread : threads) thread.join();
  out.seconds = monotonic_seconds() - begin;
  if (error) return tl::make_unexpected(*error);
  return out;
}

Result<std::vector<double>> tcp_round_trips(const std::string& host, int port, int rounds,
                                            std::size_t bytes, double seconds) {
  if (bytes == 0 || bytes > largest_message)
    return fail(Errc::usage, "messages of 1 to 4096 bytes");
  GPUVET_TRY(const auto socket, connect_to(host, port, 'L'));
  std::vector<double> out;
  std::vector<char> message(bytes), back(bytes);
  const double until = monotonic_seconds() + seconds;
  for (int round = 0; round < rounds && monotonic_seconds() < until; ++round) {
    std::memcpy(message.data(), &round, std::min(bytes, sizeof round));
    const double begin = monotonic_seconds();
    if (!send_all(socket.get(), message.data(), bytes) ||
        !receive_all(socket.get(), back.data(), bytes,
                     [&] { return monotonic_seconds() > until + 5; }))
      return refused("a message that never came back");
    out.push_back(monotonic_seconds() - begin);
    if (back != message) return fail(Errc::malformed, "a message came back changed");
  }
  return out;
}

}  // namespace gpuvet::platform
