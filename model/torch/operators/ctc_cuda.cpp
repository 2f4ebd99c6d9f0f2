#include "model/torch/operators/ctc_cuda.h"

#include <ATen/ops/_ctc_loss.h>
#include <ATen/ops/_ctc_loss_backward.h>
#include <ATen/ops/allclose.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linspace.h>
#include <ATen/ops/log_softmax.h>
#include <ATen/ops/ones_like.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <memory>
#include <mutex>
#include <optional>

#include "model/torch/operators/gpu_kernels.h"

#define FLOWQAT_KERNELS(...) constexpr const char* kSource = #__VA_ARGS__;
namespace flowqat::model {
namespace {
#include "model/torch/operators/ctc_kernels.h"
}
}  // namespace flowqat::model

namespace flowqat::model {
namespace {

using MaybeTensor = std::optional<at::Tensor>;
constexpr unsigned kThreads = 256;
constexpr float kNothing = -std::numeric_limits<float>::infinity();

struct Gpu {
  std::unique_ptr<GpuKernels> kernels;  ///< null: LibTorch's are used
  std::string why;
};

int64_t states_of(at::IntArrayRef lengths) {
  return lengths.empty() ? 1 : 2 * *std::ranges::max_element(lengths) + 1;
}

/// With what lies behind one another at their last axis.
at::Tensor side_by_side(const at::Tensor& log_probs) {
  return log_probs.stride(2) == 1 ? log_probs : log_probs.contiguous();
}

template <class... Values>
std::vector<void*> pointers(Values&... values) {
  return {const_cast<void*>(static_cast<const void*>(&values))...};
}

template <class Number>
Number* data(const at::Tensor& tensor) {
  return static_cast<Number*>(const_cast<void*>(tensor.const_data_ptr()));
}

std::tuple<at::Tensor, at::Tensor> forward(const GpuKernels& kernels, const at::Tensor& log_probs,
                                           const at::Tensor& tokens, const at::Tensor& frames,
                                           const at::Tensor& lengths, int64_t states,
                                           int64_t blank) {
  const at::Tensor probs = side_by_side(log_probs);
  int64_t all_frames = probs.size(0), rows = probs.size(1);
  at::Tensor losses = at::empty({rows}, probs.options());
  at::Tensor log_alpha = at::empty({rows, all_frames, states}, probs.options());
  auto* const p = data<float>(probs);
  auto* const t = data<int64_t>(tokens);
  auto* const f = data<int64_t>(frames);
  auto* const l = data<int64_t>(lengths);
  auto* const alpha = data<float>(log_alpha);
  auto* const loss = data<float>(losses);
  const int64_t frame_stride = probs.stride(0), row_stride = probs.stride(1);
  const float nothing = kNothing;
  kernels.launch("ctc_forward", {static_cast<unsigned>(rows), 1}, kThreads,
                 pointers(p, frame_stride, row_stride, t, f, l, alpha, loss, all_frames, states,
                          blank, nothing));
  return {losses, log_alpha};
}

at::Tensor backward(const GpuKernels& kernels, const at::Tensor& gradient,
                    const at::Tensor& log_probs, const at::Tensor& tokens, const at::Tensor& frames,
                    const at::Tensor& lengths, const at::Tensor& losses,
                    const at::Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  const at::Tensor probs = side_by_side(log_probs);
  const int64_t all_frames = probs.size(0), rows = probs.size(1), classes = probs.size(2),
                states = log_alpha.size(2);
  at::Tensor rolling = at::empty({rows, 2, states}, probs.options());
  at::Tensor log_both = at::empty({rows, all_frames, states}, probs.options());
  at::Tensor result = at::empty({all_frames, rows, classes}, probs.options());
  auto* const g = data<float>(gradient);
  auto* const p = data<float>(probs);
  auto* const t = data<int64_t>(tokens);
  auto* const f = data<int64_t>(frames);
  auto* const l = data<int64_t>(lengths);
  auto* const alpha = data<float>(log_alpha);
  auto* const loss = data<float>(losses);
  auto* const roll = data<float>(rolling);
  auto* const both = data<float>(log_both);
  auto* const out = data<float>(result);
  const int64_t frame_stride = probs.stride(0), row_stride = probs.stride(1),
                gradient_stride = gradient.stride(0);
  const float nothing = kNothing;
  const int zero = zero_infinity ? 1 : 0;
  kernels.launch("ctc_backward", {static_cast<unsigned>(rows), 1}, kThreads,
                 pointers(p, frame_stride, row_stride, t, f, l, alpha, roll, both, all_frames,
                          states, blank, nothing));
  kernels.launch("ctc_gradient", {static_cast<unsigned>(all_frames), static_cast<unsigned>(rows)},
                 std::min<unsigned>(kThreads, static_cast<unsigned>((classes + 31) / 32 * 32)),
                 pointers(g, gradient_stride, p, frame_stride, row_stride, t, f, l, loss, both, out,
                          rows, classes, all_frames, states, blank, nothing, zero));
  return result;
}

/// Against LibTorch's: targets that repeat, an empty one, and one that does not fit.
std::string differs(const GpuKernels& kernels, const at::Device& device) {
  const std::vector<int64_t> frames = {9, 7, 8, 2}, lengths = {4, 3, 0, 3};
  const at::Tensor scores =
      3 * at::linspace(-40, 40, 4 * 9 * 6, at::TensorOptions(device).dtype(at::kFloat)).sin();
  const at::Tensor log_probs = at::log_softmax(scores.view({4, 9, 6}), /*dim=*/-1).transpose(0, 1);
  const at::Tensor tokens = at::tensor({1, 1, 2, 5, 3, 4, 3, 2, 2, 2}, at::kLong).to(device);
  const at::Tensor there = at::tensor(frames, at::kLong).to(device),
                   lengths_there = at::tensor(lengths, at::kLong).to(device);
  const auto [own, alpha] =
      forward(kernels, log_probs, tokens, there, lengths_there, states_of(lengths), 0);
  const auto [libtorchs, its_alpha] = at::_ctc_loss(log_probs, tokens, frames, lengths, 0, true);
  const at::Tensor ones = at::ones_like(own);
  const at::Tensor gradient = backward(kernels, ones, log_probs, tokens, there, lengths_there, own,
                                       alpha, 0, /*zero_infinity=*/true);
  const at::Tensor its_gradient = at::_ctc_loss_backward(ones, log_probs, tokens, frames, lengths,
                                                         libtorchs, its_alpha, 0, true);
  const bool same = at::allclose(own.cpu(), libtorchs.cpu(), 1e-4, 1e-4) &&
                    at::allclose(gradient.cpu(), its_gradient.cpu(), 1e-3, 1e-4);
  return same ? "" : "the CTC kernels give other numbers than LibTorch's";
}

const Gpu& gpu(const at::Device& device) {
  static std::mutex lock;
  static std::map<int, Gpu> gpus;
  const std::lock_guard guard(lock);
  const auto [place, is_new] = gpus.try_emplace(device.index());
  if (!is_new) return place->second;
  const at::NoGradGuard no_grad;
  try {
    auto kernels = std::make_unique<GpuKernels>(
        kSource, device, std::vector<std::string>{"ctc_forward", "ctc_backward", "ctc_gradient"});
    place->second.why = differs(*kernels, device);
    if (place->second.why.empty()) place->second.kernels = std::move(kernels);
  } catch (const std::exception& error) {
    place->second.why = error.what();
  }
  return place->second;
}

}  // namespace

std::string ctc_kernel_source() { return kSource; }

std::tuple<at::Tensor, at::Tensor> ctc_loss_cuda(const at::Tensor& log_probs,
                                                 const at::Tensor& tokens,
                                                 const MaybeTensor& frames_there,
                                                 const MaybeTensor& lengths_there,
                                                 at::IntArrayRef frames, at::IntArrayRef lengths,
                                                 int64_t blank, bool zero_infinity) {
  const Gpu& its = gpu(log_probs.device());
  if (!its.kernels || !frames_there || !lengths_there || log_probs.numel() == 0) {
    return at::_ctc_loss(log_probs, tokens, frames, lengths, blank, zero_infinity);
  }
  return forward(*its.kernels, log_probs, tokens, *frames_there, *lengths_there, states_of(lengths),
                 blank);
}

at::Tensor ctc_loss_backward_cuda(const at::Tensor& gradient, const at::Tensor& log_probs,
                                  const at::Tensor& tokens, const MaybeTensor& frames_there,
                                  const MaybeTensor& lengths_there, at::IntArrayRef frames,
                                  at::IntArrayRef lengths, const at::Tensor& losses,
                                  const at::Tensor& log_alpha, int64_t blank, bool zero_infinity) {
  const Gpu& its = gpu(log_probs.device());
  if (!its.kernels || !frames_there || !lengths_there || log_probs.numel() == 0) {
    return at::_ctc_loss_backward(gradient, log_probs, tokens, frames, lengths, losses, log_alpha,
                                  blank, zero_infinity);
  }
  return backward(*its.kernels, gradient, log_probs, tokens, *frames_there, *lengths_there, losses,
                  log_alpha, blank, zero_infinity);
}

std::string why_ctc_waits(const at::Device& device) {
  return device.is_cuda() ? gpu(device).why : "";
}

}  // namespace flowqat::model
