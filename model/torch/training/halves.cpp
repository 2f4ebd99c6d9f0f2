/// A batch for which the device has not the memory is heard in two halves.
#include <ATen/ops/zeros.h>

#include "model/batch.h"
#include "model/torch/base/boundary.h"
#include "model/torch/base/device_memory.h"
#include "model/torch/training/gradients_apart.h"
#include "model/torch/training/trainer.h"

namespace flowqat::model {
namespace {

/// Gives all that a failed attempt has let go of back to the device.
void make_room(const at::Device& device) {
  // Autograd's thread for the device may still hold the rest of the failed backward's graph: it has
  // let go of that once it has done something else.
  const at::AutoGradMode with_grad(true);
  at::zeros({1}, at::TensorOptions(device)).requires_grad_().sum().backward();
  empty_cache(device);
}

}  // namespace

std::optional<std::string> TorchTrainer::try_to_hear(const std::vector<Part>& parts,
                                                     size_t& failed) {
  const Round before = round_;
  GradientsApart gradients(optimizer_.parameters(), round_.taught);
  failed = 0;
  try {
    for (const Part& part : parts) {
      hear(part);
      ++failed;
    }
    gradients.join();
    return std::nullopt;
  } catch (const std::exception& error) {
    if (round_.losses.defined()) round_.ranges.restore();
    round_ = before;
    if (!tells_of_full_device(error)) throw;
    return plain_text(error);
  }
}

Hearing TorchTrainer::hear_or_halve(const Part& whole) {
  size_t failed = 0;
  std::optional<std::string> why = try_to_hear({whole}, failed);
  if (!why) return Hearing::whole;
  make_room(model_.device());
  const int64_t rows = whole.rows.rows, half = (rows + 1) / 2;
  if (rows < 2) throw OutOfMemory("training step: " + *why, 0, rows);
  const AudioBatch first = rows_of(whole.rows, 0, half),
                   second = rows_of(whole.rows, half, rows - half);
  const auto part = [&](const AudioBatch& its_rows, bool is_second) {
    return Part{.rows = its_rows,
                .seed = whole.seed,
                .batch = whole.batch,
                .sums_up = true,
                .is_last = whole.is_last,
                .is_second_half = is_second};
  };
  why = try_to_hear({part(first, false), part(second, true)}, failed);
  if (!why) return Hearing::in_halves;
  make_room(model_.device());
  throw OutOfMemory("training step: " + *why, failed == 0 ? 0 : half,
                    failed == 0 ? half : rows - half);
}

}  // namespace flowqat::model
