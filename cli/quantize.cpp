/// Post-training quantization: calibrates a float folder's model and writes it as int8.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/calibration.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/given_model.h"
#include "cli/index_progress.h"
#include "cli/model_output.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/json_lines.h"
#include "graph/plain_numbers.h"
#include "graph/run_folder.h"
#include "graph/usable_cores.h"
#include "nodes/support/engine_options.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;
using graph::format;

struct QuantizeArguments : CalibrationArguments {
  std::string out;  ///< the folder to write
  int64_t batch = kCalibrationBatch;
  bool fake = false;                  ///< fake-quantized instead of int8
  bool half_positional_conv = false;  ///< store that convolution's weight in half precision
  bool overwrite = false;
};

struct Outcome {
  Calibration seen;
  int64_t layers = 0, quantized = 0;
  int64_t float_bytes = 0, bytes = 0;  ///< of the weights, in float32 and as written
  double share() const { return static_cast<double>(bytes) / static_cast<double>(float_bytes); }
};

std::string as_text(const Outcome& outcome, bool fake) {
  return graph::counted(outcome.quantized, "layer") + " quantized, " +
         graph::whole_text(outcome.layers - outcome.quantized) + " left in float; ranges from " +
         graph::counted(outcome.seen.utterances, "utterance") + ", " +
         graph::duration_text(outcome.seen.audio_s) + "\n" +
         format("weights: %.2f MB in float, %.2f MB %s, %.1f %%\n",
                static_cast<double>(outcome.float_bytes) / 1e6,
                static_cast<double>(outcome.bytes) / 1e6, fake ? "fake-quantized" : "in int8",
                100 * outcome.share());
}

graph::Json as_json(const Outcome& outcome, const QuantizeArguments& arguments,
                    const model::Policy& policy) {
  return {{"model", arguments.model},
          {"out", arguments.out},
          {"layers_quantized", outcome.quantized},
          {"layers_in_float", outcome.layers - outcome.quantized},
          {"float_bytes", outcome.float_bytes},
          {"bytes", outcome.bytes},
          {"share", outcome.share()},
          {"batches", outcome.seen.batches},
          {"utterances", outcome.seen.utterances},
          {"audio_s", outcome.seen.audio_s},
          {"rejected", outcome.seen.rejected},
          {"policy", graph::Json(model::policy_to_json(policy))}};
}

int quantize(const QuantizeArguments& arguments) {
  quiet_openmp();
  const model::Policy policy = read_policy(arguments.policy, arguments.choices);
  Terminal terminal;
  const fs::path model = folder_of_model(arguments.model, terminal);
  check_model_output(model, arguments.out, arguments.overwrite);
  nodes::ModelDescription description = nodes::read_description(model);
  check_is_float(model);
  const std::atomic<int>& stop_signal = catch_stop_signals();
  CorpusAudio audio({.command = "quantize",
                     .manifest = arguments.manifest,
                     .splits = arguments.splits,
                     .batch = arguments.batch,
                     .shuffled = true,
                     .seed = arguments.seed,
                     .channel = arguments.channel},
                    description.extractor, index_progress(terminal));
  nodes::configure_engine({.device = arguments.device, .threads = graph::usable_cores()},
                          description.notes);
  nodes::ModelState state = nodes::load_model(model, description);
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);

  Outcome outcome;
  outcome.float_bytes = nodes::weights_bytes(*state.model);
  const std::vector<std::string> layers = state.model->quantizable_layers();
  outcome.layers = std::ssize(layers);
  outcome.quantized = std::ranges::count_if(
      layers, [&](const std::string& layer) { return choice_for(policy, layer).has_value(); });
  outcome.seen = calibrate(*state.model, *state.tokenizer, policy, audio, arguments.batches,
                           terminal, stop_signal);
  if (!arguments.fake) {
    state.model = state.model->convert({.half_positional_conv = arguments.half_positional_conv});
  }
  outcome.bytes = nodes::weights_bytes(*state.model);
  graph::write_folder(arguments.out, [&](const fs::path& folder) {
    nodes::save_model(state, folder);
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  });
  if (arguments.json) {
    terminal.result(graph::json_line(as_json(outcome, arguments, policy)));
  } else {
    terminal.result(as_text(outcome, arguments.fake));
  }
  terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace

Command quantize_command() {
  const auto told = std::make_shared<QuantizeArguments>();
  Argument out = output_option(told->out, "--out", "the folder to write", "DIR");
  out.required = true;
  return {.name = "quantize",
          .doc = "writes a float model as int8, with ranges from some speech, without training",
          .examples = {"flowqat quantize models/mine --manifest data/dev --out models/mine-int8",
                       "flowqat quantize models/mine --manifest data/dev --out models/mixed "
                       "--set feature_extractor=none"},
          .arguments = calibration_arguments(
              *told,
              {out,
               batch_option(told->batch),
               {.name = "--fake",
                .doc = "write the fake-quantized model instead of int8",
                .target = &told->fake},
               {.name = "--half-positional-conv",
                .doc = "store the positional convolution, where it stays float, in half precision",
                .target = &told->half_positional_conv,
                .excludes = "--fake"},
               overwrite_option(told->overwrite)}),
          .run = [told] { return quantize(*told); }};
}

}  // namespace flowqat::cli
