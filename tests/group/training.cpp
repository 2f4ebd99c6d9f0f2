/// A small model trained in a group, on audio that follows from a batch's number.
///
///     {"do": "train", "steps": 10, "batches_per_step": 4, ...}
///
/// With `"counts"` each also prints what the test device, preloaded, was asked for in the step.
/// `"save"` is a folder for a checkpoint behind the last step, or behind the first `"left"` batches
/// of the next one; `"load"` is one to go on from.
///
/// Batch b of a round is rank b % W's, or `"owners"[b]`'s. Each update prints its loss, norm and
/// what was skipped; at the end come what the model says to a batch that it did not learn, digests
/// of its weights, ranges and of the optimizer's state, and "trained".
#include <dlfcn.h>

#include <cmath>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <random>

#include "model/model.h"
#include "tests/group/checkpoint.h"
#include "tests/group/member.h"

namespace flowqat::testing {
namespace {

using nlohmann::json;

model::Config config_of(const json& what) {
  model::Config config;
  config.vocab_size = 12;
  config.hidden_size = 32;
  config.num_hidden_layers = 3;
  config.num_attention_heads = 4;
  config.intermediate_size = 48;
  config.conv_dim = {16, 16, 16, 16, 16, 16, 16};
  config.num_conv_pos_embeddings = 16;
  config.num_conv_pos_embedding_groups = 4;
  config.initializer_range = 0.06;
  config.attention_mask = true;
  config.layerdrop = what.value("layerdrop", 0.1);
  return config;
}

/// Rows of noise whose loudness goes up and down with the tokens, of several lengths.
struct Speech {
  std::vector<float> samples;
  model::AudioBatch batch;

