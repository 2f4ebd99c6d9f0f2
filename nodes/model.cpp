/// Where the lower line begins: a pretrained folder, or fresh weights for a configuration.
#include <map>
#include <nlohmann/json.hpp>

#include "graph/check.h"
#include "graph/checksum.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "io/files/error.h"
#include "model/has_engine.h"
#include "nodes/support/engine_options.h"
#include "nodes/support/fetching.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/model_params.h"
#include "nodes/support/model_place.h"

namespace flowqat::nodes {
namespace {

/// Of all that a model or its configuration is read from.
std::string checksum_of_model(const std::filesystem::path& folder) {
  std::map<std::string, std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string ending = entry.path().extension().string();
    if (ending == ".json" || ending == ".safetensors") {
      files.emplace(entry.path().filename().string(), entry.path());
    }
  }
  graph::Checksum checksum;
  for (const auto& [name, path] : files) {
    checksum.add(name + "\n" + graph::checksum_of(path).hex() + "\n");
  }
  return checksum.hex();
}

class ModelSource : public ModelStep {
 public:
  explicit ModelSource(const graph::NodeArguments& arguments)
      : ModelStep(arguments.name),
        config_folder_(arguments.params.text("config")),
        blank_bias_(arguments.params.number("blank_bias")),
        text_rules_(io::parse_text_normalization(arguments.params.text("text_normalization")),
                    arguments.params.flag("drop_tags")),
        options_(engine_options(arguments.params)) {
    const std::string from = one_source(arguments.params),
                      revision = arguments.params.text("revision");
    const std::string path =
        from == "run" ? model_of_run(arguments.params) : arguments.params.text("path");
    if (path.empty() && !revision.empty()) {
      throw graph::GraphError("key \"revision\": is for a \"path\" on the Hub");
    }
    const char* key = "vocabulary";
    try {
      std::shared_ptr<const io::Tokenizer> vocabulary;
      const std::string folder = arguments.params.text("vocabulary");
      if (!folder.empty()) {
        vocabulary = std::make_shared<io::Tokenizer>(io::Tokenizer::load(folder));
      }
      key = from.c_str();
      if (!path.empty()) place_ = model_place(path, revision);
      if (place_.to_fetch) {
        description_ = base_description(vocabulary);
      } else {
        description_ =
            read_description(path.empty() ? config_folder_ : place_.folder.string(), vocabulary);
      }
      description_.config = with_dropouts(description_.config, arguments.params);
      if (!place_.folder.empty()) {
        stage_ = stage_of(place_.folder);
        policy_ = policy_of(place_.folder);
        if (stage_ != Stage::float32 && description_.has_other_tokens) {
          throw graph::GraphError("key \"vocabulary\": " + place_.folder.string() + " holds " +
                                  describe(stage_) +
                                  ", whose head stands for its own tokens; leave the key out, or "
                                  "start from the float model");
        }
      }
      if (place_.folder.empty() ? !config_folder_.empty() && !place_.to_fetch
                                : draws_head(place_.folder, description_.config)) {
        check_fresh_head();
      }
      // Which commit it is: a branch moves on.
      if (!place_.folder.empty() && place_.folder != path) {
        description_.notes.push_back(path + " is in " + place_.folder.string());
      }
    } catch (const graph::GraphError&) {
      throw;
    } catch (const std::runtime_error& error) {
      throw graph::RunError("node \"" + name() + "\", key \"" + key + "\": " + error.what());
    }
  }

  const model::Config& config() const override { return description_.config; }
  const io::Tokenizer& tokenizer() const override { return *description_.tokenizer; }
  const io::FeatureExtractor& extractor() const override { return description_.extractor; }
  bool knows_config() const override { return !place_.to_fetch; }
  std::unique_ptr<graph::Fetch> missing() const override {
    return place_.to_fetch ? missing_model(name(), *place_.to_fetch) : nullptr;
  }
  std::optional<Stage> stage() const override {
    return place_.to_fetch ? std::nullopt : std::optional(stage_);
  }
  const model::Policy* policy() const override { return policy_ ? &*policy_ : nullptr; }
  io::TextRules text_rules() const override { return text_rules_; }

