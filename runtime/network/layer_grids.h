/// What quantization.json says of an int8 model's layers.
#pragma once
#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "runtime/kernels/grid.h"

namespace flowqat::runtime {

/// The grids of one layer.
struct LayerGrids {
  ByteGrid input, output;
  bool scale_a_channel = true;  ///< a tensor of its own; else `weight_scale`
  float weight_scale = 1;
  std::vector<int32_t> weight_zero_point;  ///< [1] or [out]
  int weight_bits = 8;
  std::vector<float> input_factor;  ///< what the input is multiplied by, [in]; empty for none
};

/// The object "layers" of a quantization.json. Throws model::Error for another format or version.
nlohmann::json checked_int8_layers(const nlohmann::json& quantization);

/// Throws model::Error naming layer and key, what was expected and what was found.
LayerGrids layer_grids(const nlohmann::json& layer, const std::string& name, int64_t out,
                       int64_t in);

/// Throws model::Error unless all are finite and above 0.
void check_scales(const std::vector<float>& scales, const std::string& name);

}  // namespace flowqat::runtime
