#include "io/audio/flac/residual.h"

#include <algorithm>
#include <type_traits>
#include <utility>

#include "base/simd/target.h"

namespace flowqat::io {
namespace {

/// From here on orders share one loop: encoders rarely go beyond 12.
constexpr int first_general_order = 13;

/// The value of a Rice code with the parameter `k` (section 9.2.7.1): zigzag, 0 -1 1 -2 2 ...
[[gnu::always_inline]] inline int32_t folded(uint32_t code) {
  return static_cast<int32_t>(code >> 1) ^ -static_cast<int32_t>(code & 1);
}

/// One code; two of them mostly fit what one fill() brings.
[[gnu::always_inline]] inline int32_t take_residual(FlacBits& bits, int k) {
  const int zeros = bits.zero_run();
  if (zeros + 1 + k > bits.filled()) [[unlikely]] {
    const uint32_t quotient = bits.take_unary();
    if (bits.ran_out()) return 0;
    return folded(quotient << k | static_cast<uint32_t>(bits.take(k)));
  }
  bits.drop(zeros + 1);
  return folded(static_cast<uint32_t>(zeros) << k | static_cast<uint32_t>(bits.take_filled(k)));
}

/// Sums wrap around: the encoder promises that they do not, a damaged file promises nothing. The
/// previous sample comes last, because all the others are there before it is.
template <class Sum, int order, class Sample>
[[gnu::always_inline]] inline Sample predicted(const Sample* out, const FlacPredictor& p) {
  using Wrapping = std::make_unsigned_t<Sum>;
  Wrapping sum = 0;
  const int count = order < first_general_order ? order : p.order;
#pragma GCC unroll 12
  for (int i = count - 1; i >= 0; --i) {
    sum += static_cast<Wrapping>(static_cast<Sum>(p.coefficients[static_cast<size_t>(i)])) *
           static_cast<Wrapping>(static_cast<Sum>(out[-1 - i]));
  }
  return static_cast<Sample>(static_cast<Sum>(sum) >> p.shift);
}

template <class Sample>
[[gnu::always_inline]] inline Sample wrapped_sum(int32_t a, Sample b) {
  using Wrapping = std::make_unsigned_t<Sample>;
  return static_cast<Sample>(static_cast<Wrapping>(static_cast<Sample>(a)) +
                             static_cast<Wrapping>(b));
}

/// Reading and predicting in one loop: the processor overlaps the two chains of dependent work.
template <class Sum, int order, class Sample>
[[gnu::always_inline]] inline void restore_rice(FlacBits& stream, int k, const FlacPredictor& given,
                                                Sample* out, Sample* end) {
  FlacBits bits = stream;  // copies, which stay in registers
  const FlacPredictor p = given;
  const auto next = [&] {
    *out = wrapped_sum(take_residual(bits, k), predicted<Sum, order>(out, p));
    ++out;
  };
  while (end - out >= 2) {
    bits.fill();
    next();
    next();
  }
  if (out < end) {
    bits.fill();
    next();
  }
  stream = bits;
}

template <class Sample>
using RestoreRice = void (*)(FlacBits&, int k, const FlacPredictor&, Sample* out, Sample* end);

template <class Sum, int order, class Sample>
void restore_anywhere(FlacBits& bits, int k, const FlacPredictor& p, Sample* out, Sample* end) {
  restore_rice<Sum, order>(bits, k, p, out, end);
}

#if defined(__x86_64__)
/// With the instructions that count zeros and shift without touching flags: every processor with
/// AVX2 has them.
template <class Sum, int order>
__attribute__((target("bmi,bmi2,lzcnt"))) void restore_bmi2(FlacBits& bits, int k,
                                                            const FlacPredictor& p, int32_t* out,
                                                            int32_t* end) {
  restore_rice<Sum, order>(bits, k, p, out, end);
}
#endif

struct Kernels {
  std::array<RestoreRice<int32_t>, first_general_order + 1> narrow;
  RestoreRice<int32_t> wide;
};

template <size_t... orders>
Kernels kernels(std::index_sequence<orders...>) {
#if defined(__x86_64__)
  if (best_target() != Target::scalar) {
    return {{restore_bmi2<int32_t, orders>...}, restore_bmi2<int64_t, first_general_order>};
  }
#endif
  return {{restore_anywhere<int32_t, orders>...}, restore_anywhere<int64_t, first_general_order>};
}

RestoreRice<int32_t> kernel_for(const FlacPredictor& predictor, int32_t) {
  static const Kernels all = kernels(std::make_index_sequence<first_general_order + 1>());
  if (predictor.is_wide) return all.wide;
  return all.narrow[static_cast<size_t>(std::min(predictor.order, first_general_order))];
}

/// Rare enough to have no other.
RestoreRice<int64_t> kernel_for(const FlacPredictor&, int64_t) {
  return restore_anywhere<int64_t, first_general_order>;
}

/// An escaped partition: residuals of `width` bits as they are.
template <class Sample>
void restore_plain(FlacBits& bits, int width, const FlacPredictor& p, Sample* out,
                   const Sample* end) {
  for (; out < end && !bits.ran_out(); ++out) {
    const auto residual = static_cast<int32_t>(bits.take_signed(width));
    *out = wrapped_sum(residual, predicted<int64_t, first_general_order>(out, p));
  }
}

}  // namespace

template <class Sample>
const char* restore_flac_samples(FlacBits& bits, const FlacPredictor& predictor,
                                 std::span<Sample> block) {
  const auto method = bits.take(2);
  if (method > 1) return "a residual is coded by a method that FLAC does not know";
  const int parameter_bits = method == 0 ? 4 : 5;
  const auto escape = (uint64_t{1} << parameter_bits) - 1;
  const auto partitions = size_t{1} << bits.take(4);
  const size_t length = block.size() / partitions;
  if (length * partitions != block.size() || length < static_cast<size_t>(predictor.order)) {
    return "a residual's partitions do not fit its block";
  }
  const RestoreRice<Sample> restore = kernel_for(predictor, Sample{});
  Sample* out = block.data() + predictor.order;
  for (size_t partition = 1; partition <= partitions; ++partition) {
    Sample* end = block.data() + partition * length;
    const uint64_t parameter = bits.take(parameter_bits);
    if (parameter == escape) {
      restore_plain(bits, static_cast<int>(bits.take(5)), predictor, out, end);
    } else {
      restore(bits, static_cast<int>(parameter), predictor, out, end);
    }
    if (bits.ran_out()) return "a frame ends early";
    out = end;
  }
  return nullptr;
}

template const char* restore_flac_samples(FlacBits&, const FlacPredictor&, std::span<int32_t>);
template const char* restore_flac_samples(FlacBits&, const FlacPredictor&, std::span<int64_t>);

}  // namespace flowqat::io