  Speech(uint64_t number, bool is_broken) {
    std::mt19937_64 random(number);
    std::normal_distribution<float> noise(0, 1 + 0.2F * static_cast<float>(number % 7));
    batch.rows = 1 + static_cast<int64_t>(number % 3);
    batch.padded_samples = 6000;
    samples.assign(static_cast<size_t>(batch.rows * batch.padded_samples), 0.0F);
    for (int64_t row = 0; row < batch.rows; ++row) {
      const int64_t length = 3600 + 400 * static_cast<int64_t>((number + 2 * row) % 7);
      std::vector<int32_t> tokens;
      for (uint64_t i = 0; i < 2 + (number + row) % 3; ++i) {
        tokens.push_back(1 + static_cast<int32_t>(random() % 11));
      }
      for (int64_t i = 0; i < length; ++i) {
        const auto token = tokens[static_cast<size_t>(i) * tokens.size() / length];
        samples[static_cast<size_t>(row * batch.padded_samples + i)] =
            noise(random) * 0.1F + std::sin(0.05F * static_cast<float>(token * i));
      }
      batch.lengths_samples.push_back(length);
      batch.targets.push_back(tokens);
    }
    if (is_broken) batch.targets[0].assign(200, 1);  // more than it has frames
    batch.samples = samples;
  }
};

uint64_t digest_of(uint64_t start, const model::Tensors& tensors) {
  uint64_t digest = start;
  for (const model::Tensor& tensor : tensors) {
    for (const std::byte byte : tensor.bytes) {
      digest = (digest ^ static_cast<uint64_t>(byte)) * 1099511628211U;
    }
  }
  return digest;
}

std::unique_ptr<model::Model> model_of(const json& what, model::Group* group) {
  if (what.contains("load")) {
    const Saved saved(what.at("load"));
    auto loaded = model::engine().load(config_of(what), saved.weights, saved.quantization);
    if (!saved.quantization.is_null()) loaded->set_activation_observers(true);
    return loaded;
  }
  uint64_t seed = 7;
  if (what.value("own_seeds", false)) seed += static_cast<uint64_t>(group->rank().rank);
  auto trained = model::engine().create(config_of(what), seed);
  if (what.value("quantized", false)) {
    model::Policy policy;
    if (what.value("learned_steps", false)) {
      policy.attention->learned_step = policy.feed_forward->learned_step = true;
    }
    trained->insert_fake_quantizers(policy);
    trained->observe(Speech(1, false).batch);
    trained->finish_calibration();
    trained->set_activation_observers(true);
  }
  return trained;
}

model::TrainOptions options_of(const json& what) {
  model::TrainOptions options;
  options.batches_per_step = what.value("batches_per_step", 1);
  options.clip_norm = what.value("clip_norm", 1.0);
  options.shard_optimizer = what.value("shard_optimizer", false);
  options.ema_decay = what.value("ema_decay", 0.0);
  options.gradient_checkpointing = what.value("gradient_checkpointing", false);
  options.distillation_weight = what.value("teacher", false) ? 0.7 : 0.0;
  options.distillation_temperature = 2;
  options.zero_infinity = false;
  const auto reduction = what.value("reduction", std::string("mean"));
  options.reduction = reduction == "characters" ? model::CtcReduction::characters
                      : reduction == "sum"      ? model::CtcReduction::sum
                                                : model::CtcReduction::mean;
  if (what.contains("frozen")) {
    options.groups = {{.match = what.at("frozen"), .frozen = true}};
  }
  if (!what.value("extractor", true)) options.feature_gradient_scale = 0;
  return options;
}

/// What the test device has counted, which is no part of this program.
int64_t count_of_device(const char* what) {
  using Count = int64_t (*)(const char*);
  static const auto count =
      reinterpret_cast<Count>(::dlsym(RTLD_DEFAULT, "flowqat_test_device_count"));
  return count ? count(what) : -1;
}

json counts_of_device() {
  json counts;
  for (const char* what : {"synchronizations", "copies_to_device", "copies_to_host", "unordered"}) {
    counts[what] = count_of_device(what);
  }
  return counts;
}

json skipped_of(model::Trainer& trainer) {
  json all = json::array();
  for (const model::SkippedUpdate& update : trainer.skipped()) {
    json rows = json::array();
    for (const auto& [batch, row] : update.rows) rows.push_back({batch, row});
    all.push_back({update.update, rows});
  }
  return all;
}

}  // namespace

void train(const json& what, const std::shared_ptr<model::Group>& group) {
  const int size = group ? group->rank().size : 1, own = group ? group->rank().rank : 0;
  const auto student = model_of(what, group.get());
  const std::shared_ptr<model::Model> teacher =
      what.value("teacher", false) ? model::engine().create(config_of(what), 3) : nullptr;
  const std::unique_ptr<model::Trainer> trainer =
      student->trainer(options_of(what), teacher, group);
  if (what.contains("load")) trainer->load_state(Saved(what.at("load")).state);
  trainer->train_head_only(what.value("head_only", false));
  const int64_t round = what.value("batches_per_step", 1);
  const auto owners = what.value("owners", std::vector<int>());
  const int64_t empty_step = what.value("empty_step", -1), broken = what.value("broken", -1);
  const int64_t first = what.value("first", 0);
  const int64_t left = what.value("left", 0);
  const bool saves = what.contains("save");
  const int64_t last = first + what.value("steps", 1);
  for (int64_t step = first; step < last + (saves && left > 0 ? 1 : 0); ++step) {
    std::vector<int64_t> mine;
    for (int64_t batch = 0; batch < round && step != empty_step; ++batch) {
      const int owner =
          owners.empty() ? static_cast<int>(batch % size) : owners[static_cast<size_t>(batch)];
      if (saves && step == last && batch >= left) continue;
      if (!saves && step == first && batch < left) continue;
      if (!group || owner == own) mine.push_back(batch);
    }
    const bool is_left = saves && step == last;
    if (what.value("counts", false)) count_of_device("reset");
    for (const int64_t batch : mine) {
      const int64_t number = step * round + batch;
      const Speech speech(static_cast<uint64_t>(100 + number), number == broken);
      trainer->accumulate(speech.batch, static_cast<uint64_t>(number), batch,
                          what.value("hint", true) && batch == mine.back() && !is_left);
    }
    if (is_left) break;
    trainer->update(what.value("rate", 1e-3));
    if (what.value("counts", false)) std::cout << counts_of_device().dump() << std::endl;
    const model::TrainMetrics metrics = trainer->metrics();
    std::cout << json{{"steps", metrics.steps},
                      {"loss", metrics.loss},
                      {"norm", metrics.gradient_norm},
                      {"infinite", metrics.infinite_losses},
                      {"skipped", skipped_of(*trainer)}}
                     .dump()
              << std::endl;
  }
  const model::Tensors state = trainer->state();
  if (what.contains("save") && own == 0) save(*student, state, what.at("save"));
  std::string of_state = std::to_string(digest_of(1, state));
  if (group) of_state = group->broadcast(of_state);
  const std::string quantization = student->quantization().dump();
  json end = {{"logits", student->infer(Speech(1, false).batch).values},
              {"digests",
               {std::to_string(digest_of(1, student->tensors())),
                std::to_string(std::hash<std::string>()(quantization)), of_state}}};
  if (what.value("ema_decay", 0.0) > 0) {
    trainer->exchange_average();
    end["digests"].push_back(std::to_string(digest_of(1, student->tensors())));
  }
  std::cout << end.dump() << std::endl;
}

}  // namespace flowqat::testing
