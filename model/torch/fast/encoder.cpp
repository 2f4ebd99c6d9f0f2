#include "model/torch/fast/encoder.h"

#include <utility>

#include "model/torch/int8/attention.h"
#include "model/torch/network/masks.h"
#include "model/torch/operators/activate.h"

namespace flowqat::model {
namespace {

bool same(const ActivationScale& a, const ActivationScale& b) {
  return a.scale == b.scale && a.zero_point == b.zero_point;
}

Normed apply_norm(const LayerNorm& norm, AddNorm x, bool want_sum, bool want_normed,
                  const ActivationScale* bytes) {
  x.weight = norm.weight;
  x.bias = norm.bias;
  x.epsilon = norm.epsilon();
  return add_norm(x, want_sum, want_normed, bytes);
}

AddNorm sum_of(const at::Tensor& x) {
  AddNorm sum;
  sum.x = x.contiguous();
  return sum;
}

AddNorm sum_of(const at::Tensor& residual, at::Tensor bytes, const ActivationScale& scale) {
  AddNorm sum;
  sum.x = residual;
  sum.bytes = std::move(bytes);
  sum.bytes_scale = scale;
  return sum;
}

/// A half's input on the grid of one of its layers.
at::Tensor bytes_for(const FastInt8& layer, const Normed& in) {
  return in.bytes.defined() ? in.bytes : quantize_bytes(in.normed, layer.input());
}

}  // namespace

FastEncoder::Layer FastEncoder::make_layer(const std::shared_ptr<EncoderLayer>& layer) {
  Layer made;
  made.layer = layer;
  const EncoderLayer::Parts parts = layer->parts();
  const Attention::Parts attention = parts.attention.parts();
  const auto q = attention.q.fast(), k = attention.k.fast(), v = attention.v.fast(),
             out = attention.out.fast();
  if (q && k && v && out) {
    made.attention = {q, k, v, out, {}, attention.heads};
    if (same(q->input(), k->input()) && same(q->input(), v->input())) {
      made.attention->input = q->input();
    }
  }
  const FeedForward::Parts feed_forward = parts.feed_forward.parts();
  const auto intermediate = feed_forward.intermediate.fast();
  const auto output = feed_forward.output.fast();
  if (intermediate && output) {
    made.feed_forward = {
        intermediate, output,
        activation_table(feed_forward.activation, intermediate->output(), output->input())};
  }
  return made;
}

FastEncoder::FastEncoder(const Encoder::Parts& encoder)
    : norm_first_(encoder.norm_first), positional_(encoder.positional), norm_(encoder.layer_norm) {
  const PositionalConv1dLayer& conv = positional_->conv();
  if (!conv.is_int8()) float_positional_.emplace(conv.float_weight(), conv.bias, conv.groups());
  for (const auto& layer : encoder.layers) layers_.push_back(make_layer(layer));
}

const LayerNorm& FastEncoder::norm_of(size_t half) const {
  const EncoderLayer::Parts layer = layers_[half / 2].layer->parts();
  return half % 2 == 0 ? layer.layer_norm : layer.final_layer_norm;
}

const ActivationScale* FastEncoder::input_of(size_t half) const {
  if (half >= 2 * layers_.size()) return nullptr;
  const Layer& layer = layers_[half / 2];
  if (half % 2 == 0) {
    return layer.attention && layer.attention->input ? &*layer.attention->input : nullptr;
  }
  return layer.feed_forward ? &layer.feed_forward->intermediate->input() : nullptr;
}

AddNorm FastEncoder::attend(const Layer& layer, const Normed& in, const at::Tensor& residual,
                            const at::Tensor& key_mask) const {
  if (!layer.attention) {
    return sum_of(residual + layer.layer->parts().attention.forward(in.normed, key_mask));
  }
  const FastAttention& a = *layer.attention;
  const AttentionBytes operands{.q = a.q->apply(bytes_for(*a.q, in)),
                                .k = a.k->apply(bytes_for(*a.k, in)),
                                .v = a.v->apply(bytes_for(*a.v, in)),
                                .q_scale = a.q->output(),
                                .k_scale = a.k->output(),
                                .v_scale = a.v->output()};
  const at::Tensor mixed = int8_attention(operands, a.heads, key_mask, &a.out->input());
  return sum_of(residual, a.out->apply(mixed), a.out->output());
}

AddNorm FastEncoder::feed_forward(const Layer& layer, const Normed& in,
                                  const at::Tensor& residual) const {
  if (!layer.feed_forward) {
    return sum_of(layer.layer->parts().feed_forward.forward(in.normed, residual));
  }
  const FastFeedForward& f = *layer.feed_forward;
  const at::Tensor inner = f.intermediate->apply(bytes_for(*f.intermediate, in), &f.activation);
  return sum_of(residual, f.output->apply(inner), f.output->output());
}

AddNorm FastEncoder::run_half(size_t half, const Normed& in, const at::Tensor& residual,
                              const at::Tensor& key_mask) const {
  const Layer& layer = layers_[half / 2];
  return half % 2 == 0 ? attend(layer, in, residual, key_mask) : feed_forward(layer, in, residual);
}

at::Tensor FastEncoder::run_norm_last(const AddNorm& x, const at::Tensor& key_mask) const {
  Normed in = apply_norm(*norm_, x, false, true, input_of(0));
  for (size_t half = 0; half < 2 * layers_.size(); ++half) {
    in = apply_norm(norm_of(half), run_half(half, in, in.normed, key_mask), false, true,
                    input_of(half + 1));
  }
  return in.normed;
}

at::Tensor FastEncoder::run_norm_first(AddNorm x, const at::Tensor& key_mask) const {
  for (size_t half = 0; half < 2 * layers_.size(); ++half) {
    const ActivationScale* const bytes = input_of(half);
    const bool want_sum = x.bytes.defined();
    const Normed in = apply_norm(norm_of(half), x, want_sum, bytes == nullptr, bytes);
    x = run_half(half, in, want_sum ? in.sum : x.x, key_mask);
  }
  return apply_norm(*norm_, x, false, true, nullptr).normed;
}

at::Tensor FastEncoder::run(const at::Tensor& x, const at::Tensor& frame_mask) const {
  const auto [speech, key_mask] = hide_padding(x, frame_mask);
  const at::Tensor y = speech + (float_positional_ ? activate(positional_->activation(),
                                                              float_positional_->run(speech))
                                                   : positional_->forward(speech));
  return norm_first_ ? run_norm_first(sum_of(y), key_mask) : run_norm_last(sum_of(y), key_mask);
}

}  // namespace flowqat::model
