#include "model/torch/training/widest_ranges.h"

#include <ATen/ops/full.h>
#include <ATen/ops/minimum.h>
#include <ATen/ops/stack.h>

#include <limits>
#include <vector>

#include "model/torch/quantization/fake_quantizer.h"

namespace flowqat::model {
namespace {

/// In the order of the network, which is the same in every process.
std::vector<FakeQuantizer*> moving(const Module& network) {
  std::vector<FakeQuantizer*> found;
  for (const auto& [name, module] : network.named_modules()) {
    auto* const quantizer = module->as<FakeQuantizer>();
    if (quantizer && quantizer->options().channels == 0 && quantizer->range_moves()) {
      found.push_back(quantizer);
    }
  }
  return found;
}

at::Tensor ends_of(const std::vector<FakeQuantizer*>& quantizers) {
  std::vector<at::Tensor> ends;
  for (const FakeQuantizer* quantizer : quantizers) ends.push_back(quantizer->min_val());
  for (const FakeQuantizer* quantizer : quantizers) ends.push_back(-quantizer->max_val());
  return at::stack(ends);
}

}  // namespace

void WidestRanges::add(const Module& network) {
  const at::NoGradGuard no_grad;
  const std::vector<FakeQuantizer*> quantizers = moving(network);
  if (quantizers.empty()) return;
  const at::Tensor ends = ends_of(quantizers);
  ends_ = ends_.defined() ? at::minimum(ends_, ends) : ends;
}

void WidestRanges::join(const Module& network, TorchGroup& group) {
  const std::vector<FakeQuantizer*> quantizers = moving(network);
  if (quantizers.empty()) return;
  if (!ends_.defined()) {
    ends_ = at::full({2 * static_cast<int64_t>(quantizers.size())},
                     std::numeric_limits<float>::infinity(), quantizers[0]->min_val().options());
  }
  ends_ = ends_.contiguous();
  group.exchange("ranges", [&] { group.all_reduce(ends_, TorchGroup::Reduction::smallest); });
}

void WidestRanges::put(const Module& network) const {
  if (!ends_.defined()) return;
  const at::NoGradGuard no_grad;
  const std::vector<FakeQuantizer*> quantizers = moving(network);
  const auto count = static_cast<int64_t>(quantizers.size());
  const at::Tensor largest = -ends_.slice(0, count);
  for (int64_t i = 0; i < count; ++i) {
    quantizers[static_cast<size_t>(i)]->set_range(ends_[i], largest[i]);
  }
}

}  // namespace flowqat::model
