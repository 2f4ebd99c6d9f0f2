/// Greedy word and character error rates, size and speed of one or more models on the same stream,
/// and how certain their differences are.
#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/json_text.h"
#include "graph/divided_stream.h"
#include "graph/format.h"
#include "graph/registry.h"
#include "graph/run.h"
#include "graph/time_left.h"
#include "nodes/support/differences.h"
#include "nodes/support/heard_batch.h"
#include "nodes/support/inference.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/model_folder.h"
#include "nodes/support/out_of_memory.h"
#include "nodes/support/score.h"
#include "nodes/support/step_checks.h"
#include "nodes/support/transcripts.h"
#include "recognizer/decoding.h"

namespace flowqat::nodes {
namespace {

using graph::format;

class Evaluate : public graph::Step {
 public:
  explicit Evaluate(const graph::NodeArguments& arguments)
      : Step(arguments.name),
        audio_(dynamic_cast<const graph::Batcher&>(*arguments.inputs.one("audio"))),
        kernels_(arguments.params.text("kernels")) {
    for (graph::Node* node : arguments.inputs.all("models")) {
      models_.push_back(&dynamic_cast<ModelStep&>(*node));
      models_.back()->add_consumer();
    }
  }

  void check(graph::CheckContext& context) const override {
    for (const ModelStep* step : models_) {
      check_transcripts(context, audio_, *this, *step, "compare with");
      check_rate(context, audio_, *step);
    }
    context.leaves(name() + "-*.jsonl");
  }

  void run(graph::StepContext& context) override {
    std::string table = format("%-16s %8s %8s %10s %12s\n", name().c_str(), "WER %", "CER %",
                               "size MB", "x real time");
    const std::vector<std::string> names = labels();  // while every model is still there
    const size_t baseline = baseline_of(models_);
    std::vector<UtteranceErrors> errors;
    for (size_t i = 0; i < models_.size(); ++i) {
      ModelStep* step = models_[i];
      Result result = evaluate(*step, names[i], context);
      write(result, context);
      context.reporter().say(format("%s: %s: WER %.2f %%, CER %.2f %%", name().c_str(),
                                    result.label.c_str(), 100 * result.words.rate(),
                                    100 * result.characters.rate()));
      table += format("%-16s %8.2f %8.2f %10.2f %12.1f\n", result.label.c_str(),
                      100 * result.words.rate(), 100 * result.characters.rate(),
                      static_cast<double>(result.bytes) / 1e6, result.x_realtime());
      errors.push_back(std::move(result.utterances));
      step->done_with();
    }
    table += compare(names, errors, baseline, context);
    context.result(std::move(table));
  }

  graph::Workers workers() const override { return graph::Workers::all; }

  void restore(const std::filesystem::path&, graph::StepContext&) override {
    for (ModelStep* step : models_) step->done_with();
  }

 private:
  struct Result {
    std::string label;
    ErrorCounts words, characters;
    UtteranceErrors utterances;
    int64_t rows = 0;    ///< that came so far
    double audio_s = 0;  ///< of all processes
    double infer_s = 0;  ///< of the one that took longest
    int64_t bytes = 0;
    double x_realtime() const { return infer_s > 0 ? audio_s / infer_s : 0; }
  };

  /// A model's stage; its node's name where another model of that stage comes before it.
  std::vector<std::string> labels() const {
    std::vector<std::string> names;
    for (const ModelStep* step : models_) {
      const std::string stage = stage_name(step->result().stage);
      const bool is_taken = std::find(names.begin(), names.end(), stage) != names.end();
      names.push_back(is_taken ? step->name() : stage);
    }
    return names;
  }

  Result evaluate(const ModelStep& step, const std::string& label,
                  graph::StepContext& context) const {
    const ModelState& state = step.result();
    const std::shared_ptr<const model::AcousticModel> inference = inference_of(state, kernels_);
    Result result{.label = label,
                  .words = {},
                  .characters = {},
                  .utterances = {},
                  .bytes = weights_bytes(*state.model)};
    graph::JsonLines transcripts = context.write_list(name() + "-" + result.label + ".jsonl");
    graph::Pipeline& pipeline = context.audio(audio_);
    const io::TextNormalizer normalize(*state.tokenizer, step.text_rules());
    tell_transcripts(context, audio_, *this, normalize, "compare with");
    graph::Together& together = context.together();
    graph::DividedStream stream(together, pipeline, name(), 0);
    const graph::Extent extent = stream.extent();
    const graph::TimeLeft time;
    double padded_s = 0;
    int64_t done = 0;
    ErrorCounts words;  // of this process
    std::vector<HeardBatch> own;
    while (const auto batch = stream.next()) {
      context.throw_if_stopped();
      own.push_back(hear(*batch, *inference, step, normalize));
      for (const HeardBatch::Utterance& heard : own.back().utterances) words += heard.words;
      padded_s += batch->padded_s();
      done += std::ssize(batch->rows);
      if (together.is_alone()) add(std::exchange(own, {}), result, transcripts);
      context.progress({.what = name() + ": " + result.label,
                        .done = together.size() * done,
                        .total = extent.utterances,
                        .unit = "utterances",
                        .more = {format("WER %.2f %%", 100 * words.rate())},
                        .left_s = time.left_s(together.size() * padded_s / extent.padded_s)});
    }
    if (stream.is_stopped()) context.throw_if_stopped();
    if (!together.is_alone()) {
      const std::vector<std::string> of_all = together.gather(to_text(own));
      add(in_order(of_all), result, transcripts);
      result.infer_s = longest_infer_s(of_all);
    }
    transcripts.sync();
    if (result.words.references() == 0) {
      throw graph::RunError("node \"" + name() +
                            "\": the stream holds no transcript to compare with");
    }
    return result;
  }

