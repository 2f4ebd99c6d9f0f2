/// Models that only recognise: int8 ones without LibTorch, all others by the engine.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "nodes/support/model_folder.h"

namespace flowqat::nodes {

/// How an int8 model is run, by the names that commands and nodes give: "fastest", the runtime with
/// the best of this processor's instructions; the name of a target, the runtime held to it; or
/// "exact", each layer on the engine that it was quantized for.
std::vector<std::string> kernel_names();

/// What runs the model: for an int8 one as `kernels` says, on as many threads as the engine has;
/// for others the model itself. Throws model::Error for a target that does not run here.
std::shared_ptr<const model::AcousticModel> inference_of(const ModelState& state,
                                                         const std::string& kernels);

struct InferenceOptions {
  std::string device = "auto";  ///< for all but int8 models on the runtime, which the CPU runs
  std::string kernels = "fastest";
  int threads = 0;
};

/// What recognises, with what makes a text of it.
struct Recognition {
  std::shared_ptr<const model::AcousticModel> model;
  std::shared_ptr<const io::Tokenizer> tokenizer;
  std::string device;  ///< what computes: "cpu" or "cuda:0 (NAME)"
};

/// Loads a folder to recognise with, LibTorch only where it is needed. Says on the way, in the
/// description's notes, what it left out. Throws io::Error naming the folder.
Recognition load_recognition(const std::filesystem::path& folder, ModelDescription& description,
                             const InferenceOptions& options);

}  // namespace flowqat::nodes
