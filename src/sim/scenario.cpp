// SPDX-License-Identifier: Apache-2.0
#include "sim/scenario.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "catalogue/packed.hpp"
#include "catalogue/toml_reader.hpp"
#include "core/text.hpp"

namespace gpuvet::sim {
namespace {

using catalogue::TomlReader;

constexpr std::string_view folder = "scenarios/", ending = ".toml";

double number_or(TomlReader& in, std::string_view key, Unit unit, double otherwise) {
  if (!in.has(key)) return otherwise;
  const auto measure = in.measure(key);
  if (!measure) return otherwise;
  if (measure->unit != unit && measure->unit != Unit::none)
    in.refuse(key, "must be in " + std::string(symbol(unit)));
  return measure->value;
}

int integer_or(TomlReader& in, std::string_view key, int otherwise) {
  return in.has(key) ? in.integer(key) : otherwise;
}

std::vector<int> integers(TomlReader& in, std::string_view key) {
  std::vector<int> out;
  for (const auto& text : in.scalars(key))
    out.push_back(static_cast<int>(parse_integer(text).value_or(-1)));
  return out;
}

Fabric fabric_in(TomlReader& in) {
  constexpr std::array<std::string_view, 4> names = {"none", "bridged", "direct", "nvswitch"};
  const auto text = in.text_or("fabric", "none");
  for (std::size_t i = 0; i < names.size(); ++i)
    if (text == names[i]) return static_cast<Fabric>(i);
  in.refuse("fabric", "must be none, bridged, direct or nvswitch");
  return Fabric::none;
}

/// "8x a100-sxm4-80gb" or a bare id.
void add_gpus(TomlReader& in, std::vector<std::string>& out) {
  constexpr std::int64_t most = 16;
  for (const auto& text : in.texts("gpus")) {
    const auto digits = leading_digits(text);
    const bool counted = digits > 0 && text.substr(digits, 2) == "x ";
    const auto count = counted ? parse_integer(text.substr(0, digits)).value_or(0) : 1;
    if (count < 1 || count + static_cast<std::int64_t>(out.size()) > most)
      in.refuse("gpus", "must be 1 to 16 GPUs in all");
    else
      out.insert(out.end(), static_cast<std::size_t>(count),
                 counted ? text.substr(digits + 2) : text);
  }
}

void read_host(TomlReader& in, HostShape& host) {
  host.vendor = in.text("vendor");
  host.product = in.text("product");
  host.board = in.text_or("board", host.product);
  host.bios = in.text_or("bios", "1.0");
  host.cpu = in.text("cpu");
  host.sockets = integer_or(in, "sockets", host.sockets);
  host.cores = integer_or(in, "cores", host.cores);
  host.threads = integer_or(in, "threads", host.threads);
  host.numa_nodes = integer_or(in, "numa_nodes", host.sockets);
  host.dimms = integer_or(in, "dimms", host.dimms);
  host.dimm_slots = integer_or(in, "dimm_slots", host.dimms);
  host.dimm_size = number_or(in, "dimm_size", Unit::byte, 0);
  host.dimm_rate = integer_or(in, "dimm_rate", host.dimm_rate);
  host.dimm_type = in.text_or("dimm_type", host.dimm_type);
  host.free_slots = integer_or(in, "free_slots", host.free_slots);
  host.slot_generation = integer_or(in, "slot_generation", host.slot_generation);
  host.supplies = integer_or(in, "supplies", host.supplies);
  host.fans = integer_or(in, "fans", host.fans);
  host.supply_power = number_or(in, "supply_power", Unit::watt, host.supply_power);
  host.bmc_firmware = in.text_or("bmc_firmware", host.bmc_firmware);
  host.kernel = in.text_or("kernel", host.kernel);
  const auto sane = [&](const char* key, int value, int most) {
    if (value < 1 || value > most) in.refuse(key, fmt::format("must be 1 to {}", most));
  };
  sane("sockets", host.sockets, 8);
  sane("cores", host.cores, 256);
  sane("threads", host.threads, 4);
  sane("numa_nodes", host.numa_nodes, 32);
}

void read_adapters(TomlReader& in, Scenario& out) {
  Adapter made;
  made.model = in.text("model");
  made.vendor_id = in.text_or("vendor_id", "15b3");
  made.device_id = in.text("device_id");
  made.firmware = in.text_or("firmware", "1.0");
  made.layer = in.text_or("layer", "InfiniBand");
  made.rate = number_or(in, "rate", Unit::byte_per_second, 0);
  made.rdma = in.flag_or("rdma", true);
  for (const auto& name : in.texts("names")) {
    made.name = name;
    out.adapters.push_back(made);
  }
}

/// Each GPU and each adapter has one place.
void check_places(TomlReader& in, const Scenario& out) {
  std::vector<int> gpus(out.gpus.size());
  for (const auto& root : out.roots) {
    for (const int gpu : root.gpus) {
      if (gpu < 0 || gpu >= static_cast<int>(gpus.size()))
        in.refuse("root", fmt::format("there is no GPU {}", gpu));
      else
        ++gpus[static_cast<std::size_t>(gpu)];
    }
    for (const auto& name : root.adapters)
      if (std::none_of(out.adapters.begin(), out.adapters.end(),
                       [&](const Adapter& a) { return a.name == name; }))
        in.refuse("root", "there is no adapter " + name);
    if (root.numa < 0 || root.numa >= out.host.numa_nodes)
      in.refuse("root", fmt::format("there is no NUMA node {}", root.numa));
    // A root has 16 or more buses of its own, and a switch's ports 32 places.
    if (root.gpus.size() + root.adapters.size() + static_cast<std::size_t>(root.drives) > 8)
      in.refuse("root", "holds at most 8 devices");
  }
  if (std::any_of(gpus.begin(), gpus.end(), [](int n) { return n != 1; }))
    in.refuse("root", "each GPU must have one place");
  if (out.roots.empty() || out.roots.size() > 14) in.refuse("root", "must be 1 to 14");
}

}  // namespace

Result<Scenario> parse_scenario(std::string_view text) {
  const auto parsed = toml::parse(text);
  if (!parsed)
    return fail(Errc::malformed, std::string(parsed.error().description()),
                parsed.error().source().begin.line);
  std::optional<Error> problem;
  TomlReader in(parsed.table(), problem);
  Scenario out;
  out.id = in.text("id");
  out.title = in.text("title");
  out.server = in.text_or("server", "");
  add_gpus(in, out.gpus);
  out.fabric = fabric_in(in);
  out.switches = integer_or(in, "switches", 0);
  if (out.switches < 0 || out.switches > 8) in.refuse("switches", "must be 0 to 8");
  out.driver = in.text_or("driver", out.driver);
  out.cuda = integer_or(in, "cuda", out.cuda);
  out.open_modules = in.flag_or("open_modules", false);
  out.ambient = number_or(in, "ambient", Unit::celsius, out.ambient);
  out.power_limit = number_or(in, "power_limit", Unit::watt, 0);
  out.resistance = number_or(in, "resistance", Unit::none, 0);
  out.capacity = number_or(in, "capacity", Unit::none, 0);
  in.table("host", [&](TomlReader& t) { read_host(t, out.host); });
  in.each_table("adapter", [&](TomlReader& t) { read_adapters(t, out); });
  in.table("drives", [&](TomlReader& t) {
    out.drives.model = t.text("model");
    out.drives.firmware = t.text_or("firmware", "1.0");
    out.drives.capacity = number_or(t, "capacity", Unit::byte, 0);
  });
  in.each_table("root", [&](TomlReader& t) {
    RootComplex root;
    root.numa = integer_or(t, "numa", 0);
    root.switches = integer_or(t, "switches", 0);
    root.gpus = integers(t, "gpus");
    root.adapters = t.texts("adapters");
    root.drives = integer_or(t, "drives", 0);
    if (root.drives < 0 || root.drives > 8) t.refuse("drives", "must be 0 to 8");
    if (root.switches < 0 || root.switches > 2) t.refuse("switches", "must be 0, 1 or 2");
    out.drives.count += std::clamp(root.drives, 0, 8);
    out.roots.push_back(std::move(root));
  });
  in.each_table("different", [&](TomlReader& t) {
    auto& variation = out.variations[t.integer("gpu")];
    variation.resistance = number_or(t, "resistance", Unit::none, 1);
    variation.leakage = number_or(t, "leakage", Unit::none, 1);
  });
  in.each_table("work", [&](TomlReader& t) {
    const double start = number_or(t, "at", Unit::second, 0);
    const double load = number_or(t, "load", Unit::ratio, 0);
    if (load < 0 || load > 1) t.refuse("load", "must be 0 to 1");
    if (!out.profile.empty() && start <= out.profile.back().start)
      t.refuse("at", "must come after the one before");
    out.profile.push_back({start, load});
  });
  in.table("known", [&](TomlReader& t) {
    for (const auto& key : t.keys()) out.known.emplace_back(key, t.text(key));
  });
  check_places(in, out);
  in.finish();
  if (problem) return tl::make_unexpected(std::move(*problem));
  return out;
}

std::vector<Named> scenarios() {
  std::vector<Named> out;
  for (const auto& file : embedded_scenarios())
    if (file.path.starts_with(folder))
      out.push_back(
          {file.path.substr(folder.size(), file.path.size() - folder.size() - ending.size()),
           file.text});
  return out;
}

Result<Scenario> scenario_named(std::string_view id) {
  for (const auto& named : scenarios())
    if (named.id == id) return in_context(parse_scenario(named.toml), "scenarios/" + named.id);
  return fail(Errc::not_found, printable(id) + ": no such simulated server (gpuvet sim list)");
}

Result<catalogue::Catalogue> gpu_parts(const std::vector<std::string>& ids) {
  auto out = catalogue::built_in(catalogue::Parts::judging);
  std::erase_if(out.gpus, [&](const catalogue::Gpu& gpu) {
    return std::find(ids.begin(), ids.end(), gpu.id) == ids.end();
  });
  return out;
}

}  // namespace gpuvet::sim
