#include "nodes/support/engine_options.h"

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <string>

#include "base/simd/target.h"
#include "graph/error.h"

namespace flowqat::nodes {
namespace {

/// Without opening LibTorch: whether "auto" may come to mean a GPU.
bool has_trace_of_gpu() {
  std::error_code ignored;
  return std::filesystem::exists("/dev/nvidiactl", ignored) ||
         std::filesystem::exists("/dev/dxg", ignored);
}

/// Names of GPUs need no LibTorch to be known; it is opened for one that only it can know.
bool is_device_name(const std::string& name) {
  if (name == "auto" || name == "cpu" || name == "cuda") return true;
  const std::string gpu = "cuda:";
  if (name.starts_with(gpu)) {
    return name.size() > gpu.size() && name.size() < gpu.size() + 4 &&
           std::all_of(name.begin() + std::ssize(gpu), name.end(),
                       [](char c) { return c >= '0' && c <= '9'; });
  }
  try {
    return model::engine().knows_device(name);
  } catch (const model::Error&) {
    return false;  // a build or an installation without LibTorch
  }
}

}  // namespace

model::EngineOptions engine_options(const graph::Params& params) {
  model::EngineOptions options{.device = params.text("device"),
                               .threads = static_cast<int>(params.integer("compute_threads")),
                               .precision = params.text("precision")};
  if (!is_device_name(options.device)) {
    throw graph::GraphError(
        "key \"device\": must be auto, cpu, cuda or cuda:1 (the second GPU), found \"" +
        options.device + "\"");
  }
  const bool may_be_gpu = options.device == "auto" ? has_trace_of_gpu() : options.device != "cpu";
  if (options.precision == "fp16" && !may_be_gpu) {
    throw graph::GraphError(
        "key \"precision\": fp16 is for a GPU, and the CPU computes here; choose float32" +
        std::string(has_bf16() ? " or bf16" : ""));
  }
  if (options.precision == "bf16" && !may_be_gpu && !has_bf16()) {
    throw graph::GraphError(
        "key \"precision\": bf16 needs a GPU, or a processor with AVX-512 BF16 (Cooper Lake, "
        "Sapphire Rapids, Zen 4) and a FLOWQAT_TARGET that does not forbid it; choose float32");
  }
  return options;
}

void configure_engine(const model::EngineOptions& options, std::vector<std::string>& notes) {
  model::Engine& engine = model::engine();
  engine.configure(options);
  const std::string reason = engine.why_no_gpu();
  if (!reason.empty()) notes.push_back("the CPU computes: " + reason);
}

}  // namespace flowqat::nodes
