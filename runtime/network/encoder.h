/// The transformer: attention and feed-forward over all frames, layer by layer.
#pragma once
#include <string>
#include <vector>

#include "model/config.h"
#include "runtime/layers/attention.h"
#include "runtime/layers/norm.h"
#include "runtime/network/positional_conv.h"
#include "runtime/network/weights.h"

namespace flowqat::runtime {

/// Of frames of one or more rows of the same length.
struct FrameRows {
  int64_t rows, frames;
  /// null, or [rows, frames], not 0 for speech: the other frames are zeroed before the positional
  /// convolution and never attended to.
  const uint8_t* speech;
  int64_t all() const { return rows * frames; }
};

/// Between int8 layers activations stay in bytes, norms write what their readers take, and the
/// residual sums are float32.
class Encoder {
 public:
  /// Packs the blocks on all threads.
  Encoder(const Kernels& kernels, const Threads& threads, const model::Config& config,
          Weights& weights);

  /// x: [rows, frames, hidden], which is overwritten -> what `wanted` says, from the context's
  /// memory.
  Values run(Context& context, float* x, const FrameRows& shape, const Wanted& wanted) const;

 private:
  struct Block {
    Layer q, k, v, out, intermediate, output;
    LayerNorm norm, final_norm;
  };
  /// What a norm wrote for the half behind it.
  struct Normed {
    float* floats = nullptr;
    uint8_t* bytes = nullptr;  ///< as `shared` wants
  };
  static Block block_of(const Kernels& kernels, const model::Config& config, Weights& weights,
                        const std::string& name);
  void link(Block& block, const model::Config& config) const;

  // A block's two halves are counted through: attention is even, feed-forward odd.
  const LayerNorm& norm_of(size_t half) const;
  /// What all layers read that a half begins with; no grid where they differ or read floats.
  Wanted shared_input(size_t half) const;
  bool reads_floats(size_t half) const;
  Values input_of(Context& context, const Layer& layer, const Normed& in, size_t half,
                  int64_t frames) const;
  Summands run_half(Context& context, size_t half, const Normed& in, const FrameRows& shape,
                    const Values& y) const;
  Summands attend_half(Context& context, size_t half, const Normed& in, const FrameRows& shape,
                       const Values& y) const;
  Summands feed_forward(Context& context, size_t half, const Normed& in, const FrameRows& shape,
                        const Values& y) const;

  bool norm_first_;
  int64_t hidden_, heads_;
  PositionalConv positional_;
  LayerNorm norm_;
  std::vector<Block> blocks_;
};

}  // namespace flowqat::runtime
