/// configs/recipes/ beside what was published: every key of a published recipe is one of ours, with
/// its value, or has no meaning here for a reason that is named; and every config trains.
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "nodes/support/mask_policy.h"
#include "tests/nodes/small_run.h"

using namespace flowqat;
using flowqat::testing::TemporaryFolder;
using nodes::testing::Recorder;
using nodes::testing::run;
namespace fs = std::filesystem;

namespace {

using graph::Json;

/// Where a published key stands in our graph, and as what.
struct Ours {
  const char* place;                           ///< NODE.KEY
  Json (*as)(const Json& value);               ///< the value that stands there
  Json (*of_all)(const Json& keys) = nullptr;  ///< the same, of more than one key
};
Json same(const Json& value) { return value; }
Json first(const Json& value) { return value.at(0); }

/// Every process takes so many before they update together.
Json batches_a_step(const Json& keys) {
  return keys.at("distributed_training.distributed_world_size").get<int>() *
         keys.at("optimization.update_freq").at(0).get<int>();
}

struct Entry {
  std::vector<Ours> ours = {};
  const char* why_not = nullptr;  ///< where it is none of ours
};

const std::map<std::string, Entry> kFairseq{
    {"common.fp16", {.why_not = "a model node's precision may be, on a GPU"}},
    {"common.log_format", {.why_not = "metrics.jsonl is always JSON"}},
    {"common.log_interval", {{{"learn.log_every_steps", same}}}},
    {"checkpoint.save_interval", {.why_not = "checkpoints follow the clock: checkpoint_every_s"}},
    {"checkpoint.save_interval_updates", {.why_not = "the same"}},
    {"checkpoint.keep_interval_updates", {.why_not = "the last keep_checkpoints are kept"}},
    {"checkpoint.no_epoch_checkpoints", {.why_not = "an epoch's end is no reason for one here"}},
    {"checkpoint.best_checkpoint_metric",
     {{{"learn.best_by", same}, {"learn.hand_on", [](const Json&) { return Json("best"); }}}}},
    {"task._name", {.why_not = "a train node fine-tunes with CTC"}},
    {"task.data", {.why_not = "left open there; corpus.root here"}},
    {"task.normalize",
     {.why_not =
          "the group norm in base's first convolution takes a signal's scale out, and Hugging "
          "Face's form of the model asks for normalized audio"}},
    {"task.labels", {.why_not = "characters are what the model's vocabulary holds"}},
    {"dataset.num_workers", {.why_not = "threads are the graph's; results do not depend on them"}},
    {"dataset.max_tokens",
     {{{"batch.max_padded_s", [](const Json& samples) { return Json(samples.get<int>() / 16000); }},
       {"batch.order", [](const Json&) { return Json("length"); }}}}},
    {"dataset.skip_invalid_size_inputs_valid_test", {.why_not = "evaluation takes any length"}},
    {"dataset.validate_after_updates", {.why_not = "evaluations begin with the training"}},
    {"dataset.validate_interval", {{{"learn.evaluate_every_epochs", same}}}},
    {"dataset.valid_subset",
     {{{"dev_corpus.splits", [](const Json&) { return Json({"dev-other"}); }}}}},
    {"distributed_training.ddp_backend", {.why_not = "one process"}},
    {"distributed_training.distributed_world_size",
     {{{"learn.batches_per_step", nullptr, batches_a_step}}}},
    {"criterion._name", {.why_not = "a train node's loss is CTC"}},
    {"criterion.zero_infinity", {{{"learn.zero_infinity", same}}}},
    {"optimization.max_update", {{{"learn.max_steps", same}}}},
    {"optimization.lr", {{{"learn.lr", first}}}},
    {"optimization.sentence_avg",
     {{{"learn.reduction", [](const Json&) { return Json("utterances"); }}}}},
    {"optimization.update_freq", {{{"learn.batches_per_step", nullptr, batches_a_step}}}},
    {"optimization.clip_norm", {{{"learn.clip_norm", same}}}},
    {"optimizer._name", {.why_not = "Adam is AdamW without weight decay"}},
    {"optimizer.adam_betas",
     {{{"learn.beta1", first}, {"learn.beta2", [](const Json& betas) { return betas.at(1); }}}}},
    {"optimizer.adam_eps", {{{"learn.epsilon", same}}}},
    {"optimizer.weight_decay", {{{"learn.weight_decay", same}}}},
    {"lr_scheduler._name", {{{"learn.schedule", same}}}},
    {"lr_scheduler.phase_ratio",
     {{{"learn.warmup_share", first},
       {"learn.hold_for", [](const Json& ratio) { return ratio.at(1); }},
       {"learn.decay_for", [](const Json& ratio) { return ratio.at(2); }}}}},
    {"lr_scheduler.init_lr_scale", {{{"learn.warmup_start", same}}}},
    {"lr_scheduler.final_lr_scale", {{{"learn.final_lr_scale", same}}}},
    {"model._name", {.why_not = "a model node is a wav2vec2 with a CTC head"}},
    {"model.w2v_path", {.why_not = "left open there; start.path here"}},
    {"model.apply_mask", {{{"masks.type", [](const Json&) { return Json("spec_augment"); }}}}},
    {"model.mask_prob", {{{"masks.time_prob", same}}}},
    {"model.mask_length", {{{"masks.time_length", same}}}},
    {"model.mask_selection", {.why_not = "masks of a policy of fairseq's have one length"}},
    {"model.no_mask_overlap", {.why_not = "masks may overlap"}},
    {"model.mask_channel_prob", {{{"masks.channel_prob", same}}}},
    {"model.mask_channel_length", {{{"masks.channel_length", same}}}},
    {"model.layerdrop", {{{"start.layerdrop", same}}}},
    {"model.dropout", {{{"start.hidden_dropout", same}}}},
    {"model.dropout_input", {{{"start.feat_proj_dropout", same}}}},
    {"model.final_dropout", {{{"start.final_dropout", same}}}},
    {"model.attention_dropout", {{{"start.attention_dropout", same}}}},
    {"model.activation_dropout", {{{"start.activation_dropout", same}}}},
    {"model.feature_grad_mult",
     {{{"learn.freeze_feature_extractor", [](const Json& scale) { return Json(scale == 0); }}}}},
    {"model.freeze_finetune_updates", {{{"learn.head_only_for", same}}}},
};

const std::map<std::string, Entry> kTransformers{
    {"dataset_name", {.why_not = "the corpus is a release's tables, wherever they lie"}},
    {"dataset_config_name", {.why_not = "the same"}},
    {"train_split_name",
     {{{"corpus.from",
        [](const Json&) {
          return Json({"train_corpus", "validation_corpus"});
        }}}}},
    {"eval_split_name",
     {{{"dev_corpus.path",
        [](const Json& split) {
          return Json("data/common_voice_tr/" + split.get<std::string>() + ".tsv");
        }}}}},
    {"text_column_name", {.why_not = "the column of a table is found by its name"}},
    {"length_column_name", {.why_not = "lengths are in the headers of the audio"}},
    {"model_name_or_path", {{{"start.path", same}}}},
    {"output_dir", {.why_not = "the graph's out"}},
    {"num_train_epochs", {{{"learn.epochs", same}}}},
    {"per_device_train_batch_size", {{{"batch.size", same}}}},
    {"gradient_accumulation_steps", {{{"learn.batches_per_step", same}}}},
    {"learning_rate", {{{"learn.lr", same}}}},
    {"lr_scheduler_type", {{{"learn.schedule", same}}}},
    {"warmup_steps",
     {{{"learn.warmup_steps", same}, {"learn.warmup_start", [](const Json&) { return Json(0); }}}}},
    {"weight_decay", {{{"learn.weight_decay", same}}}},
    {"adam_beta1", {{{"learn.beta1", same}}}},
    {"adam_beta2", {{{"learn.beta2", same}}}},
    {"adam_epsilon", {{{"learn.epsilon", same}}}},
    {"max_grad_norm", {{{"learn.clip_norm", same}}}},
    {"eval_strategy", {{{"learn.dev", [](const Json&) { return Json("dev_batch"); }}}}},
    {"eval_steps", {{{"learn.evaluate_every_steps", same}}}},
    {"save_steps", {.why_not = "checkpoints follow the clock: checkpoint_every_s"}},
    {"save_total_limit", {{{"learn.keep_checkpoints", same}}}},
    {"layerdrop", {{{"start.layerdrop", same}}}},
    {"attention_dropout", {{{"start.attention_dropout", same}}}},
    {"activation_dropout", {{{"start.activation_dropout", same}}}},
    {"feat_proj_dropout", {{{"start.feat_proj_dropout", same}}}},
    {"hidden_dropout", {{{"start.hidden_dropout", same}}}},
    {"final_dropout", {{{"start.final_dropout", same}}}},
    {"mask_time_prob", {{{"masks.time_prob", same}}}},
    {"mask_time_length", {{{"masks.time_length", same}}}},
    {"mask_feature_prob", {{{"masks.channel_prob", same}}}},
    {"ctc_loss_reduction", {{{"learn.reduction", same}}}},
    {"freeze_feature_encoder", {{{"learn.freeze_feature_extractor", same}}}},
    {"gradient_checkpointing", {{{"learn.gradient_checkpointing", same}}}},
    {"chars_to_ignore", {.why_not = "what a vocabulary lacks is left out of transcripts"}},
    {"max_duration_in_seconds", {{{"train_corpus.max_duration_s", same}}}},
    {"fp16", {.why_not = "a model node's precision may be, on a GPU"}},
    {"group_by_length", {{{"batch.order", [](const Json&) { return Json("length"); }}}}},
    {"push_to_hub", {.why_not = "nothing is uploaded"}},
    {"do_train", {.why_not = "the graph has a train node"}},
    {"do_eval", {.why_not = "the graph has an evaluate node"}},
};

Json config(const std::string& name) {
  return graph::read_graph(FLOWQAT_SOURCE_DIR "/configs/recipes/" + name + ".json");
}

/// What a published mask policy stands for where the graph names it.
std::optional<double> of_policy(const std::string& policy, const std::string& key) {
  const auto masks = nodes::policy_named(policy, {});
  if (key == "time_prob") return masks.time.share;
  if (key == "time_length") return masks.time.length;
  if (key == "channel_prob") return masks.channel.share;
  if (key == "channel_length") return masks.channel.length;
  return std::nullopt;
}

/// What stands at NODE.KEY of a graph with all its defaults.
Json value_at(const Json& resolved, const std::string& place) {
  const size_t point = place.find('.');
  const std::string node_name = place.substr(0, point), key = place.substr(point + 1);
  const Json& node = resolved.at("nodes").at(node_name);
  if (node_name == "masks") {
    if (const auto value = of_policy(node.at("policy"), key)) return *value;
  }
  return node.at(key);
}

/// Numbers by their value: 3 and 3.0 are one.
bool alike(const Json& a, const Json& b) {
  return a.is_number() && b.is_number() ? a.get<double>() == Approx(b.get<double>()) : a == b;
}

const std::vector<std::string> kRecipes{"base_10h", "base_100h", "base_960h", "xlsr_common_voice"};

/// Two speakers' speech in LibriSpeech's layout, and tables of it.
void make_speech(const fs::path& root) {
  std::vector<fs::path> files;
  for (const char* const split : {"train", "dev"}) {
    const auto made = flowqat::testing::make_corpus(
        root / "speech", {.split = split, .speakers = 1, .utterances = 4});
    files.insert(files.end(), made.begin(), made.end());
  }
  for (const char* const table : {"train", "dev", "test"}) {
    std::ofstream lines(root / (std::string(table) + ".tsv"));
    lines << "path\tsentence\n";
    for (const fs::path& file : files) lines << file.string() << "\tone two\n";
  }
}

/// The graph over that speech, on the CPU and into a folder of `root`.
Json on_speech(Json graph, const fs::path& root, const std::string& out) {
  for (auto& [name, node] : graph.at("nodes").items()) {
    if (node.at("type") == "librispeech") {
      node = {{"type", "librispeech"},
              {"root", (root / "speech").string()},
              {"splits", {name == "dev_corpus" ? "dev" : "train"}}};
    } else if (node.at("type") == "manifest") {
      node["path"] = (root / fs::path(node.at("path").get<std::string>()).filename()).string();
    } else if (node.at("type") == "train") {
      node["log_every_steps"] = 1;
    } else if (node.at("type") == "model") {
      node["device"] = "cpu";
    }
  }
  graph["out"] = (root / out).string();
  graph["threads"] = 2;
  return graph;
}

/// Runs the graph; the losses of its steps.
std::vector<double> losses_of(const Json& graph, const fs::path& out) {
  Recorder recorder;
  run(graph::Graph(graph::resolve(graph, "recipe.json")), recorder);
  std::vector<double> losses;
  for (const Json& line : nodes::testing::lines_of(out / "metrics.jsonl")) {
    if (!line.contains("gradient_norm")) continue;  // an evaluation's line has a loss too
    losses.push_back(line.at("loss"));
    CHECK(std::isfinite(losses.back()));
    CHECK(losses.back() > 0);
  }
  return losses;
}

}  // namespace

