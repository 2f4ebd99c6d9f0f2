#include "nodes/support/inference.h"

#include <optional>
#include <utility>

#include "base/simd/target.h"
#include "io/files/error.h"
#include "io/files/mapped_file.h"
#include "runtime/acoustic_model.h"

namespace flowqat::nodes {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFastest = "fastest";
constexpr const char* kExact = "exact";

std::shared_ptr<const model::AcousticModel> on_runtime(const model::Config& config,
                                                       const model::Tensors& tensors,
                                                       const nlohmann::json& quantization,
                                                       const std::string& kernels, int threads,
                                                       runtime::Options options = {}) {
  options.threads = threads;
  if (kernels != kFastest) options.target = target_of(kernels);
  return runtime::load(config, tensors, quantization, options);
}

Recognition load_on_runtime(const fs::path& folder, ModelDescription& description,
                            const InferenceOptions& options) {
  if (options.device == "cuda") {
    description.notes.push_back(folder.string() +
                                ": an int8 model, which the CPU computes, not the GPU");
  }
  const ModelFiles files = read_files(folder);
  for (const std::string& note : files.notes) {
    description.notes.push_back(folder.string() + ": " + note);
  }
  try {
    return {
        .model = on_runtime(description.config, files.tensors, files.quantization, options.kernels,
                            options.threads, {.target = {}, .bytes_read = io::give_pages_back}),
        .tokenizer = description.tokenizer,
        .device = "cpu"};
  } catch (const model::Error& error) {
    throw io::Error(folder.string() + ": " + error.what());
  }
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
  return on_runtime(model.config(), model.tensors(), model.quantization(), kernels,
                    model::engine().threads());
}

Recognition load_recognition(const fs::path& folder, ModelDescription& description,
                             const InferenceOptions& options) {
  if (stage_of(folder) == Stage::int8 && options.kernels != kExact) {
    return load_on_runtime(folder, description, options);
  }
  model::engine().configure({.device = options.device, .threads = options.threads});
  const ModelState state = load_model(folder, description);
  return {.model = state.model, .tokenizer = state.tokenizer, .device = model::engine().device()};
}

}  // namespace flowqat::nodes
