// SPDX-License-Identifier: Apache-2.0
#include "accuracy/kind.hpp"
#include "catalogue/packed.hpp"
#include "platform/files.hpp"

namespace gpuvet::accuracy {

const std::vector<Kind>& kinds() {
  static const std::vector<Kind> all = {
      gemm_kind(),
      attention_kind(),
      streaming_kind(),
      collectives_kind(),
      memory_kind(),
      transformer_training_kind(),
      vision_training_kind(),
      inference_kind(),
      power_kind(),
  };
  return all;
}

Result<catalogue::Catalogue> read_catalogue(const std::string& folder) {
  if (folder.empty()) return catalogue::built_in();
  constexpr std::size_t largest = std::size_t{16} << 20;
  GPUVET_TRY(const auto texts, platform::texts_below(folder, ".toml", largest));
  std::vector<catalogue::File> files;
  for (const auto& [name, text] : texts) files.push_back({name, text});
  return in_context(catalogue::parse(files), folder);
}

}  // namespace gpuvet::accuracy