TEST_CASE("every key of a published recipe is one of ours, with its value, or has its reason") {
  for (const std::string& name : kRecipes) {
    const Json published =
        graph::read_json(FLOWQAT_SOURCE_DIR "/tests/golden/recipes/" + name + ".json");
    const Json ours = graph::resolve(config(name), name).resolved();
    Json all = published.at("defaults");
    all.update(published.at("keys"));
    const auto& map = name.starts_with("xlsr") ? kTransformers : kFairseq;
    for (const char* const part : {"keys", "defaults"}) {
      for (const auto& [key, value] : published.at(part).items()) {
        INFO(name << ", " << key << ": " << value.dump());
        REQUIRE(map.contains(key));
        const Entry& entry = map.at(key);
        CHECK(entry.ours.empty() == (entry.why_not != nullptr));
        for (const auto& [place, as, of_all] : entry.ours) {
          const Json found = value_at(ours, place), expected = of_all ? of_all(all) : as(value);
          INFO(place << " is " << found.dump() << ", expected " << expected.dump());
          CHECK(alike(found, expected));
        }
      }
    }
  }
}

TEST_CASE(
    "every config of the recipes trains a small model, and its quantization goes on from it") {
  const std::string name = GENERATE(from_range(kRecipes));
  CAPTURE(name);
  const TemporaryFolder temporary;
  const fs::path root = temporary.path();
  make_speech(root);
  flowqat::testing::write_small_config(root / "config");

  Json fine_tuning = on_speech(config(name), root, "out");
  Json& start = fine_tuning["nodes"]["start"];
  start.erase("path");
  start.erase("vocabulary");
  start["config"] = (root / "config").string();
  fine_tuning["nodes"]["learn"]["max_steps"] = 3;
  if (fine_tuning["nodes"]["learn"].contains("head_only_for")) {
    fine_tuning["nodes"]["learn"]["head_only_for"] = 1;
  }
  CHECK(losses_of(fine_tuning, root / "out").size() == 3);

  Json quantization = on_speech(config(name + "_qat"), root, "quantized");
  quantization["nodes"]["start"]["run"] = (root / "out").string();
  quantization["nodes"]["adapt"]["max_steps"] = 2;
  CHECK(losses_of(quantization, root / "quantized").size() == 2);
  const Json wer =
      graph::read_json(root / "quantized" / "summary.json").at("evaluations").at("wer").at("wer");
  for (const char* const model : {"float", "ptq", "fake_quantized", "int8"}) {
    CHECK(wer.contains(model));
  }
}
