#include "runtime/network/encoder.h"

#include <algorithm>
#include <optional>
#include <utility>

namespace flowqat::runtime {
namespace {

LayerNorm norm_named(Weights& weights, const std::string& name, int64_t channels, double epsilon) {
  std::vector<float> weight = weights.floats(name + ".weight", {channels});
  std::vector<float> bias = weights.floats(name + ".bias", {channels});
  return {std::move(weight), std::move(bias), static_cast<float>(epsilon)};
}

/// Bytes on the layer's own grid where it is int8, floats where it is not.
Wanted plain_output(const Layer& layer) {
  if (!layer.is_int8()) return {};
  return {layer.output_grid(), nullptr};
}

Summands summands_of(const Layer& layer, const Values& y) {
  Summands summands{.floats = y.floats, .bytes = y.bytes, .grid = {}};
  if (y.bytes) summands.grid = layer.output_grid();
  return summands;
}

}  // namespace

Encoder::Block Encoder::block_of(const Kernels& kernels, const model::Config& config,
                                 Weights& weights, const std::string& name) {
  const int64_t hidden = config.hidden_size, inner = config.intermediate_size;
  const auto linear = [&](const std::string& layer, int64_t out, int64_t in) {
    return Layer(kernels, weights.layer(name + "." + layer, {.out = out, .in = in}));
  };
  return {
      .q = linear("attention.q_proj", hidden, hidden),
      .k = linear("attention.k_proj", hidden, hidden),
      .v = linear("attention.v_proj", hidden, hidden),
      .out = linear("attention.out_proj", hidden, hidden),
      .intermediate = linear("feed_forward.intermediate_dense", inner, hidden),
      .output = linear("feed_forward.output_dense", hidden, inner),
      .norm = norm_named(weights, name + ".layer_norm", hidden, config.layer_norm_eps),
      .final_norm = norm_named(weights, name + ".final_layer_norm", hidden, config.layer_norm_eps)};
}

void Encoder::link(Block& block, const model::Config& config) const {
  // Scores are integers only where all three are.
  const bool bytes = block.q.is_int8() && block.k.is_int8() && block.v.is_int8();
  for (Layer* const layer : {&block.q, &block.k, &block.v}) {
    layer->set_output({}, bytes ? plain_output(*layer) : Wanted{});
  }
  block.out.set_output({}, plain_output(block.out));
  block.intermediate.set_output(config.hidden_act, block.output.wanted());
  block.output.set_output({}, plain_output(block.output));
}

Encoder::Encoder(const Kernels& kernels, const Threads& threads, const model::Config& config,
                 Weights& weights)
    : norm_first_(config.do_stable_layer_norm),
      hidden_(config.hidden_size),
      heads_(config.num_attention_heads),
      positional_(kernels, config, weights),
      norm_(norm_named(weights, "wav2vec2.encoder.layer_norm", hidden_, config.layer_norm_eps)) {
  std::vector<std::optional<Block>> packed(static_cast<size_t>(config.num_hidden_layers));
  threads.run(config.num_hidden_layers, [&](int64_t i, int) {
    packed[static_cast<size_t>(i)].emplace(
        block_of(kernels, config, weights, "wav2vec2.encoder.layers." + std::to_string(i)));
  });
  for (std::optional<Block>& block : packed) {
    blocks_.push_back(std::move(*block));
    link(blocks_.back(), config);
  }
}

const LayerNorm& Encoder::norm_of(size_t half) const {
  const Block& block = blocks_[half / 2];
  return half % 2 == 0 ? block.norm : block.final_norm;
}

Wanted Encoder::shared_input(size_t half) const {
  if (half >= 2 * blocks_.size()) return {};
  const Block& block = blocks_[half / 2];
  if (half % 2 == 1) return block.intermediate.wanted();
  const Wanted& wanted = block.q.wanted();
  return block.k.wanted() == wanted && block.v.wanted() == wanted ? wanted : Wanted{};
}

bool Encoder::reads_floats(size_t half) const { return !shared_input(half).grid; }

Values Encoder::input_of(Context& context, const Layer& layer, const Normed& in, size_t half,
                         int64_t frames) const {
  if (!layer.is_int8()) return {in.floats, nullptr};
  if (shared_input(half).grid) return {nullptr, in.bytes};
  const Values made = take_values(context.memory, layer.wanted(), frames * hidden_);
  to_wanted(context, in.floats, frames, hidden_, layer.wanted(), made);
  return made;
}

Summands Encoder::attend_half(Context& context, size_t half, const Normed& in,
                              const FrameRows& shape, const Values& y) const {
  const Block& block = blocks_[half / 2];
  const int64_t frames = shape.all();
  const Scope scope(context.memory);
  const bool bytes = block.q.is_int8() && block.k.is_int8() && block.v.is_int8();
  const auto heads_of = [&](const Layer& layer) {
    Heads heads{};
    heads.values = bytes ? Values{nullptr, context.memory.take<uint8_t>(frames * hidden_)}
                         : Values{context.memory.take<float>(frames * hidden_), nullptr};
    if (bytes) heads.grid = layer.output_grid();
    const Values x = input_of(context, layer, in, half, frames);
    const Timed timed(context.clock, "attention's linears");
    layer.run(context, x, frames, hidden_, heads.values, hidden_);
    return heads;
  };
  const Heads q = heads_of(block.q), k = heads_of(block.k), v = heads_of(block.v);
  const Values mixed = take_values(context.memory, block.out.wanted(), frames * hidden_);
  {
    const Timed timed(context.clock, "attention's mixing");
    attend(context, {shape.rows, shape.frames, heads_, hidden_ / heads_, shape.speech}, q, k, v,
           block.out.wanted(), mixed);
  }
  const Timed timed(context.clock, "attention's linears");
  block.out.run(context, mixed, frames, hidden_, y, hidden_);
  return summands_of(block.out, y);
}

Summands Encoder::feed_forward(Context& context, size_t half, const Normed& in,
                               const FrameRows& shape, const Values& y) const {
  const Block& block = blocks_[half / 2];
  const int64_t frames = shape.all(), inner = block.intermediate.out();
  const Scope scope(context.memory);
  const Values hidden = take_values(context.memory, block.output.wanted(), frames * inner);
  const Values x = input_of(context, block.intermediate, in, half, frames);
  const Timed timed(context.clock, "feed-forward's linears");
  block.intermediate.run(context, x, frames, hidden_, hidden, inner);
  block.output.run(context, hidden, frames, inner, y, hidden_);
  return summands_of(block.output, y);
}

Summands Encoder::run_half(Context& context, size_t half, const Normed& in, const FrameRows& shape,
                           const Values& y) const {
  const Block& block = blocks_[half / 2];
  const Layer& last = half % 2 == 0 ? block.out : block.output;
  const Values to{last.is_int8() ? nullptr : y.floats, last.is_int8() ? y.bytes : nullptr};
  return half % 2 == 0 ? attend_half(context, half, in, shape, to)
                       : feed_forward(context, half, in, shape, to);
}

Values Encoder::run(Context& context, float* x, const FrameRows& shape,
                    const Wanted& wanted) const {
  const int64_t frames = shape.all(), count = frames * hidden_;
  for (int64_t frame = 0; shape.speech && frame < frames; ++frame) {
    if (shape.speech[frame] == 0) std::fill_n(x + frame * hidden_, hidden_, 0.0f);
  }
  auto* const residual = context.memory.take<float>(count);
  for (int64_t row = 0; row < shape.rows; ++row) {
    const int64_t at = row * shape.frames * hidden_;
    positional_.add(context, x + at, shape.frames, residual + at);
  }
  // What a half adds, whichever it is; and what norms write for the half behind them.
  const Values added{x, context.memory.take<uint8_t>(count)};
  Normed normed{context.memory.take<float>(count), context.memory.take<uint8_t>(count)};
  const size_t halves = 2 * blocks_.size();

  const auto write_norm = [&](const LayerNorm& norm, const Summands& summands, float* sum,
                              float* floats, const Wanted& bytes) {
    NormOutput y{.sum = sum,
                 .normed = floats,
                 .bytes = bytes.grid ? normed.bytes : nullptr,
                 .grid = {},
                 .factor = bytes.factors()};
    if (bytes.grid) y.grid = *bytes.grid;
    const Timed timed(context.clock, "norms and sums");
    add_norm(context, norm, summands, frames, y);
  };
  const auto with_residual = [&](const Summands& added_values) {
    Summands summands = added_values;
    if (!summands.floats) {
      summands.floats = residual;
    } else {  // floats to floats: the pass sums floats and bytes
      for (int64_t i = 0; i < count; ++i) residual[i] += summands.floats[i];
      summands.floats = residual;
    }
    return summands;
  };

  Summands sum{.floats = residual, .bytes = nullptr, .grid = {}};
  if (norm_first_) {
    for (size_t half = 0; half < halves; ++half) {
      write_norm(norm_of(half), sum, sum.bytes ? residual : nullptr,
                 reads_floats(half) ? normed.floats : nullptr, shared_input(half));
      sum = with_residual(run_half(context, half, normed, shape, added));
    }
    write_norm(norm_, sum, nullptr, wanted.grid ? nullptr : normed.floats, wanted);
  } else {
    // The norm's own output is the next residual.
    write_norm(norm_, sum, nullptr, residual, shared_input(0));
    for (size_t half = 0; half < halves; ++half) {
      normed.floats = residual;
      sum = with_residual(run_half(context, half, normed, shape, added));
      write_norm(norm_of(half), sum, nullptr, residual,
                 half + 1 < halves ? shared_input(half + 1) : wanted);
    }
    normed.floats = residual;
  }
  return wanted.grid ? Values{nullptr, normed.bytes} : Values{normed.floats, nullptr};
}

}  // namespace flowqat::runtime
