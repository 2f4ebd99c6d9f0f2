#include "model/torch/distributed/gradient_sum.h"

#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/autograd/variable.h>

#include <string>
#include <torch/csrc/distributed/c10d/reducer.hpp>
#include <unordered_map>
#include <unordered_set>
#include <utility>

namespace flowqat::model {
namespace {

using Processes = c10::intrusive_ptr<c10d::ProcessGroup>;
using torch::autograd::Node;
using torch::autograd::variable_list;

/// Without it the Reducer makes means.
class Sum : public c10d::CppCommHookInterface<Processes> {
 public:
  using CppCommHookInterface::CppCommHookInterface;
  c10::intrusive_ptr<c10::ivalue::Future> runHook(c10d::GradBucket& bucket) override {
    std::vector<at::Tensor> tensors{bucket.getBufferRef()};
    return state_->allreduce(tensors)->getFuture();
  }
};

/// A 0 from which the way back leads to parameters, and brings none of them a gradient: the Reducer
/// waits until it has been to all.
class Untouched : public torch::autograd::Function<Untouched> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, at::TensorList parameters) {
    context->saved_data["count"] = static_cast<int64_t>(parameters.size());
    return at::zeros({}, parameters[0].options());
  }
  static variable_list backward(torch::autograd::AutogradContext* context, const variable_list&) {
    return variable_list(static_cast<size_t>(context->saved_data["count"].toInt()));
  }
};

std::unordered_set<const Node*> way_back_from(const at::Tensor& loss) {
  std::unordered_set<const Node*> seen;
  std::vector<const Node*> to_see;
  const auto see = [&](const Node* node) {
    if (node && seen.insert(node).second) to_see.push_back(node);
  };
  if (loss.defined()) see(loss.grad_fn().get());
  while (!to_see.empty()) {
    const Node* const node = to_see.back();
    to_see.pop_back();
    for (const torch::autograd::Edge& edge : node->next_edges()) see(edge.function.get());
  }
  return seen;
}

bool leads_to(const std::unordered_set<const Node*>& way, const at::Tensor& parameter) {
  const auto end = torch::autograd::impl::try_get_grad_accumulator(parameter);
  return end && way.contains(end.get());
}

}  // namespace

struct GradientSum::Reduced {
  Reduced(const std::vector<at::Tensor>& parameters, const Processes& processes)
      : reducer(std::make_shared<c10d::Reducer>(
            parameters, buckets_of(parameters), processes,
            /*expect_sparse_gradients=*/std::vector<bool>(parameters.size(), false),
            c10d::kDefaultBucketBytesCap,
            // Its own search would let the host wait for the device wherever it finds one.
            /*find_unused_parameters=*/false,
            /*gradient_as_bucket_view=*/false,
            /*param_names=*/std::unordered_map<size_t, std::string>(),
            c10d::kDefaultFirstBucketBytes,
            /*skip_all_reduce_unused_params=*/false,
            /*use_python_reducer=*/false, /*bucket_bytes_cap_list=*/std::vector<int64_t>())) {
    reducer->register_comm_hook(std::make_unique<Sum>(processes));
    // The Reducer collects in every backward the order in which gradients come until it has cut its
    // buckets by that. They are cut by the order of the parameters: sums do not depend on what the
    // first backward was.
    reducer->push_rebuilt_params_for_all_indices();
    reducer->rebuild_buckets();
    TORCH_INTERNAL_ASSERT(!reducer->should_rebuild_buckets());
  }

  static std::vector<std::vector<size_t>> buckets_of(const std::vector<at::Tensor>& parameters) {
    return std::get<0>(c10d::compute_bucket_assignment_by_size(
        parameters, {c10d::kDefaultFirstBucketBytes, c10d::kDefaultBucketBytesCap}));
  }

  std::shared_ptr<c10d::Reducer> reducer;
};

GradientSum::GradientSum(std::shared_ptr<TorchGroup> group,
                         const std::vector<at::Tensor>& parameters)
    : group_(std::move(group)), parameters_(parameters) {
  // Gradients come in the order of the backward.
  const std::vector<at::Tensor> last_first(parameters.rbegin(), parameters.rend());
  group_->exchange("gradients",
                   [&] { reduced_ = std::make_unique<Reduced>(last_first, group_->processes()); });
}

GradientSum::~GradientSum() = default;

std::vector<double> GradientSum::reached_from(const at::Tensor& loss) const {
  const std::unordered_set<const Node*> way = way_back_from(loss);
  std::vector<double> reached;
  for (const at::Tensor& parameter : parameters_) {
    reached.push_back(parameter.grad().defined() || leads_to(way, parameter) ? 1 : 0);
  }
  return reached;
}

void GradientSum::backward(const at::Tensor& loss, const std::vector<double>& reached) {
  const at::AutoGradMode with_grad(true);
  const std::unordered_set<const Node*> way = way_back_from(loss);
  variable_list others;
  for (const at::Tensor& parameter : parameters_) {
    if (!leads_to(way, parameter)) others.push_back(parameter);
  }
  at::Tensor all = loss;
  if (!others.empty()) {
    const at::Tensor untouched = Untouched::apply(at::TensorList(others));
    all = way.empty() ? untouched : loss + untouched;
  }
  reduced_->reducer->prepare_for_forward();
  reduced_->reducer->prepare_for_backward({});
  group_->exchange("gradients", [&all] { all.backward(); });
  for (size_t i = 0; i < parameters_.size(); ++i) {
    if (reached[i] == 0) parameters_[i].mutable_grad() = at::Tensor();
  }
}

}  // namespace flowqat::model
