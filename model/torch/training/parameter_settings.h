#pragma once
#include <string>
#include <vector>

#include "model/model.h"
#include "model/torch/base/module.h"
#include "model/torch/base/tensor.h"
#include "model/torch/training/adamw.h"

namespace flowqat::model {

/// The parameters that are trained, each with its own settings, under their published names; all
/// others are frozen: `requires_grad` of every parameter is set accordingly. Throws Error for a
/// group of the options that matches none, and where nothing is left to be trained.
std::vector<AdamW::Parameter> trained_parameters(const std::vector<NamedTensor>& parameters,
                                                 const TrainOptions& options);

}  // namespace flowqat::model
