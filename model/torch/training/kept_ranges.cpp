#include "model/torch/training/kept_ranges.h"

#include <ATen/ops/_foreach_copy.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/where.h>

#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {
namespace {

at::Tensor flat(const std::vector<at::Tensor>& places) {
  std::vector<at::Tensor> views;
  for (const at::Tensor& place : places) views.push_back(place.view({-1}));
  return at::cat(views);
}

}  // namespace

void KeptRanges::Kind::keep() {
  if (!places.empty()) kept = flat(places);
}

void KeptRanges::Kind::restore_where(const at::Tensor& skip) {
  if (!places.empty()) put(at::where(skip, kept, flat(places)));
}

void KeptRanges::Kind::put(const at::Tensor& values) const {
  if (places.empty()) return;
  std::vector<at::Tensor> sources;
  int64_t from = 0;
  for (const at::Tensor& place : places) {
    sources.push_back(values.slice(0, from, from + place.numel()).view(place.sizes()));
    from += place.numel();
  }
  at::_foreach_copy_(places, sources);
}

void KeptRanges::keep(const Module& network) {
  const at::NoGradGuard no_grad;
  floats_.places.clear();
  integers_.places.clear();
  for (const auto& [name, module] : network.named_modules()) {
    const FakeQuantizer* quantizer = module->as<FakeQuantizer>();
    if (!quantizer || quantizer->options().channels > 0) continue;
    const at::Tensor& step = quantizer->log_scale();
    if (step.defined()) {
      if (!quantizer->range_moves()) continue;  // the step is a parameter like others
      floats_.places.push_back(step);
    }
    for (const at::Tensor& value :
         {quantizer->min_val(), quantizer->max_val(), quantizer->scale()}) {
      floats_.places.push_back(value);
    }
    integers_.places.push_back(quantizer->zero_point());
  }
  floats_.keep();
  integers_.keep();
}

void KeptRanges::restore() {
  const at::NoGradGuard no_grad;
  floats_.put(floats_.kept);
  integers_.put(integers_.kept);
}

void KeptRanges::restore_where(const at::Tensor& skip) {
  const at::NoGradGuard no_grad;
  if (skip.is_cpu() && !skip.item<bool>()) return;
  floats_.restore_where(skip);
  integers_.restore_where(skip);
}

}  // namespace flowqat::model
