#include "tests/test_device/synchronizes.h"

#include <ATen/core/Tensor.h>

#include <set>

namespace flowqat::test_device {
namespace {

/// As read in LibTorch's sources: each calls item(), copies to the host, or copies pageable memory.
const std::set<std::string> kWaiting = {
    "aten::nonzero",
    "aten::nonzero.out",
    "aten::masked_select",
    "aten::masked_select.out",
    "aten::equal",
    "aten::is_nonzero",
    "aten::_unique2",
    "aten::unique_dim",
    "aten::repeat_interleave.Tensor",
    "aten::multinomial",
    "aten::bincount",
    "aten::histc",
    "aten::linalg_eigh",
    "aten::_ctc_loss",  // brings its lengths and offsets
    "aten::_ctc_loss.Tensor",
    "aten::_ctc_loss_backward",
    "aten::_ctc_loss_backward.Tensor",
    "aten::ctc_loss.Tensor",
};

bool has_bool_index(const c10::IValue& indices) {
  for (const std::optional<at::Tensor>& index : indices.toOptionalTensorVector()) {
    if (index && index->defined() && index->scalar_type() == at::kBool) return true;
  }
  return false;
}

}  // namespace

bool waits_on_cuda(const std::string& name, c10::ArrayRef<c10::IValue> arguments) {
  if (kWaiting.contains(name)) return true;
  if (name == "aten::index.Tensor" || name.starts_with("aten::_index_put_impl_")) {
    return arguments[1].isOptionalTensorList() && has_bool_index(arguments[1]);
  }
  if (name == "aten::fake_quantize_per_channel_affine_cachemask") {
    // Integer zero points are fetched to see that they lie within the grid.
    return !arguments[2].toTensor().is_floating_point();
  }
  if (name == "aten::_fused_moving_avg_obs_fq_helper") {
    return arguments[arguments.size() - 2].toBool();  // per_row_fake_quant reads its switch
  }
  return false;
}

}  // namespace flowqat::test_device
