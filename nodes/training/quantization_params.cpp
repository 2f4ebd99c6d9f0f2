/// The phases of quantization-aware training.
#include "nodes/training/params.h"

namespace flowqat::nodes {
namespace {

using graph::ParamKind;

std::vector<graph::ParamSpec> specs() {
  return {
      {.name = "fake_quantize_from",
       .kind = ParamKind::number,
       .fallback = 0,
       .minimum = 0,
       .doc = "when fake quantization begins, if the model is calibrated; until then it trains in "
              "float and its ranges follow: a share of the steps up to 1, a number of steps above"},
      {.name = "freeze_observers_at",
       .kind = ParamKind::number,
       .fallback = 1,
       .minimum = 0,
       .doc = "when activation ranges stay as they are, not before fake quantization begins: a "
              "share of the steps up to 1, a number of steps above"},
  };
}

void read(const graph::Params& params, const model::Config&, TrainParams& out) {
  out.fake_quantize_from = params.number("fake_quantize_from");
  out.freeze_observers_at = params.number("freeze_observers_at");
}

}  // namespace

ParamGroup quantization_params() { return {specs(), read}; }

}  // namespace flowqat::nodes
