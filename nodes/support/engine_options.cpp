#include "nodes/support/engine_options.h"

#include <filesystem>

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

}  // namespace

model::EngineOptions engine_options(const graph::Params& params) {
  model::EngineOptions options{.device = params.text("device"),
                               .threads = static_cast<int>(params.integer("compute_threads")),
                               .precision = params.text("precision")};
  const bool may_be_gpu =
      options.device == "cuda" || (options.device == "auto" && has_trace_of_gpu());
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
