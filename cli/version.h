#pragma once
#include <string>

namespace flowqat::cli {

/// What --version prints: the program's own version, those of the libraries that it computes with,
/// and how far the processor's instructions go. Opens no LibTorch.
std::string version_text();

}  // namespace flowqat::cli
