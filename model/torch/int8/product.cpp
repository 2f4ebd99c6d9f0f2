#include "model/torch/int8/product.h"

#include <ATen/Parallel.h>
#include <ATen/ops/constant_pad_nd.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/zeros.h>
#include <c10/util/Exception.h>

#include <algorithm>
#include <vector>

#include "model/torch/int8/lanes.h"
#include "model/torch/int8/tile.h"
#include "model/torch/operators/for_tasks.h"

namespace flowqat::model {
namespace {

/// What a task's rows may take of the second cache, beside one tile's weights.
constexpr int64_t cached_bytes = 384 * 1024;
/// So many tasks a thread that none waits long for another.
constexpr int64_t tasks_a_thread = 4;

at::Tensor padded(const at::Tensor& x) {
  return at::constant_pad_nd(
             x, {0, (x.size(0) + tile_columns - 1) / tile_columns * tile_columns - x.size(0)})
      .contiguous();
}

/// How the sums of one tile's columns become bytes.
struct Columns {
  const float* multiplier;
  const float* offset;
  const int32_t* correction;
  const int32_t* weight_zero_point;  ///< null: all 0
  int64_t count;
};

#if FLOWQAT_HAS_VNNI_CODE
/// The sum of each row's activations, which weights with zero points multiply.
FLOWQAT_VNNI void row_sums(const uint8_t* x, int64_t rows, int64_t stride, int64_t depth,
                           int32_t* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    __m512i sum = _mm512_setzero_si512();
    for (int64_t i = 0; i < depth; i += 64) {
      const __mmask64 some = depth - i >= 64 ? ~__mmask64{0} : (__mmask64{1} << (depth - i)) - 1;
      sum = _mm512_add_epi64(sum, _mm512_sad_epu8(_mm512_maskz_loadu_epi8(some, x + r * stride + i),
                                                  _mm512_setzero_si512()));
    }
    sums[r] = static_cast<int32_t>(_mm512_reduce_add_epi64(sum));
  }
}

FLOWQAT_VNNI inline __m512i look_up(const ByteTable& table, __m512i bytes) {
  const __m512i low = _mm512_permutex2var_epi8(_mm512_load_si512(table.of), bytes,
                                               _mm512_load_si512(table.of + 64));
  const __m512i high = _mm512_permutex2var_epi8(_mm512_load_si512(table.of + 128), bytes,
                                                _mm512_load_si512(table.of + 192));
  return _mm512_mask_blend_epi8(_mm512_movepi8_mask(bytes), low, high);
}

/// Of sixteen columns from `at`. All arrays are whole tiles: nothing is known of the columns behind
/// the last one, which are not stored.
FLOWQAT_VNNI inline __m128i requantize(const int32_t* sums, const Columns& columns, int64_t at,
                                       int32_t row_sum, const ByteGrid& grid) {
  __m512i sum =
      _mm512_add_epi32(_mm512_loadu_si512(sums + at), _mm512_loadu_si512(columns.correction + at));
  if (columns.weight_zero_point) {
    sum =
        _mm512_sub_epi32(sum, _mm512_mullo_epi32(_mm512_loadu_si512(columns.weight_zero_point + at),
                                                 _mm512_set1_epi32(row_sum)));
  }
  const __m512 steps =
      _mm512_fmadd_ps(_mm512_cvtepi32_ps(sum), _mm512_loadu_ps(columns.multiplier + at),
                      _mm512_loadu_ps(columns.offset + at));
  return _mm512_cvtusepi32_epi8(to_bytes(steps, grid));
}

FLOWQAT_VNNI void requantize(const int32_t* sums, int64_t rows, const Columns& columns,
                             const int32_t* row_sums, int32_t zero_point, const ByteTable* table,
                             uint8_t* y, int64_t y_stride) {
  const ByteGrid grid = byte_grid(zero_point);
  const __mmask64 some = columns.count >= 64 ? ~__mmask64{0} : (__mmask64{1} << columns.count) - 1;
  for (int64_t r = 0; r < rows; ++r) {
    const int32_t* const line = sums + r * tile_columns;
    const int32_t row_sum = row_sums ? row_sums[r] : 0;
    __m512i q = _mm512_castsi128_si512(requantize(line, columns, 0, row_sum, grid));
    q = _mm512_inserti32x4(q, requantize(line, columns, 16, row_sum, grid), 1);
    q = _mm512_inserti32x4(q, requantize(line, columns, 32, row_sum, grid), 2);
    q = _mm512_inserti32x4(q, requantize(line, columns, 48, row_sum, grid), 3);
    if (table) q = look_up(*table, q);
    _mm512_mask_storeu_epi8(y + r * y_stride, some, q);
  }
}
#else
void row_sums(const uint8_t*, int64_t, int64_t, int64_t, int32_t*) {
  refuse_without_vnni("FastInt8::multiply");
}
void requantize(const int32_t*, int64_t, const Columns&, const int32_t*, int32_t, const ByteTable*,
                uint8_t*, int64_t) {
  refuse_without_vnni("FastInt8::multiply");
}
#endif

}  // namespace

/// Rows [begin, end) by the columns of a tile.
struct FastInt8::Task {
  const uint8_t* x;
  int64_t row_stride;
  uint8_t* y;
  const ByteTable* table;
  int64_t begin, end, tile;
};

