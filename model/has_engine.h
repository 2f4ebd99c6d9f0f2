#pragma once

namespace flowqat::model {

/// False in a build without LibTorch (cmake/Torch.cmake), where engine() always throws.
bool has_engine();

}  // namespace flowqat::model
