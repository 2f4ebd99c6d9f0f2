#pragma once
#include <filesystem>
#include <string>

namespace flowqat::cli {

/// Throws GraphError unless a model made of `model`, a folder, may be written to `out`: where
/// nothing is, or, with `overwrite`, over another model's folder. Only what looks like one is ever
/// replaced, and never the one that is read.
void check_model_output(const std::filesystem::path& model, const std::string& out, bool overwrite);

}  // namespace flowqat::cli
