/// Puts fake quantizers into a copy of the model and lets them observe some batches. The result is
/// what post-training quantization (PTQ) gives.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "graph/plain_numbers.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "graph/time_left.h"
#include "nodes/support/given_policy.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/out_of_memory.h"
#include "nodes/support/step_checks.h"

namespace flowqat::nodes {
namespace {

model::Policy read_policy(const graph::Params& params) {
  graph::Json object = graph::Json::object();
  for (const auto& [part, choice] : model::policy_parts) object[part] = params.json(part);
  object["exceptions"] = params.json("exceptions");
  model::Policy policy = given_policy(nlohmann::json(object), "policy");
  const auto is_float = [&](const auto& part) { return !(policy.*part.second); };
  if (std::ranges::all_of(model::policy_parts, is_float) && policy.exceptions.empty()) {
    throw graph::GraphError("every part is \"none\": nothing would be quantized");
  }
  return policy;
}

/// "7 layers for qnnpack, 18 for fbgemm, 3 in float"
std::string layer_counts(const model::Policy& policy, const model::Model& model) {
  int qnnpack = 0, fbgemm = 0, in_float = 0;
  for (const std::string& layer : model.quantizable_layers()) {
    const model::LayerChoice choice = model::choice_for(policy, layer);
    ++(!choice ? in_float : choice->engine == model::QuantEngine::qnnpack ? qnnpack : fbgemm);
  }
  return std::to_string(qnnpack) + " layers for qnnpack, " + std::to_string(fbgemm) +
         " for fbgemm, " + std::to_string(in_float) + " in float";
}

class Calibrate : public ModelConsumer {
 public:
  explicit Calibrate(const graph::NodeArguments& arguments)
      : ModelConsumer(arguments.name, arguments.inputs.one("model")),
        audio_(dynamic_cast<const graph::Batcher&>(*arguments.inputs.one("audio"))),
        batches_(arguments.params.integer("batches")),
        policy_(read_policy(arguments.params)) {}

  const model::Policy* policy() const override { return &policy_; }
  std::optional<Stage> stage() const override { return Stage::ptq; }

  void check(graph::CheckContext& context) const override {
    check_stage(*this, input(), {Stage::float32}, "calibration begins with a float one");
    check_rate(context, audio_, input());
  }

  void run(graph::StepContext& context) override {
    ModelState state = input().take();
    state.model->insert_fake_quantizers(policy_);
    const int64_t passes = state.model->needs_second_pass() ? 2 : 1;
    int64_t observed = 0, utterances = 0;
    const graph::TimeLeft time;
    for (int64_t pass = 0; pass < passes; ++pass) {
      if (pass > 0) state.model->begin_second_pass();
      observed = utterances = 0;
      // A stream's next epoch, so that nothing that is rejected is written down twice for one.
      const auto stream = context.audio(audio_).open(name(), pass);
      const int64_t batches = std::min(batches_, stream->extent().batches);
      while (observed < batches) {
        const auto batch = stream->next();
        if (!batch) break;
        context.throw_if_stopped();
        const ModelBatch prepared = to_model_batch(*batch, *state.tokenizer, config());
        const auto rows = one_by_one(prepared.audio);
        for (size_t row = 0; row < rows.size(); ++row) {
          within_memory(name(), {prepared.rows[row]}, [&] { state.model->observe(rows[row]); });
        }
        utterances += prepared.audio.rows;
        ++observed;
        const int64_t done = pass * batches + observed, all = passes * batches;
        const double share = static_cast<double>(done) / static_cast<double>(all);
        context.progress({.what = name(),
                          .done = done,
                          .total = all,
                          .unit = "batches",
                          .left_s = time.left_s(share)});
      }
      if (utterances == 0) break;
    }
    if (utterances == 0) {
      throw graph::RunError("node \"" + name() + "\": none of the utterances in " +
                            graph::counted(observed, "batch", "batches") +
                            " could be used; rejected.jsonl says why");
    }
    state.model->finish_calibration();
    state.stage = Stage::ptq;
    context.reporter().say(name() + ": ranges from " +
                           graph::counted(observed, "batch", "batches") + " (" +
                           layer_counts(policy_, *state.model) + ")");
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

using graph::ParamKind;

graph::ParamSpec part(const char* name, const char* preset, const char* doc) {
  return {.name = name, .kind = ParamKind::text_or_object, .fallback = preset, .doc = doc};
}

const graph::Register registered({
    .name = "calibrate",
    .doc = "inserts fake quantizers and observes ranges: post-training quantization",
    .output = graph::EdgeKind::model,
    .inputs = {{.key = "model", .kind = graph::EdgeKind::model, .doc = "the float model"},
               {.key = "audio",
                .kind = graph::EdgeKind::batches,
                .doc = "what is observed, utterance by utterance"}},
    .params =
        {
            {.name = "batches",
             .kind = ParamKind::integer,
             .fallback = 16,
             .minimum = 1,
             .doc = "how many batches are observed"},
            part("feature_extractor", "qnnpack_clipped",
                 "the convolutions: a preset, \"none\", or an object of a scheme's fields"),
            part("feature_projection", "none", "the same for the map to the encoder's width"),
            part("positional_conv", "none", "the same for the positional convolution"),
            part("attention", "fbgemm", "the same for q, k, v and out of every encoder layer"),
            part("feed_forward", "fbgemm", "the same for both linear layers of a feed-forward"),
            part("head", "none", "the same for the map to the tokens"),
            {.name = "exceptions",
             .kind = ParamKind::objects,
             .fallback = graph::Default::empty_list(),
             .doc =
                 "{\"match\": a layer's name with * ? [a-b], \"choice\": as of a part}; the last "
                 "that matches decides"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<Calibrate>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
