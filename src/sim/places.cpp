// SPDX-License-Identifier: Apache-2.0
#include "sim/places.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "core/nvml_abi.hpp"

namespace gpuvet::sim {
namespace {

constexpr int buses = 256;

std::string address(int bus, int device) {
  return fmt::format("0000:{:02x}:{:02x}.0", bus, device);
}

/// Deals out the buses of one root complex.
class Complex {
 public:
  Complex(World& world, int first_bus, int numa)
      : world_{world}, root_{fmt::format("0000:{:02x}", first_bus)}, bus_{first_bus}, numa_{numa} {}

  /// A port of its own for each device.
  Place at_root_port() {
    const auto port = bridge({}, address(bus_, ++ports_));
    return device(port);
  }
  /// A root port that leads to a switch: where its devices go.
  std::vector<std::string> switch_below(const std::vector<std::string>& above) {
    return bridge(above, address(++last_bus_ + bus_, 0));
  }
  std::vector<std::string> root_port() { return bridge({}, address(bus_, ++ports_)); }
  /// A switch's ports share one bus: reserve it before any device takes the next.
  int port_bus() { return ++last_bus_ + bus_; }
  std::vector<std::string> port(const std::vector<std::string>& above, int bus, int number) {
    return bridge(above, address(bus, number));
  }
  Place device(std::vector<std::string> above) {
    above.push_back(address(++last_bus_ + bus_, 0));
    return {root_, std::move(above), numa_};
  }

 private:
  std::vector<std::string> bridge(std::vector<std::string> above, std::string own) {
    above.push_back(std::move(own));
    world_.bridges.push_back({{root_, above, numa_}, false});
    return above;
  }
  World& world_;
  std::string root_;
  int bus_, numa_, ports_ = 0, last_bus_ = 0;
};

/// Everything below one switch, each device at a port of its own.
void place_below(Complex& complex, const std::vector<std::string>& above,
                 const std::vector<Place*>& places) {
  const auto upstream = complex.switch_below(above);
  const int bus = complex.port_bus();
  for (std::size_t i = 0; i < places.size(); ++i)
    *places[i] = complex.device(complex.port(upstream, bus, static_cast<int>(i)));
}

void place_complex(Complex& complex, int switches, const std::vector<Place*>& gpus,
                   const std::vector<Place*>& others) {
  std::vector<Place*> all = gpus;
  all.insert(all.end(), others.begin(), others.end());
  if (switches == 0) {
    for (auto* place : all) *place = complex.at_root_port();
  } else if (switches == 1) {
    place_below(complex, complex.root_port(), all);
  } else {
    const auto upstream = complex.switch_below(complex.root_port());
    const int bus = complex.port_bus();
    place_below(complex, complex.port(upstream, bus, 0), gpus);
    if (!others.empty()) place_below(complex, complex.port(upstream, bus, 1), others);
  }
}

}  // namespace

void place_devices(World& world) {
  const auto& roots = world.made.roots;
  const auto complexes = roots.size() + 2;  // the first has the chipset, the last the NVSwitches
  const int step = buses / static_cast<int>(complexes);
  std::size_t drive = 0;
  for (std::size_t r = 0; r < roots.size(); ++r) {
    std::vector<Place*> gpus, others;
    for (const int index : roots[r].gpus)
      gpus.push_back(&world.gpus[static_cast<std::size_t>(index)].place);
    for (const auto& name : roots[r].adapters)
      for (auto& nic : world.nics)
        if (nic.made.name == name) others.push_back(&nic.place);
    for (int i = 0; i < roots[r].drives && drive < world.drives.size(); ++i)
      others.push_back(&world.drives[drive++].place);
    Complex complex(world, static_cast<int>(r + 1) * step, roots[r].numa);
    place_complex(complex, roots[r].switches, gpus, others);
  }
  if (world.switches.empty()) return;
  std::vector<Place*> fabric;
  for (auto& nvswitch : world.switches) fabric.push_back(&nvswitch.place);
  Complex complex(world, static_cast<int>(complexes - 1) * step, world.made.host.numa_nodes - 1);
  place_below(complex, complex.root_port(), fabric);
}

std::string cpus_of_node(const HostShape& host, int node) {
  const int cores = host.sockets * host.cores;
  const int each = std::max(1, cores / host.numa_nodes);
  std::string out;
  for (int thread = 0; thread < host.threads; ++thread) {
    const int first = thread * cores + node * each;
    out += fmt::format("{}{}-{}", out.empty() ? "" : ",", first, first + each - 1);
  }
  return out;
}

unsigned common_ancestor(const Place& a, const Place& b) {
  if (a.path == b.path) return nvml::internal;
  const auto apart = std::mismatch(a.path.begin(), a.path.end(), b.path.begin(), b.path.end());
  if (apart.first != a.path.begin()) {
    // Below one switch each has a port of its own and itself left.
    const auto left = std::max(a.path.end() - apart.first, b.path.end() - apart.second);
    return left <= 2 ? nvml::one_switch : nvml::several_switches;
  }
  if (a.root == b.root) return nvml::host_bridge;
  return a.numa == b.numa ? nvml::numa_node : nvml::system;
}

}  // namespace gpuvet::sim
