// SPDX-License-Identifier: Apache-2.0
#include "sim/nvml/state.hpp"

#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <thread>

#include "core/text.hpp"

namespace gpuvet::sim {

using nvml::Return;

namespace {

constexpr std::size_t most_gpus = 16;
std::array<char, most_gpus> handles{};  // their addresses are the handles

std::string variable(const char* name) {
  const char* value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe): under the mutex
  return value == nullptr ? std::string() : std::string(value);
}

double seconds_since_epoch() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

Result<std::string> file_text(const std::string& path) {
  constexpr std::size_t most = std::size_t{1} << 20;
  std::FILE* file = std::fopen(path.c_str(), "rbe");
  if (file == nullptr) return fail(Errc::not_found, path + ": " + std::strerror(errno));
  std::string out(most, '\0');
  out.resize(std::fread(out.data(), 1, most, file));
  std::fclose(file);
  return out;
}

/// A built-in scenario's name, or the path of one.
Result<Scenario> scenario_of(const std::string& name) {
  if (name.empty()) return fail(Errc::usage, "GPUVET_SIM does not say which server to simulate");
  if (name.find('/') == std::string::npos && !name.ends_with(".toml")) return scenario_named(name);
  GPUVET_TRY(const auto text, file_text(name));
  return in_context(parse_scenario(text), name);
}

Result<Simulation> simulation_of_environment() {
  GPUVET_TRY(const auto scenario, scenario_of(variable("GPUVET_SIM")));
  std::vector<Injected> faults;
  const auto list = variable("GPUVET_SIM_FAULTS");
  for (const auto text : split(list, ',')) {
    if (trim(text).empty()) continue;
    GPUVET_TRY(auto one, parse_injected(trim(text)));
    faults.push_back(one);
  }
  GPUVET_TRY(auto out, Simulation::start(scenario, std::move(faults)));
  if (const auto load = parse_number(variable("GPUVET_SIM_LOAD")))
    out.set_load(std::clamp(*load, 0.0, 1.0));
  return out;
}

}  // namespace

State& State::get() {
  static State state;
  return state;
}

State::~State() {
  if (calls_ != nullptr) std::fclose(calls_);
}

Return State::start() {
  if (starts_++ > 0) return Return::success;
  auto started = simulation_of_environment();
  if (!started) {
    std::fprintf(stderr, "libnvidia-ml.so.1 (simulated): %s\n",
                 printable(started.error().message()).c_str());
    starts_ = 0;
    return Return::driver_not_loaded;
  }
  simulation_ = std::move(*started);
  speed_ = std::max(0.0, parse_number(variable("GPUVET_SIM_SPEED")).value_or(1));
  began_ = parse_number(variable("GPUVET_SIM_START")).value_or(seconds_since_epoch());
  delay_ = static_cast<long>(
      std::clamp(parse_number(variable("GPUVET_SIM_DELAY_US")).value_or(0), 0.0, 1e7));
  if (const auto path = variable("GPUVET_SIM_CALLS"); !path.empty() && calls_ == nullptr) {
    calls_ = std::fopen(path.c_str(), "ae");
    if (calls_ != nullptr) std::setvbuf(calls_, nullptr, _IOLBF, 4096);
  }
  world_ = nullptr;
  if (!world().driver_loaded) {
    simulation_.reset();
    starts_ = 0;
    return Return::driver_not_loaded;
  }
  return Return::success;
}

Return State::stop() {
  if (starts_ == 0) return Return::uninitialized;
  if (--starts_ == 0) simulation_.reset();
  return Return::success;
}

Return State::enter(const char* function) {
  if (!simulation_) return Return::uninitialized;
  if (calls_ != nullptr)
    std::fprintf(calls_, "%s\n", function);  // a line each: any process adds its own
  if (delay_ > 0) std::this_thread::sleep_for(std::chrono::microseconds(delay_));
  const auto& missing = world().missing_functions;
  return std::find(missing.begin(), missing.end(), function) == missing.end()
             ? Return::success
             : Return::function_not_found;
}

double State::simulated_seconds() const {
  return std::max(0.0, (seconds_since_epoch() - began_) * speed_);
}

const World& State::world() {
  // A driver samples its sensors some times a second too; between, all callers see one state.
  constexpr auto sampled = std::chrono::milliseconds(20);
  const auto now = std::chrono::steady_clock::now();
  if (world_ == nullptr || now - refreshed_ > sampled) {
    world_ = &simulation_->at(simulated_seconds());
    refreshed_ = now;
  }
  return *world_;
}

const Gpu* State::gpu(nvml::Device device) {
  for (const auto& gpu : world().gpus)
    if (handle(gpu.index) == device) return &gpu;
  return nullptr;
}

nvml::Device State::handle(int index) {
  // NOLINTNEXTLINE(cppcoreguidelines-pro-type-reinterpret-cast): opaque to callers
  return reinterpret_cast<nvml::Device>(&handles.at(static_cast<std::size_t>(index)));
}

void hang() {
  for (;;) ::pause();
}

Return put_text(const std::string& text, char* to, unsigned room) {
  if (to == nullptr) return Return::invalid_argument;
  if (text.empty()) return Return::not_supported;
  if (text.size() >= room) return Return::insufficient_size;
  std::memcpy(to, text.c_str(), text.size() + 1);
  return Return::success;
}

}  // namespace gpuvet::sim
