// TorchModel among other processes.
#include "model/torch/base/boundary.h"
#include "model/torch/distributed/torch_group.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/network/network_tensors.h"

namespace flowqat::model {

void TorchModel::take_from_first(Group& group) {
  at_boundary("taking rank 0's model", [&] {
    auto* const processes = dynamic_cast<TorchGroup*>(&group);
    if (!processes) return;  // one process alone
    const at::NoGradGuard no_grad;
    const std::vector<NamedTensor> tensors = network_tensors(*network_);
    std::string own;
    for (const NamedTensor& tensor : tensors) own += form_of(tensor) + "\n";
    const std::vector<std::string> all = group.gather(own);
    for (size_t rank = 1; rank < all.size(); ++rank) {
      if (all[rank] == all[0]) continue;
      throw Error("the model of rank " + std::to_string(rank) +
                  " has not the parameters and quantizers of rank 0's, so it cannot take their "
                  "values: all must load the same model");
    }
    for (const auto& [name, value] : tensors) {
      at::Tensor host = value.detach().cpu().contiguous();
      processes->from(0, "weights", host);
      value.copy_(host);
    }
  });
}

}  // namespace flowqat::model
