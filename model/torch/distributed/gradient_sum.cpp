#include "model/torch/distributed/gradient_sum.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <string>
#include <torch/csrc/distributed/c10d/logger.hpp>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <utility>

namespace flowqat::model {
namespace {

using Processes = c10::intrusive_ptr<c10d::ProcessGroup>;

/// Without it the Reducer makes means.
class Sum : public c10d::CppCommHookInterface<Processes> {
 public:
  using CppCommHookInterface::CppCommHookInterface;
  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    std::vector<at::Tensor> tensors{bucket.getBufferRef()};
    return state_->allreduce(tensors)->getFuture();
  }
};

/// The Reducer warns of what is meant so: that it looks for parameters without a gradient, and
/// finds none.
class Quiet : public c10::WarningHandler {
 public:
  void process(const c10::Warning&) override {}
};

std::vector<std::vector<size_t>> buckets_of(const std::vector<at::Tensor>& parameters) {
  auto buckets = std::get<0>(c10d::compute_bucket_assignment_by_size(
      parameters, {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}));
  std::ranges::reverse(buckets);  // gradients come in the order of the backward
  return buckets;
}

}  // namespace

struct GradientSum::Reduced {
  Reduced(const std::vector<at::Tensor>& parameters, const Processes& processes)
      : reducer(std::make_shared<c10d::Reducer>(
            parameters, buckets_of(parameters), processes,
            /*expect_sparse_gradients=*/std::vector<bool>(parameters.size(), false),
            c10d::kDefaultBucketBytesCap, /*find_unused_parameters=*/true,
            /*gradient_as_bucket_view=*/false,
            /*param_names=*/std::unordered_map<size_t, std::string>(),
            c10d::kDefaultFirstBucketBytes,
            /*skip_all_reduce_unused_params=*/false,
            /*use_python_reducer=*/false, /*bucket_bytes_cap_list=*/std::vector<int64_t>())),
        logger(std::make_shared<c10d::Logger>(reducer)) {
    reducer->register_comm_hook(std::make_unique<Sum>(processes));
    reducer->set_logger(logger);
  }

  std::shared_ptr<c10d::Reducer> reducer;
  std::shared_ptr<c10d::Logger> logger;  ///< told by the Reducer of parameters without a gradient
};

GradientSum::GradientSum(std::shared_ptr<TorchGroup> group,
                         const std::vector<at::Tensor>& parameters)
    : group_(std::move(group)),
      anchor_(at::zeros({1}, parameters.at(0).options()).requires_grad_()) {
  std::vector<at::Tensor> all = parameters;
  all.push_back(anchor_);  // the last in the forward is the first in the backward
  reduced_ = std::make_unique<Reduced>(all, group_->processes());
}

GradientSum::~GradientSum() = default;

void GradientSum::backward(const at::Tensor& loss) {
  const at::AutoGradMode with_grad(true);
  Quiet quiet;
  const c10::WarningUtils::WarningHandlerGuard guard(&quiet);
  const at::Tensor anchor = anchor_.sum();
  const at::Tensor all = loss.defined() && loss.requires_grad() ? loss + anchor : anchor;
  reduced_->reducer->prepare_for_forward();
  reduced_->reducer->prepare_for_backward({all});
  group_->exchange("gradients", [&all] { all.backward(); });
  anchor_.mutable_grad() = at::Tensor();
}

}  // namespace flowqat::model