  void check(graph::CheckContext& context) const override {
    if (!model::has_engine()) {
      try {
        model::engine();
      } catch (const model::Error& error) {
        throw graph::RunError("node \"" + name() + "\": " + error.what());
      }
    }
    if (place_.to_fetch) {
      context.open(name() + ": the model, and what goes with it, before it is fetched");
      return;
    }
    const std::string folder = place_.folder.empty() ? config_folder_ : place_.folder.string();
    context.uses(*this, "the files in " + folder, checksum_of_model(folder));
    if (place_.folder.empty()) {
      context.seen(name() + ": fresh weights for " + config_folder_ + ", " + size());
      return;
    }
    try {
      read_files(place_.folder);
    } catch (const io::Error& error) {
      throw graph::RunError("node \"" + name() + "\", key \"path\": " + error.what());
    }
    context.seen(name() + ": " + describe(stage_) + " in " + place_.folder.string() + ", " +
                 size());
  }

  void run(graph::StepContext& context) override {
    if (place_.to_fetch) {
      throw graph::RunError("node \"" + name() + "\", key \"path\": " + place_.to_fetch->id +
                            " is not in the Hub's cache; flowqat fetch model " +
                            place_.to_fetch->id + " fetches it");
    }
    model::Engine& engine = model::engine();
    model::EngineOptions options = options_;
    if (options.threads == 0) options.threads = context.cores();
    engine.configure(options);
    const uint64_t seed = graph::mix({context.seed(), graph::key_of(name())});
    ModelDescription description = description_;
    if (place_.folder.empty()) {
      give({.model = engine.create(description.config, seed, blank_bias_),
            .tokenizer = description.tokenizer,
            .extractor = description.extractor});
    } else {
      ModelState loaded =
          load_model(place_.folder, description,
                     {.head = stage_ != Stage::float32       ? model::Head::file
                              : description.has_other_tokens ? model::Head::fresh
                                                             : model::Head::file_or_fresh,
                      .seed = seed,
                      .blank_bias = blank_bias_});
      give(std::move(loaded));
    }
    for (const std::string& note : description.notes) context.reporter().say(name() + ": " + note);
    const double parameters = static_cast<double>(result().model->parameter_count());
    char line[200];
    std::snprintf(line, sizeof line, "%s: %.2f M parameters on %s, %d compute threads, %s",
                  name().c_str(), parameters / 1e6, engine.device().c_str(), engine.threads(),
                  engine.instruction_set().c_str());
    context.reporter().say(line);
    if (const std::string reason = engine.why_no_gpu(); !reason.empty()) {
      context.reporter().say(name() + ": the CPU computes: " + reason);
    }
    if (const std::string note = engine.device_note(); !note.empty()) {
      context.reporter().say(name() + ": " + note);
    }
    // What training must share to give the same bits.
    context.summary()["machine"] = {{"device", engine.device()},
                                    {"compute_threads", engine.threads()},
                                    {"instruction_set", engine.instruction_set()},
                                    {"libtorch", engine.libtorch_version()}};
  }

  graph::Workers workers() const override { return graph::Workers::each; }

  /// Cheaper to make again than to keep.
  void restore(const std::filesystem::path&, graph::StepContext& context) override {
    const graph::Json before = context.summary().value("machine", graph::Json());
    run(context);
    if (before != context.summary()["machine"]) {
      context.reporter().say(name() + ": resumed on another kind of machine (" + before.dump() +
                             " before): results may differ in their last bits");
    }
  }

 private:
  /// A head that is drawn has the vocabulary's tokens, all of them and no others.
  void check_fresh_head() {
    const io::Tokenizer& tokenizer = *description_.tokenizer;
    if (tokenizer.size() < description_.config.vocab_size) {
      throw io::Error((place_.folder.empty() ? config_folder_ : place_.folder.string()) + ": " +
                      small_vocabulary(description_.config, tokenizer) +
                      "; a model node's key \"vocabulary\" gives it another one");
    }
    if (tokenizer.blank_id() < description_.config.vocab_size) {
      take_blank_of_vocabulary(description_);
    }
  }

  /// "12 layers of 768, 32 tokens, 16000 Hz"
  std::string size() const {
    return std::to_string(config().num_hidden_layers) + " layers of " +
           std::to_string(config().hidden_size) + ", " + std::to_string(config().vocab_size) +
           " tokens, " + std::to_string(extractor().rate_hz) + " Hz";
  }

  ModelPlace place_;  ///< no folder: fresh weights for config_folder_
  std::string config_folder_;
  double blank_bias_;
  io::TextRules text_rules_;
  model::EngineOptions options_;
  ModelDescription description_;
  Stage stage_ = Stage::float32;
  std::optional<model::Policy> policy_;  ///< of a fake-quantized folder
};

const graph::Register registered({
    .name = "model",
    .doc = "a wav2vec2 CTC model: pretrained weights, those of another run, or fresh ones",
    .output = graph::EdgeKind::model,
    .params = model_param_specs(),
    .make = [](graph::NodeArguments a) { return std::make_unique<ModelSource>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
