/// Puts fake quantizers into a copy of the model and lets them observe some batches. The result is
/// what post-training quantization (PTQ) gives.
#include "graph/registry.h"
#include "graph/run.h"
#include "nodes/model_batch.h"
#include "nodes/model_folder.h"

namespace flowqat::nodes {
namespace {

class Calibrate : public ModelConsumer {
 public:
  explicit Calibrate(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        audio_(dynamic_cast<const graph::Batcher&>(*arguments.inputs.one("audio"))),
        batches_(arguments.params.integer("batches")),
        policy_{.feature_extractor = arguments.params.text("feature_extractor"),
                .encoder = arguments.params.text("encoder")} {
    if (policy_.feature_extractor == "none" && policy_.encoder == "none") {
      throw graph::GraphError(
          "\"feature_extractor\" and \"encoder\" are both \"none\": nothing would be "
          "quantized");
    }
  }

  void run(graph::StepContext& context) override {
    ModelState state = input().take();
    state.model->insert_fake_quantizers(policy_);
    graph::Pipeline& pipeline = context.audio(audio_);
    check_rate(pipeline, state.extractor);
    const auto stream = pipeline.open(name(), 0);
    int64_t observed = 0;
    while (observed < batches_) {
      const auto batch = stream->next();
      if (!batch) break;
      context.throw_if_stopped();
      const ModelBatch prepared = to_model_batch(*batch, *state.tokenizer, config());
      if (prepared.audio.rows > 0) state.model->observe(prepared.audio);
      context.reporter().progress(name() + ": batch " + std::to_string(++observed) + " of " +
                                  std::to_string(batches_));
    }
    state.model->finish_calibration();
    state.stage = Stage::ptq;
    context.reporter().say(name() + ": ranges from " + std::to_string(observed) + " batches (" +
                           policy_.feature_extractor + " on the feature extractor, " +
                           policy_.encoder + " on the encoder)");
    give(std::move(state));
  }

  void save(const std::filesystem::path& folder) const override { save_model(result(), folder); }

  void restore(const std::filesystem::path& folder, graph::StepContext&) override {
    ModelState state = load_model(folder);
    state.stage = Stage::ptq;
    give(std::move(state));
    input().done_with();
  }

 private:
  const graph::Batcher& audio_;
  int64_t batches_;
  model::Policy policy_;
};

std::vector<std::string> presets() {
  std::vector<std::string> names = model::preset_names();
  names.push_back("none");
  return names;
}

using graph::ParamKind;

const graph::Register registered({
    .name = "calibrate",
    .doc = "inserts fake quantizers and observes ranges: post-training quantization",
    .output = graph::EdgeKind::model,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "the float model"},
               {.key = "audio", .kind = graph::EdgeKind::batches, .doc = "what is observed"}},
    .params =
        {
            {.name = "batches",
             .kind = ParamKind::integer,
             .fallback = 16,
             .minimum = 1,
             .doc = "how many batches are observed"},
            {.name = "feature_extractor",
             .kind = ParamKind::choice,
             .fallback = "qnnpack",
             .choices = presets(),
             .doc = "preset for the seven convolutions"},
            {.name = "encoder",
             .kind = ParamKind::choice,
             .fallback = "fbgemm",
             .choices = presets(),
             .doc = "preset for the six linear layers of every encoder layer"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<Calibrate>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