FastInt8::FastInt8(const Int8Parameters& parameters, const Int8Geometry& geometry)
    : stride_(geometry.stride), input_(parameters.input), output_(parameters.output) {
  const at::NoGradGuard no_grad;
  at::Tensor weight = parameters.weight;
  in_ = weight.size(1);
  out_ = weight.size(0);
  kernel_ = stride_ ? weight.size(2) : 1;
  depth_ = in_ * kernel_;
  if (stride_) weight = weight.transpose(1, 2);
  weight = weight.reshape({out_, depth_}).contiguous();
  const int64_t tiles = (out_ + tile_columns - 1) / tile_columns;
  packed_ = at::zeros({tiles * tile_columns * padded_depth(depth_)}, at::kChar);
  for (int64_t tile = 0; tile < tiles; ++tile) {
    const int64_t column = tile * tile_columns;
    pack_int8_tile(weight.const_data_ptr<int8_t>() + column * depth_, depth_,
                   std::min(tile_columns, out_ - column), depth_,
                   packed_.mutable_data_ptr<int8_t>() + column * padded_depth(depth_));
  }
  const at::Tensor weight_zero = parameters.weight_zero_point.to(at::kLong).expand({out_});
  const at::Tensor sums = weight.sum(1, false, at::kLong);
  correction_ = padded((input_.zero_point * (depth_ * weight_zero - sums)).to(at::kInt));
  if (weight_zero.any().item<bool>()) weight_zero_point_ = padded(weight_zero.to(at::kInt));
  multiplier_ =
      padded((parameters.weight_scale.to(at::kDouble).expand({out_}) * input_.scale / output_.scale)
                 .to(at::kFloat));
  offset_ = padded(parameters.bias.defined()
                       ? (parameters.bias.to(at::kDouble) / output_.scale).to(at::kFloat)
                       : at::zeros({out_}));
}

void FastInt8::multiply(const Task& task) const {
  const int64_t rows = task.end - task.begin;
  const uint8_t* const x = task.x + task.begin * task.row_stride;
  std::vector<int32_t> sums_of_rows(weight_zero_point_.defined() ? static_cast<size_t>(rows) : 0);
  if (weight_zero_point_.defined()) {
    row_sums(x, rows, task.row_stride, depth_, sums_of_rows.data());
  }
  alignas(64) int32_t sums[tile_rows * tile_columns];
  const int64_t column = task.tile * tile_columns;
  const Columns columns{
      .multiplier = multiplier_.const_data_ptr<float>() + column,
      .offset = offset_.const_data_ptr<float>() + column,
      .correction = correction_.const_data_ptr<int32_t>() + column,
      .weight_zero_point = weight_zero_point_.defined()
                               ? weight_zero_point_.const_data_ptr<int32_t>() + column
                               : nullptr,
      .count = std::min(tile_columns, out_ - column)};
  const int8_t* const weights = packed_.const_data_ptr<int8_t>() + column * padded_depth(depth_);
  for (int64_t row = 0; row < rows; row += tile_rows) {
    const int64_t height = std::min(tile_rows, rows - row);
    int8_tile(height, padded_columns(columns.count), x + row * task.row_stride, task.row_stride,
              weights, depth_, sums);
    requantize(sums, height, columns,
               columns.weight_zero_point ? sums_of_rows.data() + row : nullptr,
               static_cast<int32_t>(output_.zero_point), task.table,
               task.y + (task.begin + row) * out_ + column, out_);
  }
}

void FastInt8::multiply(const uint8_t* x, int64_t rows, int64_t row_stride, uint8_t* y,
                        const ByteTable* table) const {
  const int64_t tiles = (out_ + tile_columns - 1) / tile_columns;
  const int64_t wanted = tasks_a_thread * at::get_num_threads();
  int64_t height = std::max<int64_t>(1, cached_bytes / row_stride);
  height = std::min(height, std::max<int64_t>(1, rows * tiles / wanted));
  height = (height + tile_rows - 1) / tile_rows * tile_rows;
  const int64_t bands = (rows + height - 1) / height;
  for_tasks(bands * tiles, [&](int64_t task) {
    const int64_t band = task / tiles, tile = task % tiles;
    multiply({x, row_stride, y, table, band * height, std::min(rows, (band + 1) * height), tile});
  });
}

at::Tensor FastInt8::apply(const at::Tensor& x, const ByteTable* table) const {
  const uint8_t* const from = x.const_data_ptr<uint8_t>();
  if (!stride_) {
    std::vector<int64_t> shape = x.sizes().vec();
    shape.back() = out_;
    const at::Tensor y = at::empty(shape, x.options());
    multiply(from, x.numel() / in_, in_, y.mutable_data_ptr<uint8_t>(), table);
    return y;
  }
  const int64_t rows = x.size(0), frames = x.size(1);
  TORCH_CHECK(frames >= kernel_, "a convolution over ", kernel_, " frames, but there are ", frames);
  const int64_t windows = (frames - kernel_) / *stride_ + 1;
  const at::Tensor y = at::empty({rows, windows, out_}, x.options());
  uint8_t* const to = y.mutable_data_ptr<uint8_t>();
  for (int64_t row = 0; row < rows; ++row) {
    multiply(from + row * frames * in_, windows, *stride_ * in_, to + row * windows * out_, table);
  }
  return y;
}

at::Tensor FastInt8::run(const at::Tensor& x) const {
  const at::NoGradGuard no_grad;
  if (!stride_) return dequantize_bytes(apply(quantize_bytes(x, input_)), output_);
  return dequantize_bytes(apply(quantize_bytes(x.transpose(1, 2), input_)), output_)
      .transpose(1, 2);
}

}  // namespace flowqat::model
