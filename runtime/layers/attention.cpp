#include "runtime/layers/attention.h"

#include <algorithm>

#include "runtime/layers/attention_job.h"

namespace flowqat::runtime {

const float* allowed_frames(Stack& scratch, const AttentionJob& job, int64_t row,
                            int64_t padded_frames) {
  float* const allowed = scratch.take<float>(padded_frames);
  std::fill_n(allowed, padded_frames, 0.0f);
  const uint8_t* const mask =
      job.shape.allowed ? job.shape.allowed + row * job.shape.frames : nullptr;
  for (int64_t t = 0; t < job.shape.frames; ++t) allowed[t] = !mask || mask[t] != 0 ? 1.0f : 0.0f;
  return allowed;
}

void write_mixed(const AttentionJob& job, const float* line, int64_t count, int64_t at) {
  if (!job.y.bytes) {
    std::copy_n(line, count, job.y.floats + at);
    return;
  }
  const float* const factor = job.wanted.factors();
  job.kernels.bytes.quantize(line, factor ? factor + at % job.hidden() : nullptr, count,
                             *job.wanted.grid, job.y.bytes + at);
}

void attend(Context& context, const AttentionShape& shape, const Heads& q, const Heads& k,
            const Heads& v, const Wanted& wanted, const Values& y) {
  const AttentionJob job{context.kernels, shape, q, k, v, wanted, y};
  // Heads are shared out first; where they are too few for the threads, their queries are too.
  const int64_t all_heads = shape.rows * shape.heads;
  const int64_t parts = (2 * context.threads.count() + all_heads - 1) / all_heads;
  int64_t part_frames = (shape.frames + parts - 1) / parts;
  part_frames = (part_frames + block_queries - 1) / block_queries * block_queries;
  context.threads.run(all_heads * parts, [&](int64_t task, int slot) {
    const int64_t row = task / parts / shape.heads, head = task / parts % shape.heads;
    const int64_t begin = task % parts * part_frames;
    if (begin >= shape.frames) return;
    Stack& scratch = context.scratch[static_cast<size_t>(slot)];
    const Scope scope(scratch);
    const AttentionPart part{.row = row,
                             .begin = begin,
                             .end = std::min(shape.frames, begin + part_frames),
                             .at = row * shape.frames * job.hidden() + head * shape.width};
    if (q.values.bytes) {
      attend_int8(scratch, job, part);
    } else {
      attend_float(scratch, job, part);
    }
  });
}

}  // namespace flowqat::runtime
