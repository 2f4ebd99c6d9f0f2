/// What this library's model makes of a folder and a few batches, for model_test.py to compare with
/// transformers:
///
///     model_dump FOLDER INPUTS OUTPUTS STEPS LEARNING_RATE
///
/// INPUTS and OUTPUTS are safetensors files. A batch K = 0, 1, ... of INPUTS is K.samples [rows,
/// padded samples], K.lengths [rows], K.targets (all rows' tokens), K.target_lengths [rows] and,
/// where it is masked, K.time_mask [rows, frames] and K.channel_mask [rows, hidden] (uint8).
/// OUTPUTS holds, of each batch in training mode, K.hidden.N, K.logits, K.loss.REDUCTION and
/// K.gradient.NAME (of the loss in reduction "mean"), K.infer (evaluation mode, without masks), and
/// `losses` of STEPS AdamW steps over the batches in turn. Of as many steps as a recipe has them
/// (fine_tune()) it holds fine_tuned.losses, fine_tuned.norms of the gradients, and
/// fine_tuned.average, batch 0's scores by the weights' average.

#include <ATen/ops/tensor.h>

#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "io/tensors/safetensors.h"
#include "io/text/processor.h"
#include "model/schedule.h"
#include "model/torch/base/state_dict.h"
#include "model/torch/engine/torch_model.h"
#include "model/torch/network/batch.h"
#include "model/torch/training/loss.h"

