/// An int8 wav2vec2 without LibTorch: what ships to those who only recognise.
#pragma once
#include <functional>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <span>

#include "base/simd/target.h"
#include "model/model.h"
#include "runtime/compute/part_clock.h"

namespace flowqat::runtime {

struct Options {
  int threads = 0;  ///< the caller's among them; 0: all cores this process may use
  std::optional<Target> target = {};  ///< none: best_right_target()
  /// Is told of the bytes of tensors that were read and will not be read again, from any thread:
  /// whoever mapped a file may give its pages back.
  std::function<void(std::span<const std::byte>)> bytes_read = {};
  PartClock* clock = nullptr;  ///< is told where the time goes, if only one thread infers
};

/// From an int8 model's state dict and quantization.json, as model::Engine::load() takes them, with
/// the same numbers. The weights are packed for the target; nothing of the arguments is kept.
///
/// A layer's output is within one step of its grid from what the engine computes that the layer was
/// quantized for, and nearly always equal. Logits are the same, bit for bit, at any number of
/// threads and on every target: integer sums are exact, and sums of floats are made in one order.
/// (Activation functions other than GELU and ReLU are the C library's.)
///
/// infer() may be called by several threads at once. Once a length was inferred, inferring it again
/// allocates nothing but the logits.
///
/// Throws model::Error: for a target that does not run here, or tensors that do not fit, of which
/// it lists each.
std::unique_ptr<model::AcousticModel> load(const model::Config& config,
                                           const model::Tensors& tensors,
                                           const nlohmann::json& quantization,
                                           const Options& options = {});

}  // namespace flowqat::runtime
