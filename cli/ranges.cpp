/// Shows what values the layers of a model take and what their grids make of them; of an int8 model
/// the integers.
#include <fnmatch.h>

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
#include "cli/int8_layers.h"
#include "cli/output_file.h"
#include "cli/range_picture.h"
#include "cli/ranges_report.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "graph/rejections.h"
#include "graph/time_left.h"
#include "graph/usable_cores.h"
#include "nodes/support/engine_options.h"
#include "nodes/support/model_batch.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;
using nodes::Stage;

struct RangesArguments : CalibrationArguments {
  std::vector<std::string> layers;  ///< names, or patterns with * ? [a-b]; empty: all
  int64_t limit = 32;               ///< utterances measured
  std::string svg;                  ///< a file to write, or empty
  bool overwrite = false;
};

/// Those of the layers that a pattern matches, in their order.
std::vector<std::string> chosen(const std::vector<std::string>& layers,
                                const std::vector<std::string>& patterns) {
  std::vector<bool> is_chosen(layers.size(), patterns.empty());
  for (const std::string& pattern : patterns) {
    bool is_found = false;
    for (size_t i = 0; i < layers.size(); ++i) {
      if (::fnmatch(pattern.c_str(), layers[i].c_str(), 0) != 0) continue;
      is_chosen[i] = is_found = true;
    }
    if (!is_found) {
      throw graph::GraphError("--layer \"" + pattern + "\" matches no layer; names are such as \"" +
                              (layers.empty() ? "" : layers.front()) + "\"");
    }
  }
  std::vector<std::string> found;
  for (size_t i = 0; i < layers.size(); ++i) {
    if (is_chosen[i]) found.push_back(layers[i]);
  }
  return found;
}

void require_nothing_for(const RangesArguments& arguments, const char* option, bool is_given,
                         const char* why) {
  if (is_given) throw graph::GraphError(arguments.model + ": " + why + ": leave out " + option);
}

/// Everything that only one kind of model takes.
void check(const RangesArguments& arguments, Stage stage) {
  const bool has_policy = !arguments.policy.empty() || !arguments.choices.empty();
  if (stage == Stage::int8) {
    constexpr const char* why = "an int8 model's grids are fixed, nothing is measured";
    require_nothing_for(arguments, "--manifest", !arguments.manifest.empty(), why);
    require_nothing_for(arguments, "--policy and --set", has_policy, why);
    return;
  }
  if (stage == Stage::fake_quantized) {
    require_nothing_for(arguments, "--policy and --set", has_policy,
                        "a fake-quantized model has its own policy");
  }
  if (arguments.manifest.empty()) {
    throw graph::GraphError("--manifest is needed: speech to measure " + arguments.model + " with");
  }
}

CorpusOptions corpus(const RangesArguments& arguments, int64_t batch) {
  return {.command = "ranges",
          .manifest = arguments.manifest,
          .splits = arguments.splits,
          .batch = batch,
          .shuffled = true,
          .seed = arguments.seed,
          .channel = arguments.channel};
}

struct Measured {
  std::vector<model::LayerRanges> layers;
  int64_t utterances = 0;
  double audio_s = 0;
};

/// One utterance at a time: no padding is among the values.
Measured measure(const nodes::ModelState& state, const std::vector<std::string>& layers,
                 CorpusAudio& audio, const RangesArguments& arguments, Terminal& terminal,
                 const std::atomic<int>& stop_signal) {
  const auto probe = state.model->probe(layers);
  const int64_t expected = std::min(arguments.limit, static_cast<int64_t>(audio.utterances()));
  graph::Rejections rejections([&](const std::string& line) { terminal.say("flowqat: " + line); });
  Measured measured;
  const graph::TimeLeft time;
  const auto stream = audio.open();
  while (measured.utterances < arguments.limit) {
    const auto batch = stream->next();
    if (!batch) break;
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
    for (const graph::Row& row : batch->rows) {
      if (row.rejected) rejections.add(row);
    }
    const nodes::ModelBatch prepared =
        nodes::to_model_batch(*batch, *state.tokenizer, state.model->config());
    if (prepared.audio.rows == 0) continue;
    probe->add(prepared.audio);
    measured.utterances += prepared.audio.rows;
    measured.audio_s += batch->speech_s();
    const double share = static_cast<double>(measured.utterances) / static_cast<double>(expected);
    terminal.progress({.what = "ranges",
                       .done = measured.utterances,
                       .total = expected,
                       .unit = "utterances",
                       .left_s = time.left_s(share)});
  }
  if (rejections.count() > 0) {
    terminal.say("flowqat: " + graph::counted(rejections.count(), "utterance") +
                 " could not be read and left out: " + rejections.by_reason());
  }
  if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  if (measured.utterances == 0) {
    throw graph::RunError(arguments.manifest + ": holds no audio that can be read");
  }
  measured.layers = probe->ranges();
  return measured;
}

