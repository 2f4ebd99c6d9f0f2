#include "cli/calibration.h"

#include <algorithm>
#include <filesystem>

#include "base/json_text.h"
#include "cli/arguments.h"
#include "graph/error.h"
#include "graph/plain_numbers.h"
#include "graph/rejections.h"
#include "graph/time_left.h"
#include "io/files/json_file.h"
#include "nodes/support/given_policy.h"
#include "nodes/support/model_batch.h"

namespace flowqat::cli {

using nlohmann::json;

std::vector<Argument> calibration_arguments(CalibrationArguments& told,
                                            const std::vector<Argument>& more) {
  std::vector<Argument> all{
      model_argument(told.model, "a float"),
      manifest_option(told.manifest),
      split_option(told.splits),
      channel_option(told.channel),
      {.name = "--policy",
       .value = "FILE",
       .doc = "a JSON object: each part's choice, and exceptions",
       .target = &told.policy,
       .fallback = "convolutions qnnpack_clipped, attention and feed-forward fbgemm"},
      {.name = "--set",
       .value = "PART=CHOICE",
       .doc = "a part's choice, over the file's: a preset, none, or an object of fields; may be "
              "repeated",
       .target = &told.choices},
      {.name = "--batches",
       .value = "N",
       .doc = "how many are observed",
       .target = &told.batches,
       .minimum = 1,
       .maximum = 1e6},
      seed_option(told.seed)};
  all.insert(all.end(), more.begin(), more.end());
  all.push_back(json_option(told.json));
  all.push_back(device_option(told.device));
  return all;
}

model::Policy read_policy(const std::string& file, const std::vector<std::string>& choices) {
  if (!file.empty() && !std::filesystem::exists(file)) {
    throw graph::GraphError("--policy " + file + ": no such file");
  }
  json object = file.empty() ? json::object() : io::read_json(file);
  if (!file.empty()) nodes::given_policy(object, file);
  for (const std::string& choice : choices) {
    const size_t equals = choice.find('=');
    if (equals == std::string::npos || equals == 0) {
      throw graph::GraphError("--set " + choice + ": expected PART=CHOICE");
    }
    const std::string part = choice.substr(0, equals), text = choice.substr(equals + 1);
    json value;
    try {
      value = parse_json<json>(text);
    } catch (const JsonError&) {
      value = text;
    }
    nodes::given_policy({{part, value}}, "--set");
    object[part] = value;
  }
  return nodes::given_policy(object, file);
}

void check_is_float(const std::string& folder) {
  const nodes::Stage stage = nodes::stage_of(folder);
  if (stage == nodes::Stage::float32) return;
  throw graph::GraphError(
      folder + ": holds " + nodes::describe(stage) + "; calibration begins with a float one" +
      (stage == nodes::Stage::int8 ? "" : ", and flowqat convert makes int8 of this one"));
}

Calibration calibrate(model::Model& model, const io::Tokenizer& tokenizer,
                      const model::Policy& policy, CorpusAudio& audio, int64_t batches,
                      Terminal& terminal, const std::atomic<int>& stop_signal) {
  model.insert_fake_quantizers(policy);
  graph::Rejections rejections([&](const std::string& line) { terminal.say("flowqat: " + line); });
  const graph::TimeLeft time;
  const int64_t passes = model.needs_second_pass() ? 2 : 1;
  const auto hear = [&](int64_t passes_before) {
    Calibration seen;
    const auto stream = audio.open();
    const int64_t wanted = std::min(batches, stream->extent().batches);
    while (seen.batches < batches) {
      const auto batch = stream->next();
      if (!batch) break;
      if (stop_signal != 0) throw graph::Interrupted(stop_signal);
      for (const graph::Row& row : batch->rows) {
        seen.rejected += row.rejected ? 1 : 0;
        if (passes_before == 0) rejections.add(row);
      }
      const nodes::ModelBatch prepared = nodes::to_model_batch(*batch, tokenizer, model.config());
      if (prepared.audio.rows == 0) continue;
      model.observe(prepared.audio);
      ++seen.batches;
      seen.utterances += prepared.audio.rows;
      seen.audio_s += batch->speech_s();
      const int64_t done = passes_before * wanted + seen.batches, all = passes * wanted;
      const double share = static_cast<double>(done) / static_cast<double>(all);
      terminal.progress({.what = "calibrate",
                         .done = done,
                         .total = all,
                         .unit = "batches",
                         .left_s = time.left_s(share)});
    }
    return seen;
  };
  const Calibration seen = hear(0);
  if (rejections.count() > 0) {
    terminal.say("flowqat: " + graph::counted(rejections.count(), "utterance") +
                 " could not be read and left out: " + rejections.by_reason());
  }
  if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  if (seen.batches == 0) {
    throw graph::RunError(audio.pipeline().index().empty()
                              ? "calibration: the corpus holds no utterance"
                              : "calibration: the corpus holds no audio that can be read");
  }
  if (passes == 2) {
    model.begin_second_pass();
    hear(1);
    if (stop_signal != 0) throw graph::Interrupted(stop_signal);
  }
  model.finish_calibration();
  return seen;
}

}  // namespace flowqat::cli
