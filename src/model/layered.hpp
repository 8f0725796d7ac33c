// SPDX-License-Identifier: Apache-2.0
// A net as a list of layers with their work: what convolutional nets, UNets, speech models and
// encoders are to the models.
#pragma once

#include <string>
#include <vector>

#include "catalogue/catalogue.hpp"
#include "model/estimate.hpp"

namespace gpuvet::model {

enum class LayerKind { convolution, gemm, attention, recurrent, elementwise };

/// One layer's forward work for one sample.
struct Layer {
  LayerKind kind{};
  double repeat = 1;
  double flop = 0;        ///< a multiplication and an addition are two
  double weights = 0;     ///< trainable, read once a pass
  double input = 0;       ///< elements read
  double output = 0;      ///< elements written
  double normed = 0;      ///< elements that normalisation and activation after it touch
  double scores = 0;      ///< attention scores, which only unfused attention writes
  double sequential = 1;  ///< kernels that wait for one another: steps of a recurrent layer
  bool frozen = false;    ///< runs forward only
};

struct Net {
  std::string id, family;
  std::vector<Layer> layers;
  double embeddings = 0;  ///< parameters that no matrix product reads

  [[nodiscard]] double parameters() const;    ///< trainable
  [[nodiscard]] double forward_flop() const;  ///< of one sample, frozen layers included
};

/// What a sample is, where a net leaves it open.
struct Sample {
  double sequence = 0;    ///< tokens of a transformer's sequence; 0: all its positions
  double resolution = 1;  ///< edge of an image against the net's own `size`
  double context = 0;     ///< tokens that attention sees of a packed sequence; 0: the sequence
};

/// From the catalogue's layers, or from the numbers of an encoder or decoder. Refuses an
/// architecture that has neither, and layers it does not know.
Answer<Net> net_from(const catalogue::Architecture&, const Sample& = {});

}  // namespace gpuvet::model
