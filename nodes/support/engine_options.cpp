#include "nodes/support/engine_options.h"

#include "base/simd/target.h"
#include "graph/error.h"
#include "graph/usable_cores.h"

namespace flowqat::nodes {

model::EngineOptions engine_options(const graph::Params& params) {
  model::EngineOptions options{.device = params.text("device"),
                               .threads = static_cast<int>(params.integer("compute_threads")),
                               .precision = params.text("precision")};
  if (options.threads == 0) options.threads = graph::usable_cores();
  if (options.precision == "bf16" && options.device == "cuda") {
    throw graph::GraphError(
        "key \"precision\": bf16 is for CPUs; with \"device\": \"cuda\" choose tf32 or float32");
  }
  if (options.precision == "bf16" && !has_bf16()) {
    throw graph::GraphError(
        "key \"precision\": bf16 needs a processor with AVX-512 BF16 (Cooper Lake, Sapphire "
        "Rapids, Zen 4), and a FLOWQAT_TARGET that does not forbid it; choose float32");
  }
  return options;
}

}  // namespace flowqat::nodes
