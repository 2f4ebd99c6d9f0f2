#include "cli/transcriber.h"

#include <unistd.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <stdexcept>

#include "cli/given_model.h"
#include "cli/signals.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/graph.h"
#include "graph/time_left.h"
#include "graph/usable_cores.h"
#include "io/files/error.h"
#include "nodes/support/model_batch.h"
#include "recognizer/decoding.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

recognizer::WindowShape window_shape(const TranscribeArguments& arguments,
                                     const nodes::ModelDescription& model) {
  try {
    return recognizer::window_shape(
        model.config, model.extractor.rate_hz,
        {.window_s = arguments.window_s, .overlap_s = arguments.overlap_s});
  } catch (const std::invalid_argument& error) {
    throw graph::GraphError(std::string("--overlap-s: ") + error.what());
  }
}

graph::Json audio_graph(const fs::path& path, const io::FeatureExtractor& extractor,
                        const recognizer::WindowShape& windows, int64_t channel) {
  graph::Json nodes{
      {"files",
       {{"type", "files"},
        {"paths", {path.string()}},
        {"window_frames", windows.window_frames},
        {"edge_frames", std::max(windows.edge_frames, int64_t{1})},
        {"frame_samples", windows.frame_samples},
        {"rate_hz", windows.rate_hz}}},
      {"decode", {{"type", "decode"}, {"from", "files"}, {"channel", channel}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", extractor.rate_hz}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "resample"}};
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "resample"},
                    {"size", 1},
                    {"order", "corpus"}};
  return {{"nodes", nodes}};
}

}  // namespace

Transcriber::Transcriber(const TranscribeArguments& arguments, Terminal& terminal)
    : folder_(folder_of_model(arguments.model, terminal)),
      description_(nodes::read_description(folder_)),
      windows_(window_shape(arguments, description_)),
      keep_logits_(!arguments.logits.empty()),
      channel_(arguments.channel),
      stop_signal_(catch_stop_signals()),
      terminal_(terminal) {
  model_ = nodes::load_recognition(
      folder_, description_,
      {.device = arguments.device, .kernels = arguments.kernels, .threads = graph::usable_cores()});
  for (const std::string& note : description_.notes) terminal_.say("flowqat: " + note);
}

Heard Transcriber::hear(const std::string& argument) {
  Recording recording{
      .shown = argument, .path = argument, .spools = {}, .info = {}, .channel = channel_};
  if (argument == "-") recording.shown = "standard input";
  try {
    open(recording, argument == "-");
    return hear(recording);
  } catch (const io::Error& error) {
    std::string text = error.what();
    for (const io::Spool& spool : recording.spools) {
      const std::string path = spool.path();
      for (size_t at; (at = text.find(path)) != std::string::npos;) {
        text.replace(at, path.size(), recording.shown);
      }
    }
    throw io::Error(text);
  }
}

void Transcriber::open(Recording& recording, bool is_standard_input) const {
  const auto waiting = [this] {
    if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
  };
  std::optional<io::Spool> pipe = is_standard_input ? io::spool_stream(STDIN_FILENO, waiting)
                                                    : io::spool_pipe(recording.path, waiting);
  if (pipe) {
    if (pipe->bytes() == 0) {
      throw io::Error(recording.shown + ": expected the bytes of an audio file, found none");
    }
    recording.spools.push_back(std::move(*pipe));
    recording.path = recording.spools.back().path();
  }
  recording.info = io::read_audio_info(recording.path);
  if (parts(recording).size() > 1 && !io::segments_are_quick(recording.path)) {
    io::AudioPlace place(recording.path);
    if (recording.channel >= 0) place.channel = static_cast<int>(recording.channel);
    recording.spools.push_back(io::spool_decoded(place, recording.info));
    recording.path = recording.spools.back().path();
    recording.info.channels = 1;
    recording.channel = -1;
  }
}

std::vector<recognizer::Window> Transcriber::parts(const Recording& recording) const {
  return recognizer::windows_of(recording.info.samples, recording.info.rate_hz, windows_);
}

Heard Transcriber::hear(const Recording& recording) {
  const graph::Graph graph(graph::resolve(
      audio_graph(recording.path, description_.extractor, windows_, recording.channel),
      "transcribe"));
  graph::Ledger ledger;
  graph::Pipeline pipeline(*graph.batchers().front(), {}, threads_, ledger);
  const auto stream = pipeline.open("transcribe", 0);
  Heard heard{.tokens = {},
              .logits = {},
              .duration_s = graph::Shape{recording.info.samples, recording.info.rate_hz}.seconds()};
  const std::vector<recognizer::Window> windows = parts(recording);
  const graph::TimeLeft time;
  bool noted = false;
  for (size_t i = 0; i < windows.size(); ++i) {
    const auto batch = stream->next();
    if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
    if (!batch) throw io::Error(recording.path, "has become shorter while it was read");
    if (const auto& rejected = batch->rows.front().rejected) throw io::Error(rejected->reason);
    if (const std::string& note = batch->rows.front().note; !note.empty() && !noted) {
      terminal_.say("flowqat: " + recording.shown + ": " + note);
      noted = true;
    }
    hear(*batch, windows[i], heard);
    if (windows.size() > 1) {
      const auto done = static_cast<int64_t>(i + 1), total = std::ssize(windows);
      terminal_.progress(
          {.what = recording.shown,
           .done = done,
           .total = total,
           .unit = "windows",
           .left_s = time.left_s(static_cast<double>(done) / static_cast<double>(total))});
    }
  }
  return heard;
}

void Transcriber::hear(const graph::Batch& batch, const recognizer::Window& window,
                       Heard& heard) const {
  const nodes::ModelBatch prepared =
      nodes::to_model_batch(batch, *model_.tokenizer, description_.config);
  if (prepared.audio.rows == 0) return;  // less than a frame
  const model::Logits logits = model_.model->infer(prepared.audio);
  recognizer::add_window(logits, window, keep_logits_, heard.tokens, heard.logits);
}

}  // namespace flowqat::cli
