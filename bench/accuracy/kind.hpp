// SPDX-License-Identifier: Apache-2.0
// How rows of one kind become questions to the models: one file a kind, one line in kinds.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "accuracy/row.hpp"
#include "catalogue/catalogue.hpp"
#include "model/estimate.hpp"
#include "model/models.hpp"

namespace gpuvet::accuracy {

/// What predicting a row may use.
struct World {
  const catalogue::Catalogue& catalogue;
  const model::Models& models;
};

/// A predictor that anybody could write in a line, to be beaten: a constant MFU, a roofline.
/// `known` are the measured rows of the kind it may look at.
struct NullModel {
  std::string_view name;
  model::Answer<double> (*predict)(const Row&, const World&, const std::vector<const Row*>& known);
};

/// A part of a table that one model answers for.
struct Kind {
  std::string_view name;  ///< "gemm", "training: transformers"
  bool (*takes)(const Row&);
  model::Answer<model::Estimate> (*predict)(const Row&, const World&);
  std::vector<NullModel> nulls;
  std::vector<std::string_view> constants;  ///< models (data/models/<id>.toml) fitted to these rows
};

/// In the order in which they are fitted: what others build on comes first.
const std::vector<Kind>& kinds();

/// The catalogue in `folder`; the one that was built in where it is empty.
Result<catalogue::Catalogue> read_catalogue(const std::string& folder);

/// The catalogue's GPU for the table's name ("A100-SXM-80"), with the power limit that `gpu` tells
/// ("NVIDIA A100-SXM4-80GB (500W)"). Refuses GPUs that the catalogue does not have.
model::Answer<model::Gpu> gpu_of(const Row&, const World&);

/// The fabric that n_gpus, n_nodes and the topology's words describe; what they leave open is as in
/// a usual server.
model::Answer<model::Fabric> fabric_of(const Row&, const model::Gpu&);

/// Whether a row of kind training is about a language model; the rest are vision_training's.
bool is_language_model(const Row&);

Kind collectives_kind();
Kind gemm_kind();
Kind attention_kind();
Kind streaming_kind();  ///< hbm and launch latency
Kind transformer_training_kind();
Kind vision_training_kind();  ///< MLPerf and other nets that are no large language models
Kind memory_kind();
Kind inference_kind();
Kind power_kind();

}  // namespace gpuvet::accuracy
