/// The CTC loss and its gradient for a GPU (Graves et al., ICML 2006, sections 4.1 and 4.2), all
/// lengths on the device and every sum in a fixed order. FLOWQAT_KERNELS() makes of them a text for
/// the GPU's compiler, or functions of this one, so no directive may stand in them.
///
/// Arrays: log_probs (frame_stride, row_stride, 1) of all_frames x rows x classes; tokens the
/// targets one behind the other; log_alpha and log_both [rows][all_frames][all_states]; rolling
/// [rows][2][all_states]; where all_states = 2 (the longest target) + 1. State s of a target stands
/// for its token s / 2 where s is odd, else for the blank. `nothing` is the logarithm of 0.
#pragma once

// clang-format off
FLOWQAT_KERNELS(

__device__ float log_add(float a, float b) {
  const float high = a > b ? a : b;
  const float low = a > b ? b : a;
  if (low < -3.0e38f) return high;
  return high + log1pf(expf(low - high));
}

__device__ const long long* target_of(const long long* tokens, const long long* lengths, long long row) {
  long long first = 0;
  for (long long i = 0; i < row; ++i) first += lengths[i];
  return tokens + first;
}

extern "C" __global__ void ctc_forward(
    const float* log_probs, long long frame_stride, long long row_stride, const long long* tokens,
    const long long* frames, const long long* lengths, float* log_alpha, float* losses,
    long long all_frames, long long all_states, long long blank, float nothing) {
  const long long row = blockIdx.x;
  const long long count = frames[row];
  const long long states = 2 * lengths[row] + 1;
  const long long* const target = target_of(tokens, lengths, row);
  float* const alpha = log_alpha + row * all_frames * all_states;
  for (long long t = 0; t < count; ++t) {
    const float* const probs = log_probs + t * frame_stride + row * row_stride;
    float* const now = alpha + t * all_states;
    const float* const before = now - all_states;
    for (long long s = threadIdx.x; s < states; s += blockDim.x) {
      const bool is_token = s % 2 == 1;
      const long long label = is_token ? target[s / 2] : blank;
      float sum = s < 2 ? 0.0f : nothing;
      if (t > 0) {
        sum = before[s];
        if (s > 0) sum = log_add(sum, before[s - 1]);
        if (is_token && s > 1 && label != target[s / 2 - 1]) sum = log_add(sum, before[s - 2]);
      }
      now[s] = sum + probs[label];
    }
    __syncthreads();
  }
  if (threadIdx.x == 0) {
    float total = nothing;
    if (count > 0) {
      const float* const last = alpha + (count - 1) * all_states;
      total = last[states - 1];
      if (states > 1) total = log_add(total, last[states - 2]);
    } else if (states == 1) {
      total = 0.0f;
    }
    losses[row] = -total;
  }
}

extern "C" __global__ void ctc_backward(
    const float* log_probs, long long frame_stride, long long row_stride, const long long* tokens,
    const long long* frames, const long long* lengths, const float* log_alpha, float* rolling,
    float* log_both, long long all_frames, long long all_states, long long blank, float nothing) {
  const long long row = blockIdx.x;
  const long long count = frames[row];
  const long long states = 2 * lengths[row] + 1;
  const long long* const target = target_of(tokens, lengths, row);
  for (long long t = count - 1; t >= 0; --t) {
    const float* const probs = log_probs + t * frame_stride + row * row_stride;
    float* const now = rolling + (2 * row + t % 2) * all_states;
    const float* const behind = rolling + (2 * row + (t + 1) % 2) * all_states;
    const long long at = (row * all_frames + t) * all_states;
    for (long long s = threadIdx.x; s < states; s += blockDim.x) {
      const bool is_token = s % 2 == 1;
      const long long label = is_token ? target[s / 2] : blank;
      float sum = s + 2 >= states ? 0.0f : nothing;
      if (t + 1 < count) {
        sum = behind[s];
        if (s + 1 < states) sum = log_add(sum, behind[s + 1]);
        if (is_token && s + 2 < states && label != target[s / 2 + 1]) {
          sum = log_add(sum, behind[s + 2]);
        }
      }
      log_both[at + s] = log_alpha[at + s] + sum;
      now[s] = sum + probs[label];
    }
    __syncthreads();
  }
}

extern "C" __global__ void ctc_gradient(
    const float* gradient, long long gradient_stride, const float* log_probs, long long frame_stride,
    long long row_stride, const long long* tokens, const long long* frames, const long long* lengths,
    const float* losses, const float* log_both, float* out, long long rows, long long classes,
    long long all_frames, long long all_states, long long blank, float nothing, int zero_infinity) {
  const long long t = blockIdx.x;
  const long long row = blockIdx.y;
  const long long states = 2 * lengths[row] + 1;
  const long long* const target = target_of(tokens, lengths, row);
  const float* const probs = log_probs + t * frame_stride + row * row_stride;
  const float* const both = log_both + (row * all_frames + t) * all_states;
  const float loss = losses[row];
  const bool counts = t < frames[row] && !(zero_infinity != 0 && loss > 3.0e38f);
  for (long long c = threadIdx.x; c < classes; c += blockDim.x) {
    float value = 0.0f;
    if (counts) {
      float high = nothing;
      for (long long s = 0; s < states; ++s) {
        const bool is_its = s % 2 == 1 ? target[s / 2] == c : blank == c;
        if (is_its && both[s] > high) high = both[s];
      }
      float shares = 0.0f;
      for (long long s = 0; s < states; ++s) {
        const bool is_its = s % 2 == 1 ? target[s / 2] == c : blank == c;
        if (is_its && high > -3.0e38f) shares += expf(both[s] - high);
      }
      const float seen = high > -3.0e38f ? expf(high + loss) * shares : loss > 3.0e38f ? loss - loss : 0.0f;
      value = (expf(probs[c]) - seen) * gradient[row * gradient_stride];
    }
    out[(t * rows + row) * classes + c] = value;
  }
}

)
// clang-format on
