// What a probe sees of a whole model, against the model's own outputs and weights.
#include "model/torch/engine/range_probe.h"

#include <ATen/ops/equal.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

#include "model/torch/base/state_dict.h"
#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

using namespace flowqat::model;

namespace {

const std::string head = "lm_head", projection = "wav2vec2.encoder.layers.0.attention.q_proj";

int64_t sum(const ValueHistogram& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), int64_t{0});
}

/// With the head quantized too, so that one layer's output is the model's.
std::unique_ptr<Model> calibrated(const Golden& golden) {
  auto model = golden.load(false);
  Policy policy;
  policy.head = preset("qnnpack_symmetric");
  model->insert_fake_quantizers(policy);
  model->observe(golden.batch());
  model->finish_calibration();
  return model;
}

/// What the grid of ranges makes of one value (Jacob et al. 2018, equation 1).
double rounded(double value, const Grid& grid, size_t channel) {
  const double q =
      std::nearbyint(value / grid.scale[channel]) + static_cast<double>(grid.zero_point[channel]);
  return (std::clamp(q, static_cast<double>(grid.lowest), static_cast<double>(grid.highest)) -
          static_cast<double>(grid.zero_point[channel])) *
         grid.scale[channel];
}

/// Power, noise and range by the definition, value by value; a scale for each row of x or for all.
void check_range(const ValueRange& range, const at::Tensor& x) {
  const at::Tensor values = x.to(at::kDouble).contiguous();
  CHECK(range.values == values.numel());
  CHECK(range.min == values.min().item<double>());
  CHECK(range.max == values.max().item<double>());
  CHECK(sum(range.histogram) == values.numel());
  const double highest_edge =
      range.histogram.low + range.histogram.width * std::ssize(range.histogram.counts);
  CHECK(range.histogram.low <= range.min);
  CHECK(range.histogram.low + range.histogram.width > range.min);
  CHECK(highest_edge > range.max);
  CHECK(highest_edge - range.histogram.width <= range.max);
  REQUIRE(range.grid);
  const Grid& grid = *range.grid;
  const int64_t per_channel = values.numel() / std::ssize(grid.scale);
  double power = 0, noise = 0;
  for (int64_t i = 0; i < values.numel(); ++i) {
    const double value = values.data_ptr<double>()[i];
    const double error = value - rounded(value, grid, static_cast<size_t>(i / per_channel));
    power += value * value;
    noise += error * error;
  }
  CHECK(range.power == Approx(power));
  CHECK(range.noise == Approx(noise).epsilon(1e-3));
}

}  // namespace

TEST_CASE(
    "a probe sees a layer's weight and output as they are, and compares them with their grids") {
  const Golden golden("wav2vec2_tiny");
  const auto model = calibrated(golden);
  model->set_fake_quantization(false);
  const auto probe = model->probe({head, projection});
  probe->add(golden.batch());
  const auto ranges = probe->ranges();
  REQUIRE(ranges.size() == 2);
  CHECK(ranges[0].layer == projection);  // the order of the forward
  CHECK(ranges[1].choice == preset("qnnpack_symmetric"));
  check_range(ranges[1].output, as_tensor(model->infer(golden.batch())));
  CHECK(ranges[1].output.grid->scale.size() == 1);
  const auto tensors = by_name(model->tensors());
  check_range(ranges[1].weight, from_tensor(tensors.at(head + ".weight")));
  check_range(ranges[0].weight, from_tensor(tensors.at(projection + ".weight")));
  CHECK(ranges[0].weight.grid->scale.size() > 1);

  // The ranges that calibration found on this very batch hold all of it.
  CHECK(ranges[0].input.clipped == 0);
  CHECK(ranges[0].input.power / ranges[0].input.noise > 1000);
  CHECK(ranges[0].input.grid->lowest == 0);
  CHECK(ranges[0].input.grid->highest == 255);
  CHECK(ranges[0].weight.grid->lowest == -128);

  probe->add(golden.batch());
  const auto twice = probe->ranges();
  CHECK(twice[0].output.values == 2 * ranges[0].output.values);
  CHECK(twice[0].weight.values == ranges[0].weight.values);
  CHECK(twice[0].output.noise == Approx(2 * ranges[0].output.noise));
}

TEST_CASE("a clipped range clips the share that it is told to") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  Policy policy;
  policy.feature_extractor =
      choice_from_json({{"preset", "qnnpack"}, {"range", "percentile"}, {"percentile", 90}}, "");
  model->insert_fake_quantizers(policy);
  model->observe(golden.batch());
  model->finish_calibration();
  model->set_fake_quantization(false);
  const auto probe = model->probe({"wav2vec2.feature_extractor.conv_layers.0.conv"});
  probe->add(golden.batch());
  const ValueRange output = probe->ranges()[0].output;
  CHECK(static_cast<double>(output.clipped) / static_cast<double>(output.values) ==
        Approx(0.2).margin(0.02));
}

TEST_CASE("a probe changes nothing, sees a float model without grids, and ends with its batch") {
  const Golden golden("wav2vec2_tiny");
  const auto model = golden.load(false);
  const at::Tensor before = as_tensor(model->infer(golden.batch()));
  const auto probe = model->probe(model->quantizable_layers());
  CHECK(probe->ranges()[0].output.histogram.counts.empty());
  probe->add(golden.batch());
  const auto ranges = probe->ranges();
  CHECK(ranges.size() == model->quantizable_layers().size());
  for (const LayerRanges& layer : ranges) {
    CHECK_FALSE(layer.choice);
    CHECK_FALSE(layer.weight.grid);
    CHECK(layer.input.values > 0);
  }
  CHECK(at::equal(as_tensor(model->infer(golden.batch())), before));
  CHECK(probe->ranges()[0].input.values == ranges[0].input.values);

  REQUIRE_THROWS_WITH(model->probe({"head"}), ContainsSubstring("\"head\" is no layer"));
  REQUIRE_THROWS_WITH(calibrated(golden)->convert()->probe({head}),
                      ContainsSubstring("an int8 model's ranges are fixed"));
}
