#include "model/torch/operators/ctc.h"

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/ops/_ctc_loss.h>
#include <ATen/ops/_ctc_loss_backward.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <optional>
#include <tuple>

#include "model/torch/operators/ctc_cuda.h"

namespace flowqat::model {
namespace {

using MaybeTensor = std::optional<at::Tensor>;

std::tuple<at::Tensor, at::Tensor> forward_of_libtorch(
    const at::Tensor& log_probs, const at::Tensor& tokens, const MaybeTensor& /*frames_there*/,
    const MaybeTensor& /*lengths_there*/, at::IntArrayRef frames, at::IntArrayRef lengths,
    int64_t blank, bool zero_infinity) {
  return at::_ctc_loss(log_probs, tokens, frames, lengths, blank, zero_infinity);
}

at::Tensor backward_of_libtorch(const at::Tensor& gradient, const at::Tensor& log_probs,
                                const at::Tensor& tokens, const MaybeTensor& /*frames_there*/,
                                const MaybeTensor& /*lengths_there*/, at::IntArrayRef frames,
                                at::IntArrayRef lengths, const at::Tensor& losses,
                                const at::Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  return at::_ctc_loss_backward(gradient, log_probs, tokens, frames, lengths, losses, log_alpha,
                                blank, zero_infinity);
}

template <class Function>
c10::TypedOperatorHandle<Function> operator_of(const char* name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Function>();
}

class Ctc : public torch::autograd::Function<Ctc> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& log_probs,
                            const at::Tensor& tokens, const MaybeTensor& frames_there,
                            const MaybeTensor& lengths_there, const CtcRows& rows, int64_t blank,
                            bool zero_infinity) {
    static const auto run = operator_of<decltype(forward_of_libtorch)>("flowqat::ctc_loss");
    const auto [losses, log_alpha] = run.call(log_probs, tokens, frames_there, lengths_there,
                                              rows.frames, rows.lengths, blank, zero_infinity);
    context->save_for_backward({log_probs, tokens, frames_there.value_or(at::Tensor()),
                                lengths_there.value_or(at::Tensor()), losses, log_alpha});
    context->saved_data["frames"] = rows.frames;
    context->saved_data["lengths"] = rows.lengths;
    context->saved_data["blank"] = blank;
    context->saved_data["zero_infinity"] = zero_infinity;
    return losses;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    static const auto run =
        operator_of<decltype(backward_of_libtorch)>("flowqat::ctc_loss_backward");
    const auto saved = context->get_saved_variables();
    const auto maybe = [](const at::Tensor& value) {
      return value.defined() ? MaybeTensor(value) : std::nullopt;
    };
    auto& data = context->saved_data;
    const at::Tensor gradient =
        run.call(gradients[0], saved[0], saved[1], maybe(saved[2]), maybe(saved[3]),
                 data["frames"].toIntVector(), data["lengths"].toIntVector(), saved[4], saved[5],
                 data["blank"].toInt(), data["zero_infinity"].toBool());
    return {gradient, {}, {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor ctc_losses(const at::Tensor& log_probs, const CtcRows& rows, int64_t blank,
                      bool zero_infinity) {
  const auto maybe = [](const at::Tensor& value) {
    return value.defined() ? MaybeTensor(value) : std::nullopt;
  };
  return Ctc::apply(log_probs, rows.tokens, maybe(rows.frames_there), maybe(rows.lengths_there),
                    rows, blank, zero_infinity);
}

TORCH_LIBRARY(flowqat, m) {
  m.def(
      "ctc_loss(Tensor log_probs, Tensor tokens, Tensor? frames_there, Tensor? lengths_there, "
      "int[] frames, int[] lengths, int blank, bool zero_infinity) -> (Tensor, Tensor)");
  m.def(
      "ctc_loss_backward(Tensor gradient, Tensor log_probs, Tensor tokens, Tensor? frames_there, "
      "Tensor? lengths_there, int[] frames, int[] lengths, Tensor losses, Tensor log_alpha, "
      "int blank, bool zero_infinity) -> Tensor");
}

TORCH_LIBRARY_IMPL(flowqat, CPU, m) {
  m.impl("ctc_loss", &forward_of_libtorch);
  m.impl("ctc_loss_backward", &backward_of_libtorch);
}

TORCH_LIBRARY_IMPL(flowqat, CUDA, m) {
  m.impl("ctc_loss", &ctc_loss_cuda);
  m.impl("ctc_loss_backward", &ctc_loss_backward_cuda);
}

}  // namespace flowqat::model
