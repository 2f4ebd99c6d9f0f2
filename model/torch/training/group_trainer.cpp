/// A round of several processes.
#include <ATen/ops/zeros.h>

#include <algorithm>
#include <sstream>

#include "model/torch/network/network_tensors.h"
#include "model/torch/training/trainer.h"

namespace flowqat::model {
namespace {

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

/// "weight 32 64", of a line of network_digests().
std::string without_digest(const std::string& line) { return line.substr(0, line.rfind(' ')); }

}  // namespace

void TorchTrainer::join_group() {
  const std::string kind = c10::DeviceTypeName(model_.device().type(), /*lower_case=*/true);
  const std::vector<std::string> kinds = group_->gather(kind);
  for (size_t rank = 1; rank < kinds.size(); ++rank) {
    if (kinds[rank] == kinds[0]) continue;
    throw Error("training in a group: the model of rank 0 is on a device of kind " + kinds[0] +
                ", that of rank " + std::to_string(rank) + " on one of kind " + kinds[rank] +
                ": all need one kind; set \"device\" to what all have");
  }
  group_->use_device(model_.device());
  std::string own;
  for (const std::string& line : network_digests(model_.network())) own += line + "\n";
  const std::vector<std::string> all = group_->gather(own);
  const std::vector<std::string> first = lines_of(all[0]);
  for (size_t rank = 1; rank < all.size(); ++rank) {
    if (all[rank] == all[0]) continue;
    const std::vector<std::string> other = lines_of(all[rank]);
    const auto [here, there] =
        std::mismatch(first.begin(), first.end(), other.begin(), other.end());
    throw Error("training in a group: the model of rank " + std::to_string(rank) +
                " is not that of rank 0; the first that differs is \"" +
                without_digest(here != first.end() ? *here : *there) +
                "\": all must load the same model and calibrate it with the same batches");
  }
}

void TorchTrainer::sum_over_all(const at::Tensor& ctc, const at::Tensor& divergence) {
  std::vector<double> counts = {static_cast<double>(round_.batches), round_.denominator,
                                static_cast<double>(round_.frames),
                                model_.uses_mask_embedding() ? 1.0 : 0.0};
  // Both losses come from the same logits. Gradients of distillation that were put by stand where
  // those of the CTC loss do.
  const std::vector<double> own = gradient_sum_->reached_from(ctc);
  counts.insert(counts.end(), own.begin(), own.end());
  group_->sum(counts);
  const bool has_none = round_.batches == 0;
  round_.batches = static_cast<int64_t>(counts[0]);
  round_.denominator = counts[1];
  round_.frames = static_cast<int64_t>(counts[2]);
  round_.is_of_all = true;
  if (counts[3] > 0) model_.use_mask_embedding();
  if (round_.batches == 0) return;
  if (has_none) {
    round_.losses = at::zeros({3}, sums_.options());
    round_.ranges.keep(model_.network());
  }
  if (!round_.has_own) model_.see_weights();  // as the others do at each batch
  if (round_.batches > options_.batches_per_step) {
    throw Error("training: the processes brought " + std::to_string(round_.batches) +
                " batches to a round of " + std::to_string(options_.batches_per_step) +
                " (batches_per_step)");
  }
  at::Tensor loss = ctc;
  if (teacher_) {
    // With the counts of all at hand, the two kinds of gradients need not be kept apart any longer.
    const double factor = weight_of_frames(round_) * denominator_of(round_);
    join_taught(round_, factor);
    if (loss.defined()) loss = loss + divergence * factor;
  }
  gradient_sum_->backward(loss, {counts.begin() + 4, counts.end()});
}

void TorchTrainer::join_losses_and_ranges(Round& round) {
  group_->exchange("losses", [&] { group_->all_reduce(round.losses, TorchGroup::Reduction::sum); });
  round.widest.join(model_.network(), *group_);
}

}  // namespace flowqat::model
