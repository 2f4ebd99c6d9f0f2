/// The parts of the model room that stand in shared libraries of their own, beside the program.
#pragma once
#include <string>

namespace flowqat::model {

/// Opens lib`name`.so, its symbols kept to itself, and returns its function `symbol`. `purpose` is
/// what messages call the library. Throws Error when it is missing, lacks a library that it needs,
/// or is not of this program; and always in a build without LibTorch (cmake/Torch.cmake).
void* open_library(const std::string& name, const char* symbol, const std::string& purpose,
                   const std::string& needs);

}  // namespace flowqat::model
