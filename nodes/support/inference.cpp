#include "nodes/support/inference.h"

#include <optional>
#include <utility>

#include "base/simd/target.h"
#include "nodes/support/engine_options.h"
#include "recognizer/recognizer.h"
#include "runtime/acoustic_model.h"

namespace flowqat::nodes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFastest = "fastest";
constexpr const char* kExact = "exact";

runtime::Options runtime_options(const std::string& kernels, int threads) {
  runtime::Options options;
  options.threads = threads;
  if (kernels != kFastest) options.target = target_of(kernels);
  return options;
}

}  // namespace

std::vector<std::string> kernel_names() {
  std::vector<std::string> names{kFastest, kExact};
  for (const Target target : all_targets()) names.emplace_back(name_of(target));
  return names;
}

std::shared_ptr<const model::AcousticModel> inference_of(const ModelState& state,
                                                         const std::string& kernels) {
  const model::Model& model = *state.model;
  if (model.precision() != model::Precision::int8 || kernels == kExact) return state.model;
  return runtime::load(model.config(), model.tensors(), model.quantization(),
                       runtime_options(kernels, model::engine().threads()));
}

Recognition load_recognition(const fs::path& folder, ModelDescription& description,
                             const InferenceOptions& options) {
  if (stage_of(folder) == Stage::int8 && options.kernels != kExact) {
    if (options.device == "cuda") {
      description.notes.push_back(folder.string() +
                                  ": an int8 model, which the CPU computes, not the GPU");
    }
    return {.model = recognizer::load_int8(folder, description,
                                           runtime_options(options.kernels, options.threads)),
            .tokenizer = description.tokenizer,
            .device = "cpu"};
  }
  configure_engine({.device = options.device, .threads = options.threads}, description.notes);
  const ModelState state = load_model(folder, description);
  return {.model = state.model, .tokenizer = state.tokenizer, .device = model::engine().device()};
}

}  // namespace flowqat::nodes
