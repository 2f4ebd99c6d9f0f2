/// The integers of an int8 folder's layers, for people and for machines; needs no LibTorch.
#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "cli/range_picture.h"
#include "graph/json.h"
#include "model/ranges.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {

struct Int8Layer {
  std::string layer;
  model::LayerChoice choice;
  model::Grid input, weight, output;
  std::vector<int64_t> shape;   ///< of the weight, [out, ...]
  std::vector<int8_t> weights;  ///< row-major

  int64_t weights_per_channel() const;
  /// How often each integer from -128 to 127 stands there.
  model::ValueHistogram histogram() const;
};

/// Those of the names given, in their order. Throws RunError for a folder whose files do not fit
/// one another.
std::vector<Int8Layer> int8_layers(const nodes::ModelFiles& files,
                                   const std::vector<std::string>& names);

graph::Json as_json(const std::vector<Int8Layer>& layers);
/// Scales and zero points, and the first weights of the first channels.
std::string as_text(const std::vector<Int8Layer>& layers);
std::vector<PictureRow> as_picture(const std::vector<Int8Layer>& layers);

}  // namespace flowqat::cli
