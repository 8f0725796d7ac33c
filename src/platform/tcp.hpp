// SPDX-License-Identifier: Apache-2.0
// How fast TCP moves bytes between two ends, both of which are ours: one that answers and one that
// measures.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/result.hpp"

namespace gpuvet::platform {

inline constexpr int tcp_port = 18599;  ///< where a peer listens unless told otherwise

class TcpServer {
 public:
  /// Listens on `address` (empty: all); port 0 lets the system choose.
  static Result<TcpServer> listen(const std::string& address, int port);
  TcpServer(TcpServer&& other) noexcept : socket_{other.socket_}, port_{other.port_} {
    other.socket_ = -1;
  }
  TcpServer& operator=(TcpServer&&) = delete;
  TcpServer(const TcpServer&) = delete;
  TcpServer& operator=(const TcpServer&) = delete;
  ~TcpServer();

  [[nodiscard]] int port() const { return port_; }
  /// Answers whoever comes until `stop` says so. Takes in and checks what tcp_send() sends, returns
  /// what tcp_round_trips() sends; nothing else.
  void serve(const std::function<bool()>& stop);

 private:
  TcpServer(int socket, int port) : socket_{socket}, port_{port} {}
  int socket_, port_;
};

struct TcpRun {
  std::uint64_t bytes = 0;    ///< that arrived
  std::uint64_t checked = 0;  ///< of those, compared with what was sent
  std::uint64_t wrong = 0;    ///< of those, different
  double seconds = 0;         ///< from the first byte to the other end's word that it has the last
};
/// Sends over `streams` connections at once for `seconds`.
Result<TcpRun> tcp_send(const std::string& host, int port, int streams, double seconds,
                        const std::function<bool()>& cancelled);

/// Seconds of up to `rounds` round trips of `bytes` (at most 4096), one after the other.
Result<std::vector<double>> tcp_round_trips(const std::string& host, int port, int rounds,
                                            std::size_t bytes, double seconds);

}  // namespace gpuvet::platform