  HeardBatch hear(const graph::Batch& batch, const model::AcousticModel& model,
                  const ModelStep& step, const io::TextNormalizer& normalize) const {
    using Clock = std::chrono::steady_clock;
    const io::Tokenizer& tokenizer = *step.result().tokenizer;
    const ModelBatch prepared = to_model_batch(batch, tokenizer, step.config());
    HeardBatch heard{
        .number = batch.number, .rows = std::ssize(batch.rows), .audio_s = batch.speech_s()};
    const auto started = Clock::now();
    const std::vector<std::string> texts = within_memory(name(), prepared.rows, [&] {
      return recognizer::recognize(model, tokenizer, prepared.audio);
    });
    heard.infer_s = std::chrono::duration<double>(Clock::now() - started).count();
    const auto add = [&](const graph::Row& row, const std::string& text) {
      const graph::IndexEntry& entry = *row.entry;
      const std::string reference = normalize(entry.transcript);
      const Score scored = score(reference, text);
      heard.utterances.push_back(
          {.row = &row - batch.rows.data(),
           .words = scored.word_errors,
           .characters = scored.character_errors,
           .line = listing(entry, reference, text, scored)
                       .dump(-1, ' ', false, graph::Json::error_handler_t::replace)});
    };
    for (size_t row = 0; row < texts.size(); ++row) add(*prepared.rows[row], texts[row]);
    for (const graph::Row* row : prepared.too_short) add(*row, "");
    return heard;
  }

  static void add(const std::vector<HeardBatch>& batches, Result& result,
                  graph::JsonLines& transcripts) {
    for (const HeardBatch& batch : batches) {
      for (const HeardBatch::Utterance& heard : batch.utterances) {
        result.words += heard.words;
        result.characters += heard.characters;
        result.utterances.add(result.rows + heard.row, heard.words, heard.characters);
        transcripts.add(parse_json<graph::Json>(heard.line));
      }
      result.rows += batch.rows;
      result.audio_s += batch.audio_s;
      result.infer_s += batch.infer_s;
    }
  }

  void write(const Result& result, graph::StepContext& context) const {
    graph::Json& summary = context.summary()["evaluations"][name()];
    summary["wer"][result.label] = result.words.rate();
    summary["cer"][result.label] = result.characters.rate();
    summary["x_realtime"][result.label] = result.x_realtime();
    summary["size_bytes"][result.label] = result.bytes;
    context.metric({{"model", result.label},
                    {"wer", result.words.rate()},
                    {"substitutions", result.words.substitutions},
                    {"deletions", result.words.deletions},
                    {"insertions", result.words.insertions},
                    {"reference_words", result.words.references()},
                    {"cer", result.characters.rate()},
                    {"character_errors", result.characters.errors()},
                    {"reference_characters", result.characters.references()},
                    {"audio_s", result.audio_s},
                    {"infer_s", result.infer_s}});
  }

  /// The first model in float, else the first.
  static size_t baseline_of(const std::vector<ModelStep*>& models) {
    const auto is_float = [](const ModelStep* step) {
      return step->result().stage == Stage::float32;
    };
    const auto found = std::find_if(models.begin(), models.end(), is_float);
    return found == models.end() ? 0 : static_cast<size_t>(found - models.begin());
  }

  /// The table of the others' differences to the baseline, which go into the summary too.
  std::string compare(const std::vector<std::string>& names,
                      const std::vector<UtteranceErrors>& errors, size_t baseline,
                      graph::StepContext& context) const {
    if (names.size() < 2) return "";
    graph::Json summary{{"to", names[baseline]}, {"confidence", confidence}};
    std::vector<Differences> others;
    for (size_t i = 0; i < names.size(); ++i) {
      if (i == baseline) continue;
      others.push_back(differences(names[i], {errors[i], errors[baseline]}, context.seed()));
      summary["wer"][names[i]] = as_json(others.back().wer);
      summary["cer"][names[i]] = as_json(others.back().cer);
    }
    context.summary()["evaluations"][name()]["differences"] = std::move(summary);
    return "\n" + differences_table(others, names[baseline]);
  }

  const graph::Batcher& audio_;
  std::string kernels_;
  std::vector<ModelStep*> models_;
};

const graph::Register registered({
    .name = "evaluate",
    .doc = "greedy word and character error rates, size and speed of models on the same audio",
    .output = graph::EdgeKind::none,
    .may_end = true,
    .inputs = {{.key = "models",
                .kind = graph::EdgeKind::model,
                .many = true,
                .doc = "the models to compare"},
               {.key = "audio",
                .kind = graph::EdgeKind::batches,
                .doc = "the dev split; batches of one avoid padding"}},
    .params = {{.name = "kernels",
                .kind = graph::ParamKind::choice,
                .fallback = "fastest",
                .choices = kernel_names(),
                .doc =
                    "of int8 models: this processor's fastest instructions, those of a target, or "
                    "(exact) each layer's own engine"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Evaluate>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
