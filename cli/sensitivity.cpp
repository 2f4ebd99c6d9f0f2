/// Quantizes a calibrated model's layers by turns and measures what each costs on a corpus, against
/// the logits of the same model in float.
#include <chrono>
#include <cmath>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/calibration.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/given_model.h"
#include "cli/index_progress.h"
#include "cli/output_file.h"
#include "cli/sensitivity_arguments.h"
#include "cli/sensitivity_report.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/json_lines.h"
#include "graph/rejections.h"
#include "graph/usable_cores.h"
#include "nodes/support/engine_options.h"
#include "nodes/support/model_batch.h"
#include "nodes/support/score.h"
#include "recognizer/decoding.h"

namespace flowqat::cli {
namespace {

using Clock = std::chrono::steady_clock;
using graph::format;
using nodes::Layers;
using nodes::Unit;

/// The scores of the frames that stand for speech, row by row.
std::vector<float> speech_logits(const model::Logits& logits) {
  std::vector<float> values;
  for (int64_t row = 0; row < logits.rows; ++row) {
    const auto begin = logits.values.begin() + row * logits.frames * logits.vocabulary;
    const int64_t frames = logits.lengths_frames[static_cast<size_t>(row)];
    values.insert(values.end(), begin, begin + frames * logits.vocabulary);
  }
  return values;
}

/// Hears the same utterances again and again, each time with other layers quantized.
class Listener {
 public:
  Listener(const nodes::ModelState& state, CorpusAudio& audio, int64_t limit, Terminal& terminal,
           const std::atomic<int>& stop_signal)
      : state_(state),
        audio_(audio),
        utterances_(static_cast<int64_t>(audio.utterances())),
        terminal_(terminal),
        stop_signal_(stop_signal),
        rejections_([&terminal](const std::string& line) { terminal.say("flowqat: " + line); }) {
    if (limit > 0) utterances_ = std::min(utterances_, limit);
  }

  /// How many evaluations lie ahead, for the time left; unknown where 0.
  void expect(int evaluations) { expected_ = evaluations; }
  int64_t utterances() const { return heard_; }

  struct Measured {
    nodes::ErrorCounts words;
    double logit_error = 0;
  };

  /// The float model: what the others are compared with.
  Measured reference(const std::string& what) {
    state_.model->set_fake_quantization(false);
    reference_.clear();
    return listen(what, true);
  }

  Measured with(const Layers& quantized, const std::string& what) {
    state_.model->fake_quantize_only(quantized);
    return listen(what, false);
  }

 private:
  Measured listen(const std::string& what, bool is_reference) {
    Measured measured;
    double difference = 0, power = 0;
    heard_ = 0;
    const auto started = Clock::now();
    const auto stream = audio_.open();
    for (size_t at = 0; heard_ < utterances_; ++at) {
      const auto batch = stream->next();
      if (!batch) break;
      if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
      if (is_reference) tell_rejected(*batch);
      const nodes::ModelBatch prepared =
          nodes::to_model_batch(*batch, *state_.tokenizer, state_.model->config());
      heard_ += std::ssize(batch->rows);
      const io::TextNormalizer normalize(*state_.tokenizer, io::TextNormalization::vocabulary);
      for (const graph::Row* row : prepared.too_short) {
        measured.words += nodes::score(normalize(row->entry->transcript), "").word_errors;
      }
      std::vector<float> values;
      if (prepared.audio.rows > 0) {
        const model::Logits logits = state_.model->infer(prepared.audio);
        values = speech_logits(logits);
        const std::vector<std::string> texts = recognizer::texts_of(logits, *state_.tokenizer);
        for (size_t row = 0; row < texts.size(); ++row) {
          measured.words +=
              nodes::score(normalize(prepared.rows[row]->entry->transcript), texts[row])
                  .word_errors;
        }
      }
      if (is_reference) {
        reference_.push_back(std::move(values));
      } else {
        for (size_t i = 0; i < values.size(); ++i) {
          const double wanted = reference_[at][i], error = values[i] - wanted;
          difference += error * error;
          power += wanted * wanted;
        }
      }
      tell_progress(what, started);
    }
    evaluation_s_ = std::chrono::duration<double>(Clock::now() - started).count();
    if (expected_ > 0) --expected_;
    measured.logit_error = power > 0 ? std::sqrt(difference / power) : 0;
    return measured;
  }

  void tell_rejected(const graph::Batch& batch) {
    for (const graph::Row& row : batch.rows) {
      rejections_.add(row);
    }
  }

  void tell_progress(const std::string& what, Clock::time_point started) {
    graph::Progress progress{
        .what = what, .done = heard_, .total = utterances_, .unit = "utterances"};
    if (rejections_.count() > 0) {
      progress.more = {format("%lld rejected", static_cast<long long>(rejections_.count()))};
    }
    // The first evaluation is what the others are foretold by, as soon as a part of it is done.
    const double gone_s = std::chrono::duration<double>(Clock::now() - started).count();
    const double each_s = evaluation_s_ > 0 ? evaluation_s_
                          : gone_s > 1      ? gone_s / progress.share()
                                            : 0;
    if (expected_ > 0 && each_s > 0) progress.left_s = std::max(0.0, expected_ * each_s - gone_s);
    terminal_.progress(progress);
  }

