/// Models on their way from float to int8, for tests.
#pragma once
#include <memory>
#include <string>

#include "tests/catch.h"
#include "tests/model/wav2vec2_golden.h"

namespace flowqat::model {

inline std::unique_ptr<Model> calibrated(const Golden& golden, const Policy& policy = {}) {
  auto model = golden.load(true);
  model->insert_fake_quantizers(policy);
  model->observe(golden.batch());
  if (model->needs_second_pass()) {
    model->begin_second_pass();
    model->observe(golden.batch());
  }
  model->finish_calibration();
  return model;
}

inline at::Tensor scores(const Model& model, const Golden& golden) {
  return as_tensor(model.infer(golden.batch()));
}

/// A family each.
inline std::string either_golden() {
  return GENERATE(as<std::string>(), "wav2vec2_tiny", "wav2vec2_layer_norm");
}

}  // namespace flowqat::model
