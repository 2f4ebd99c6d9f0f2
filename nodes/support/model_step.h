/// What the steps of the lower line hand on to each other: a model with all that belongs to it.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "graph/error.h"
#include "graph/node.h"
#include "io/text/processor.h"
#include "io/text/text_normalizer.h"
#include "io/text/tokenizer.h"
#include "model/model.h"

namespace flowqat::nodes {

/// How far a model has come. Its name is its key in summary.json.
enum class Stage { float32, ptq, fake_quantized, int8 };
std::string stage_name(Stage stage);
/// "a float model", for messages.
std::string describe(Stage stage);

struct ModelState {
  std::shared_ptr<model::Model> model;
  std::shared_ptr<const io::Tokenizer> tokenizer;
  io::FeatureExtractor extractor;
  Stage stage = Stage::float32;
};

/// A step that gives a model. Consumers register when the graph is built; when the last one has
/// taken what it needs, the memory is given back.
class ModelStep : public graph::Step {
 public:
  using Step::Step;

  /// The configuration of the model that this step will give, known before anything is run.
  virtual const model::Config& config() const = 0;
  virtual const io::Tokenizer& tokenizer() const = 0;
  virtual const io::FeatureExtractor& extractor() const = 0;
  /// False while the model must still be fetched: what is said of it above is wav2vec2-base's.
  virtual bool knows_config() const { return true; }
  /// How far the model that this step will give has come; none while that is not known.
  virtual std::optional<Stage> stage() const = 0;
  /// How the model that this step will give is quantized, where that is known by then; or null.
  virtual const model::Policy* policy() const { return nullptr; }
  /// How transcripts are brought to this model's vocabulary.
  virtual io::TextRules text_rules() const = 0;

  void add_consumer() { ++consumers_; }
  /// The result, to be read. Valid until the caller calls done_with().
  const ModelState& result() const { return result_; }
  /// The result for a consumer that will change it: the model itself if no one else needs it, else
  /// a copy. Counts as done_with().
  ModelState take();
  /// Tells that one consumer needs the result no longer.
  void done_with();

 protected:
  void give(ModelState result) { result_ = std::move(result); }

 private:
  ModelState result_;
  int consumers_ = 0;
};

/// A step that works on another step's model.
class ModelConsumer : public ModelStep {
 public:
  ModelConsumer(std::string name, graph::Node* input)
      : ModelStep(std::move(name)), input_(dynamic_cast<ModelStep&>(*input)) {
    input_.add_consumer();
  }
  const model::Config& config() const override { return input_.config(); }
  const io::Tokenizer& tokenizer() const override { return input_.tokenizer(); }
  const io::FeatureExtractor& extractor() const override { return input_.extractor(); }
  bool knows_config() const override { return input_.knows_config(); }
  std::optional<Stage> stage() const override { return input_.stage(); }
  const model::Policy* policy() const override { return input_.policy(); }
  io::TextRules text_rules() const override { return input_.text_rules(); }

 protected:
  ModelStep& input() { return input_; }
  const ModelStep& input() const { return input_; }

 private:
  ModelStep& input_;
};

}  // namespace flowqat::nodes
