// SPDX-License-Identifier: Apache-2.0
#include "model/memory.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

namespace gpuvet::model {

using namespace units;

Memory::Memory(const Constants& c)
    : logits_(c.at("memory.logits")),
      logits_autocast_(c.at("memory.logits_autocast")),
      rms_norm_(c.at("memory.rms_norm")),
      rotary_(c.at("memory.rotary")),
      trainer_embedding_(c.at("memory.trainer_embedding")),
      deepspeed_embedding_(c.at("memory.deepspeed_embedding")),
      step_(c.at("memory.step")),
      context_(c.at("memory.context")),
      communicator_(c.at("memory.communicator")),
      fragmentation_(c.at("memory.fragmentation")),
      grown_cache_(c.at("memory.grown_cache")),
      live_parameters_(c.at("memory.live_parameters")),
      usable_share_(c.at("memory.usable_share")),
      usable_share_ecc_(c.at("memory.usable_share_ecc")),
      engine_share_(c.at("memory.engine_share")),
      engine_communicator_(c.at("memory.engine_communicator")),
      spread_training_(c.at("memory.spread_training")),
      spread_inference_(c.at("memory.spread_inference")),
      spread_cache_(c.at("memory.spread_cache")) {}

std::vector<std::pair<std::string, Bytes>> parts(const MemoryEstimate& m) {
  std::vector<std::pair<std::string, Bytes>> all = {{"weights", m.weights},
                                                    {"gradients", m.gradients},
                                                    {"optimizer states", m.optimizer},
                                                    {"activations", m.activations},
                                                    {"logits", m.logits},
                                                    {"buffers", m.buffers},
                                                    {"allocator reserve", m.reserve},
                                                    {"CUDA and NCCL", m.context}};
  std::erase_if(all, [](const auto& part) { return part.second.base() <= 0; });
  std::stable_sort(all.begin(), all.end(),
                   [](const auto& a, const auto& b) { return a.second > b.second; });
  all.emplace_back("total", m.total);
  return all;
}

std::string arithmetic(const MemoryEstimate& m) {
  std::string out;
  for (const auto& [what, bytes] : parts(m))
    out += fmt::format("{}{:.1f} GB {}", what == "total" ? " = " : (out.empty() ? "" : " + "),
                       bytes.in(GB), what);
  return out;
}

std::string_view name(Fits f) {
  constexpr std::array<std::string_view, 3> names = {"fits", "does not fit", "uncertain"};
  return names[static_cast<std::size_t>(f)];
}

Fits verdict(const MemoryEstimate& m, Bytes usable) {
  const double factor = std::exp(m.spread);
  if (m.total * factor < usable) return Fits::fits;
  if (m.total / factor > usable) return Fits::does_not_fit;
  return Fits::uncertain;
}

Bytes Memory::usable(const Gpu& gpu) const {
  // Every HBM part so far streams 900 GB/s or more; GDDR ones with error correction stay below.
  const bool hbm = gpu.memory_bandwidth.base() <= 0 || gpu.memory_bandwidth >= 880 * (GB / s);
  return gpu.memory.in(GB)*GiB * (hbm ? usable_share_ : usable_share_ecc_);
}

MemoryEstimate Memory::summed(MemoryEstimate m, int gpus, bool gaps) const {
  if (gaps) m.reserve = fragmentation_ * m.activations;
  m.context = Bytes::base(context_ + (gpus > 1 ? communicator_ : 0));
  m.total = m.weights + m.gradients + m.optimizer + m.activations + m.logits + m.buffers +
            m.reserve + m.context;
  return m;
}

}  // namespace gpuvet::model