template <class Layers>
void report(const Layers& layers, const RangesArguments& arguments, graph::Json about,
            OutputFile& svg, Terminal& terminal) {
  if (svg) svg.write(range_picture(as_picture(layers)));
  if (arguments.json) {
    about["layers"] = as_json(layers);
    terminal.result(about.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
  } else {
    terminal.result(as_text(layers));
  }
  if (svg) terminal.say("written to " + svg.path());
}

void show_integers(const fs::path& model, const RangesArguments& arguments, OutputFile& svg,
                   Terminal& terminal) {
  const nodes::ModelFiles files = nodes::read_files(model);
  std::vector<std::string> names;
  const auto layers = files.quantization.find("layers");
  if (layers != files.quantization.end() && layers->is_object()) {
    for (const auto& [name, state] : layers->items()) names.push_back(name);
  }
  report(int8_layers(files, chosen(names, arguments.layers)), arguments,
         {{"model", arguments.model}}, svg, terminal);
}

int ranges(const RangesArguments& arguments) {
  quiet_openmp();
  const model::Policy policy = read_policy(arguments.policy, arguments.choices);
  Terminal terminal;
  const fs::path model = folder_of_model(arguments.model, terminal);
  const Stage stage = nodes::stage_of(model);
  check(arguments, stage);
  nodes::ModelDescription description = nodes::read_description(model);
  OutputFile svg(arguments.svg, arguments.overwrite);
  if (stage == Stage::int8) {
    show_integers(model, arguments, svg, terminal);
    return kDone;
  }
  const std::atomic<int>& stop_signal = catch_stop_signals();
  CorpusAudio audio(corpus(arguments, 1), description.extractor, index_progress(terminal));
  nodes::configure_engine({.device = arguments.device, .threads = graph::usable_cores()},
                          description.notes);
  const nodes::ModelState state = nodes::load_model(model, description);
  for (const std::string& note : description.notes) terminal.say("flowqat: " + note);
  const std::vector<std::string> layers =
      chosen(state.model->quantizable_layers(), arguments.layers);
  if (stage == Stage::float32) {
    CorpusAudio calibration(corpus(arguments, kCalibrationBatch), description.extractor,
                            index_progress(terminal));
    calibrate(*state.model, *state.tokenizer, policy, calibration, arguments.batches, terminal,
              stop_signal);
    state.model->set_fake_quantization(false);
  }
  const Measured measured = measure(state, layers, audio, arguments, terminal, stop_signal);
  report(measured.layers, arguments,
         {{"model", arguments.model},
          {"manifest", arguments.manifest},
          {"utterances", measured.utterances},
          {"audio_s", measured.audio_s}},
         svg, terminal);
  return kDone;
}

}  // namespace

Command ranges_command() {
  const auto told = std::make_shared<RangesArguments>();
  Argument limit = limit_option(told->limit);
  limit.doc = "measure so many utterances, drawn by --seed, one by one";
  limit.fallback = {};
  std::vector<Argument> arguments = calibration_arguments(
      *told, {{.name = "--layer",
               .value = "NAME",
               .doc = "a layer, or a pattern such as '*.conv_layers.[0-3].conv'; may be repeated",
               .target = &told->layers,
               .fallback = "all of them"},
              limit,
              output_option(told->svg, "--svg", "draw the histograms and grids"),
              overwrite_option(told->overwrite)});
  for (Argument& argument : arguments) {
    if (argument.name == "--manifest") argument.required = false;
  }
  return {.name = "ranges",
          .doc = "what values each layer takes, and what its grid makes of them",
          .notes =
              "A float model is calibrated first, as quantize does it, and measured in float; "
              "a fake-quantized one is measured with its own grids. For input, weight and "
              "output of each layer: the least and the greatest value, the 0.1 and the 99.9 "
              "percentile, the grid's step, how many of its 255 steps lie between the "
              "quartiles, for half of the values, the share of values beyond the grid's ends, "
              "and the signal-to-noise ratio of rounding and clipping. Of an int8 model, "
              "without --manifest: scales, zero points, and the first integers of the weights.",
          .examples = {"flowqat ranges models/mine --manifest data/dev --layer '*.conv_layers.*' "
                       "--svg ranges.svg",
                       "flowqat ranges models/quantized --layer '*.conv_layers.1.conv'"},
          .arguments = std::move(arguments),
          .run = [told] { return ranges(*told); }};
}

}  // namespace flowqat::cli