  const nodes::ModelState& state_;
  CorpusAudio& audio_;
  int64_t utterances_, heard_ = 0;
  Terminal& terminal_;
  const std::atomic<int>& stop_signal_;
  std::vector<std::vector<float>> reference_;  ///< a batch each
  graph::Rejections rejections_;
  int expected_ = 0;
  double evaluation_s_ = 0;  ///< of the last
};

Sensitivity measure(Listener& listener, std::vector<Unit> units,
                    const SensitivityArguments& arguments, const OutputFile& out) {
  std::optional<graph::JsonLines> listing;
  if (out) listing.emplace(out.partial());
  Sensitivity found;
  found.budget = arguments.budget;
  listener.expect(static_cast<int>(units.size()) + 2);
  const auto in_float = listener.reference("in float");
  if (in_float.words.references() == 0) {
    throw graph::RunError(arguments.manifest + ": holds no transcript to compare with");
  }
  found.utterances = listener.utterances();
  found.wer_float = in_float.words.rate();
  Layers all;
  for (size_t i = 0; i < units.size(); ++i) {
    Unit& unit = units[i];
    const auto measured = listener.with(
        unit.layers, format("%zu of %zu, %.150s", i + 1, units.size(), unit.name.c_str()));
    unit.wer = measured.words.rate();
    unit.logit_error = measured.logit_error;
    if (listing) listing->add(as_json(unit, found.wer_float));
    all.insert(all.end(), unit.layers.begin(), unit.layers.end());
  }
  nodes::sort_worst_first(units);
  found.proposal =
      nodes::propose(units, found.wer_float + arguments.budget / 100, [&](const Layers& quantized) {
        const auto measured = listener.with(
            quantized, format("mixed, %zu of %zu layers quantized", quantized.size(), all.size()));
        if (quantized.size() == all.size()) found.logit_error_all = measured.logit_error;
        return measured.words.rate();
      });
  found.wer_all = found.proposal.wer_all;
  found.units = std::move(units);
  return found;
}

int sensitivity(const SensitivityArguments& arguments) {
  quiet_openmp();
  const model::Policy policy = read_policy(arguments.policy, arguments.choices);
  const CorpusOptions observed = calibration_corpus(arguments);
  Terminal terminal;
  OutputFile out(arguments.out, arguments.overwrite);
  OutputFile policy_out(arguments.policy_out, arguments.overwrite);
  const std::filesystem::path folder = folder_of_model(arguments.model, terminal);
  nodes::ModelDescription description = nodes::read_description(folder);
  check_is_float(folder);
  const std::atomic<int>& stop_signal = catch_stop_signals();
  CorpusAudio audio(evaluation_corpus(arguments), description.extractor, index_progress(terminal));
  audio.transcripts({*description.tokenizer, io::TextNormalization::vocabulary});
  nodes::configure_engine({.device = arguments.device, .threads = graph::usable_cores()},
                          description.notes);
  const nodes::ModelState state = nodes::load_model(folder, description);
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  {
    CorpusAudio calibration(observed, description.extractor, index_progress(terminal));
    calibrate(*state.model, *state.tokenizer, policy, calibration, arguments.batches, terminal,
              stop_signal);
  }
  const Layers layers = state.model->quantizable_layers();
  Listener listener(state, audio, arguments.limit, terminal, stop_signal);
  Sensitivity found =
      measure(listener, nodes::units_of(policy, layers, arguments.by == "part"), arguments, out);
  found.policy = nodes::with_float(policy, found.proposal.in_float, layers);
  if (out) out.keep();
  policy_out.write(graph::Json(model::policy_to_json(found.policy)).dump(2) + "\n");
  if (arguments.json) {
    graph::Json json = as_json(found);
    json["model"] = arguments.model;
    json["manifest"] = arguments.manifest;
    terminal.result(graph::json_line(json));
  } else {
    terminal.result(as_text(found));
  }
  for (const std::string& file : {arguments.out, arguments.policy_out}) {
    if (!file.empty()) terminal.say("written to " + file);
  }
  return kDone;
}

}  // namespace

Command sensitivity_command() {
  const auto told = std::make_shared<SensitivityArguments>();
  return {.name = "sensitivity",
          .doc = "what each layer's quantization costs, and which layers to leave in float",
          .examples = {"flowqat sensitivity models/mine --manifest data/dev --limit 200 "
                       "--policy-out mixed.json",
                       "flowqat sensitivity models/mine --manifest data/dev --by part"},
          .arguments = sensitivity_arguments(*told),
          .run = [told] { return sensitivity(*told); }};
}

}  // namespace flowqat::cli
