// SPDX-License-Identifier: Apache-2.0
// What the network moves: RDMA by perftest, and TCP by ourselves (docs/method/network.md).
#include "probe/network.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "core/statistics.hpp"
#include "core/text.hpp"
#include "platform/tcp.hpp"
#include "probe/harness.hpp"
#include "probe/tool_output.hpp"

namespace gpuvet::probe {
namespace {

constexpr int rounds = 20'000;
constexpr std::size_t message = 64;

void bandwidth(Context& context, const std::string& host, int port, const std::string& route,
               int streams, double seconds) {
  const Where where{
      {"backend", "tcp"}, {"route", route}, {"streams", static_cast<double>(streams)}};
  const auto run = platform::tcp_send(host, port, streams, seconds, context.cancelled);
  if (!run) {
    context.out->absent("node.tcp.bandwidth"_id, "node", absence_of(run.error()), run.error().what,
                        where);
    return;
  }
  context.out->number("node.tcp.bandwidth"_id, "node",
                      static_cast<double>(run->bytes) / run->seconds, where);
  context.out->detail(fmt::format("{} MiB in {:.2f} s", run->bytes >> 20U, run->seconds));
  context.out->number("node.tcp.wrong"_id, "node", static_cast<double>(run->wrong),
                      {{"backend", "tcp"}, {"route", route}});
  context.out->detail(fmt::format("of {} MiB looked at", run->checked >> 20U));
}

void latency(Context& context, const std::string& host, int port, const std::string& route,
             double seconds) {
  const Where where{{"backend", "tcp"}, {"route", route}, {"bytes", static_cast<double>(message)}};
  auto times = platform::tcp_round_trips(host, port, rounds, message, seconds);
  if (times && times->empty()) times = fail(Errc::timeout, "no time was left");
  if (!times) {
    context.out->absent("node.tcp.latency"_id, "node", absence_of(times.error()),
                        times.error().what, where);
    return;
  }
  const auto count = times->size();
  context.out->number("node.tcp.latency"_id, "node", median(*std::move(times)) / 2, where);
  context.out->detail(fmt::format("half the median of {} round trips", count));
}

void serve(Context& context) {
  auto server = platform::TcpServer::listen("", platform::tcp_port);
  if (!server) {
    context.out->absent("node.tcp.bandwidth"_id, "node", absence_of(server.error()),
                        server.error().what);
    return;
  }
  std::atomic<bool> over = false;
  std::thread answering([&] { server->serve([&] { return over.load(); }); });
  while (!context.over()) {
    context.progress(0, fmt::format("listening on port {}", server->port()));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  over = true;
  answering.join();
}

}  // namespace

std::vector<RdmaPort> active_ports(const platform::Root& root) {
  const std::string folder = "/sys/class/infiniband";
  std::vector<RdmaPort> out;
  const auto devices = root.list(folder);
  if (!devices) return out;
  for (const auto& device : *devices) {
    const std::string at = folder + "/" + device;
    const auto ports = root.list(at + "/ports");
    if (!ports) continue;
    const auto numa = root.line(at + "/device/numa_node");
    for (const auto& port : *ports) {
      const auto state = root.line(at + "/ports/" + port + "/state");
      const auto number = parse_integer(port);
      if (!state || !number || !contains(*state, "ACTIVE")) continue;
      out.push_back({device, static_cast<int>(*number),
                     numa ? static_cast<int>(parse_integer(*numa).value_or(-1)) : -1});
    }
  }
  return out;
}

void measure_tcp(Context& context, double seconds) {
  const double share = seconds / 3;
  const auto all = [&](const std::string& host, int port, const std::string& route) {
    for (const int streams : {1, 4})
      if (!context.over()) bandwidth(context, host, port, route, streams, share);
    if (!context.over()) latency(context, host, port, route, share);
  };
  if (!context.peer.empty()) return all(context.peer, platform::tcp_port, "peer");
  auto server = platform::TcpServer::listen("127.0.0.1", 0);
  if (!server) {
    context.out->absent("node.tcp.bandwidth"_id, "node", absence_of(server.error()),
                        server.error().what, {{"backend", "tcp"}, {"route", "loopback"}});
    return;
  }
  std::atomic<bool> over = false;
  std::thread answering([&] { server->serve([&] { return over.load(); }); });
  all("127.0.0.1", server->port(), "loopback");
  over = true;
  answering.join();
}

Result<void> network(Context& context) {
  if (simulated(context)) return fail(Errc::not_supported, "a simulated server has no network");
  if (context.listen) {
    serve(context);
    return {};
  }
  const double seconds = context.left();
  const auto ports = active_ports(context.root);
  const double for_tcp = ports.empty() ? 0.8 * seconds : 0.2 * seconds;
  context.progress(0, "RDMA");
  measure_rdma(context, ports, 0.75 * seconds);
  context.publish();
  context.progress(0.75, "TCP");
  measure_tcp(context, std::min(for_tcp, context.thorough ? 12.0 : 4.0));
  context.publish();
  return {};
}

}  // namespace gpuvet::probe
