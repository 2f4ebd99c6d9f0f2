/// What else than a model's own names the tensors of a weights file may have.
#pragma once
#include <string>
#include <vector>

#include "model/tensor.h"

namespace flowqat::model {

/// The tensors under the names that the model gives them: without "_orig_mod.", which
/// torch.compile() puts before a compiled module's, and without a prefix that all share, such as
/// DataParallel's "module.". Adds a sentence to `notes` where anything was taken off. Throws Error
/// for the tensors of an adapter (LoRA), which are no model's without those that it adapts.
Tensors with_own_names(Tensors tensors, std::vector<std::string>& notes);

}  // namespace flowqat::model