namespace flowqat::model {
namespace {

using Values = std::map<std::string, at::Tensor>;

Tensors from_io(const std::vector<io::Tensor>& tensors) {
  Tensors result;
  for (const io::Tensor& t : tensors) {
    result.push_back({t.name, t.dtype, t.shape, t.bytes, t.owner});
  }
  return result;
}

Values read_values(const std::string& path) {
  Values values;
  for (const Tensor& tensor : from_io(io::read_safetensors(path))) {
    values[tensor.name] = from_tensor(tensor);
  }
  return values;
}

void write_values(const std::string& path, const Values& values) {
  std::vector<io::Tensor> tensors;
  for (const auto& [name, value] : values) {
    const Tensor t = to_tensor(name, value);
    tensors.push_back({t.name, t.dtype, t.shape, t.bytes, t.owner});
  }
  io::write_safetensors(path, tensors);
}

template <class T>
std::vector<T> as_list(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kLong).contiguous();
  const int64_t* first = flat.const_data_ptr<int64_t>();
  return std::vector<T>(first, first + flat.numel());
}

/// A span of one place for each that is masked.
std::vector<std::vector<MaskSpan>> spans_of(const at::Tensor& mask) {
  std::vector<std::vector<MaskSpan>> spans(static_cast<size_t>(mask.size(0)));
  for (int64_t row = 0; row < mask.size(0); ++row) {
    for (const auto place : as_list<int32_t>(mask[row].nonzero())) {
      spans[static_cast<size_t>(row)].push_back({place, 1});
    }
  }
  return spans;
}

/// Views of `values`.
AudioBatch batch_of(const Values& values, const std::string& prefix) {
  AudioBatch batch;
  const at::Tensor& samples = values.at(prefix + "samples");
  batch.samples = {samples.const_data_ptr<float>(), static_cast<size_t>(samples.numel())};
  batch.rows = samples.size(0);
  batch.padded_samples = samples.size(1);
  batch.lengths_samples = as_list<int64_t>(values.at(prefix + "lengths"));
  const auto tokens = as_list<int32_t>(values.at(prefix + "targets"));
  auto next = tokens.begin();
  for (const auto length : as_list<int64_t>(values.at(prefix + "target_lengths"))) {
    batch.targets.emplace_back(next, next + length);
    next += length;
  }
  if (values.contains(prefix + "time_mask")) {
    batch.time_masks = spans_of(values.at(prefix + "time_mask"));
    batch.channel_masks = spans_of(values.at(prefix + "channel_mask"));
  }
  return batch;
}

void forward_and_backward(TorchModel& model, const AudioBatch& batch, const std::string& prefix,
                          Values& out) {
  const Config& config = model.config();
  const TrainingBatch all = training_batch(config, batch, at::kCPU);
  model.begin_training(all.input);
  model.network().zero_grad();
  std::vector<at::Tensor> hidden;
  const at::Tensor logits = model.network().forward(all.input, &hidden);
  for (size_t i = 0; i < hidden.size(); ++i) {
    out[prefix + "hidden." + std::to_string(i)] = hidden[i].detach();
  }
  out[prefix + "logits"] = logits.detach();
  const auto loss = [&](CtcReduction reduction) {
    return ctc_loss(logits, all.frames, all.targets, config.pad_token_id, reduction, true).value;
  };
  out[prefix + "loss.sum"] = loss(CtcReduction::sum).detach().reshape(1);
  out[prefix + "loss.utterances"] = loss(CtcReduction::utterances).detach().reshape(1);
  out[prefix + "loss.characters"] = loss(CtcReduction::characters).detach().reshape(1);
  const at::Tensor mean = loss(CtcReduction::mean);
  out[prefix + "loss.mean"] = mean.detach().reshape(1);
  mean.backward();
  for (const auto& [name, value] : model.network().named_parameters()) {
    const at::Tensor gradient = value.grad();
    if (!gradient.defined()) continue;
    out[prefix + "gradient." + published_name(name)] = gradient.clone();
  }
}

/// As a recipe has it: convolutions frozen, the head faster, biases without decay, clipping, a
/// warm-up and a line, layers computed again for the backward, an average of the weights.
void fine_tune(Model& model, const std::vector<AudioBatch>& batches, int steps,
               double learning_rate, Values& out) {
  TrainOptions options{.clip_norm = 1,
                       .feature_gradient_scale = 0,
                       .ema_decay = 0.9,
                       .gradient_checkpointing = true};
  options.groups = {{.match = "*.bias", .weight_decay = 0.0},
                    {.match = "lm_head.*", .lr_factor = 3.0}};
  const ScheduleOptions schedule{.kind = ScheduleOptions::Kind::linear,
                                 .lr = learning_rate,
                                 .warmup_steps = 4,
                                 .warmup_start = 0};
  const std::unique_ptr<Trainer> trainer = model.trainer(options);
  std::vector<float> losses, norms;
  for (int step = 0; step < steps; ++step) {
    trainer->step(batches[static_cast<size_t>(step) % batches.size()],
                  model::learning_rate(schedule, step, steps, 0), 1);
    const TrainMetrics metrics = trainer->metrics();
    losses.push_back(static_cast<float>(metrics.loss));
    norms.push_back(static_cast<float>(metrics.gradient_norm));
  }
  out["fine_tuned.losses"] = at::tensor(losses);
  out["fine_tuned.norms"] = at::tensor(norms);
  trainer->exchange_average();
  const Logits logits = model.infer(batches.front());
  out["fine_tuned.average"] =
      at::tensor(logits.values).reshape({logits.rows, logits.frames, logits.vocabulary});
}

void dump(const std::string& folder, const std::string& inputs, const std::string& outputs,
          int steps, double learning_rate) {
  Config config = Config::from_file(folder + "/config.json");
  config.attention_mask = io::FeatureExtractor::load(folder).return_attention_mask;
  engine().configure({.device = "cpu", .threads = 1});
  const std::unique_ptr<Model> model =
      engine().load(config, from_io(io::read_model_weights(folder)), nullptr);
  const std::unique_ptr<Model> to_fine_tune = model->clone();
  auto& torch_model = dynamic_cast<TorchModel&>(*model);
  const Values values = read_values(inputs);
  std::vector<AudioBatch> batches;
  Values out;
  for (std::string prefix = "0."; values.contains(prefix + "samples");
       prefix = std::to_string(batches.size()) + ".") {
    batches.push_back(batch_of(values, prefix));
    forward_and_backward(torch_model, batches.back(), prefix, out);
    const Logits logits = model->infer(batches.back());
    out[prefix + "infer"] =
        at::tensor(logits.values).reshape({logits.rows, logits.frames, logits.vocabulary});
  }
  torch_model.network().zero_grad();
  const std::unique_ptr<Trainer> trainer = model->trainer({});
  std::vector<float> losses;
  for (int step = 0; step < steps; ++step) {
    trainer->step(batches[static_cast<size_t>(step) % batches.size()], learning_rate, 1);
    losses.push_back(static_cast<float>(trainer->metrics().loss));
  }
  if (steps > 0) {
    out["losses"] = at::tensor(losses);
    fine_tune(*to_fine_tune, batches, steps, learning_rate, out);
  }
  write_values(outputs, out);
}

}  // namespace
}  // namespace flowqat::model

int main(int argc, char** argv) {
  if (argc != 6) {
    std::cerr << "usage: model_dump FOLDER INPUTS OUTPUTS STEPS LEARNING_RATE\n";
    return 2;
  }
  try {
    flowqat::model::dump(argv[1], argv[2], argv[3], std::stoi(argv[4]), std::stod(argv[5]));
  } catch (const std::exception& error) {
    std::cerr << "model_dump: " << error.what() << "\n";
    return 1;
  }
}
