/// A built-in graph for each file: its windows (one, if it is not long), unpadded, through decode,
/// resample and normalize; then greedy decoding of the frames that the windows together have.
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <set>

#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "graph/format.h"
#include "graph/graph.h"
#include "graph/pipeline.h"
#include "io/error.h"
#include "io/npy.h"
#include "io/spool.h"
#include "nodes/model_batch.h"
#include "nodes/model_folder.h"
#include "nodes/recognize.h"
#include "nodes/windows.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

nodes::WindowShape window_shape(const TranscribeArguments& arguments,
                                const nodes::ModelDescription& model) {
  nodes::WindowShape shape{.rate_hz = model.extractor.rate_hz};
  shape.frame_samples = 1;
  for (const int64_t stride : model.config.conv_stride) shape.frame_samples *= stride;
  const auto frames = [&](double duration_s) {
    return std::llround(duration_s * shape.rate_hz / static_cast<double>(shape.frame_samples));
  };
  shape.window_frames = frames(arguments.window_s);
  shape.edge_frames = frames(arguments.overlap_s / 2);
  if (shape.window_frames == 0) return shape;
  // A window's last frames would hear beyond its end, so it has fewer than there is room for.
  const int64_t missing =
      shape.window_frames - frames_of(model.config, shape.window_frames * shape.frame_samples);
  if (shape.edge_frames < missing || shape.window_frames <= 2 * shape.edge_frames) {
    const double frame_s = static_cast<double>(shape.frame_samples) / shape.rate_hz;
    throw graph::GraphError(graph::format(
        "--overlap-s: must be from %g to less than --window-s (%g), found %g",
        2 * frame_s * static_cast<double>(missing), arguments.window_s, arguments.overlap_s));
  }
  return shape;
}

graph::Json audio_graph(const fs::path& path, const io::FeatureExtractor& extractor,
                        const nodes::WindowShape& windows) {
  graph::Json nodes{
      {"files",
       {{"type", "files"},
        {"paths", {path.string()}},
        {"window_frames", windows.window_frames},
        {"edge_frames", std::max(windows.edge_frames, int64_t{1})},
        {"frame_samples", windows.frame_samples},
        {"rate_hz", windows.rate_hz}}},
      {"decode", {{"type", "decode"}, {"from", "files"}}},
      {"resample", {{"type", "resample"}, {"from", "decode"}, {"rate_hz", extractor.rate_hz}}}};
  if (extractor.do_normalize) nodes["normalize"] = {{"type", "normalize"}, {"from", "resample"}};
  nodes["batch"] = {{"type", "batch"},
                    {"from", extractor.do_normalize ? "normalize" : "resample"},
                    {"size", 1},
                    {"order", "corpus"}};
  return {{"nodes", nodes}};
}

/// The audio of one argument, where it can be read at any place, and for as long as this lives.
struct Recording {
  std::string shown;  ///< as it was named
  fs::path path;
  std::vector<io::Spool> spools;
  io::AudioInfo info;
};

/// What was heard in one recording.
struct Heard {
  std::vector<int32_t> tokens;  ///< the likeliest of each frame
  std::vector<float> logits;    ///< [frames, vocabulary], if asked for
  double duration_s = 0;
};

class Transcriber {
 public:
  Transcriber(const TranscribeArguments& arguments, const nodes::ModelDescription& description,
              Terminal& terminal)
      : description_(description),
        windows_(window_shape(arguments, description)),
        keep_logits_(!arguments.logits.empty()),
        stop_signal_(catch_stop_signals()),
        terminal_(terminal) {
    model::engine().configure({.device = arguments.device});
    model_ = nodes::load_model(arguments.model);
  }

  /// Throws io::Error for what cannot be read.
  Heard hear(const std::string& argument) {
    Recording recording{.shown = argument, .path = argument, .spools = {}, .info = {}};
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

  io::DecodedText decode(const Heard& heard) const {
    return model_.tokenizer->decode_words(heard.tokens);
  }
  double frame_s() const { return static_cast<double>(windows_.frame_samples) / windows_.rate_hz; }
  int64_t vocabulary() const { return description_.config.vocab_size; }

 private:
  void open(Recording& recording, bool is_standard_input) const {
    if (is_standard_input) {
      recording.spools.push_back(io::spool_stream(STDIN_FILENO));
      recording.path = recording.spools.back().path();
      if (recording.spools.back().bytes() == 0) {
        throw io::Error("standard input: expected the bytes of an audio file, found none");
      }
    }
    recording.info = io::read_audio_info(recording.path);
    if (parts(recording).size() > 1 && !io::segments_are_quick(recording.path)) {
      recording.spools.push_back(io::spool_decoded(recording.path, recording.info));
      recording.path = recording.spools.back().path();
      recording.info.channels = 1;
    }
  }

  std::vector<nodes::Window> parts(const Recording& recording) const {
    return nodes::windows_of({recording.info.samples, recording.info.rate_hz}, windows_);
  }

  Heard hear(const Recording& recording) {
    const graph::Graph graph(graph::resolve(
        audio_graph(recording.path, description_.extractor, windows_), "transcribe"));
    graph::Ledger ledger;
    graph::Pipeline pipeline(*graph.batchers().front(), {}, threads_, ledger);
    const auto stream = pipeline.open("transcribe", 0);
    Heard heard{
        .tokens = {},
        .logits = {},
        .duration_s = graph::Shape{recording.info.samples, recording.info.rate_hz}.seconds()};
    const std::vector<nodes::Window> windows = parts(recording);
    for (size_t i = 0; i < windows.size(); ++i) {
      const auto batch = stream->next();
      if (stop_signal_ != 0) throw graph::Interrupted(stop_signal_);
      if (!batch) throw io::Error(recording.path, "has become shorter while it was read");
      if (const auto& rejected = batch->rows.front().rejected) throw io::Error(rejected->reason);
      hear(*batch, windows[i], heard);
      if (windows.size() > 1) {
        terminal_.progress(graph::format("%.300s: window %zu of %zu", recording.shown.c_str(),
                                         i + 1, windows.size()));
      }
    }
    return heard;
  }

  void hear(const graph::Batch& batch, const nodes::Window& window, Heard& heard) const {
    const nodes::ModelBatch prepared =
        nodes::to_model_batch(batch, *model_.tokenizer, description_.config);
    if (prepared.audio.rows == 0) return;  // less than a frame
    const model::Logits logits = model_.model->infer(prepared.audio);
    const int64_t end = std::min(window.end_frame, logits.lengths_frames.front());
    const auto tokens = nodes::best_tokens(logits, 0, window.begin_frame, end);
    heard.tokens.insert(heard.tokens.end(), tokens.begin(), tokens.end());
    if (!keep_logits_) return;
    const auto values = logits.values.begin();
    heard.logits.insert(heard.logits.end(), values + window.begin_frame * logits.vocabulary,
                        values + end * logits.vocabulary);
  }

  nodes::ModelDescription description_;
  nodes::WindowShape windows_;
  bool keep_logits_;
  const std::atomic<int>& stop_signal_;
  Terminal& terminal_;
  nodes::ModelState model_;
  graph::DataThreads threads_{0};
};

/// A file's name without its ending, and a number where another argument has that name.
class LogitsFiles {
 public:
  explicit LogitsFiles(const std::string& folder) : folder_(folder) {
    if (!folder.empty()) fs::create_directories(folder);
  }
  fs::path place_for(const std::string& argument) {
    const std::string stem = argument == "-" ? "stdin" : fs::path(argument).stem().string();
    std::string name = stem;
    for (int number = 2; !taken_.insert(name).second; ++number) {
      name = stem + "-" + std::to_string(number);
    }
    return folder_ / (name + ".npy");
  }

 private:
  fs::path folder_;
  std::set<std::string> taken_;
};

graph::Json as_json(const std::string& path, const io::DecodedText& text, double duration_s,
                    double frame_s) {
  graph::Json words = graph::Json::array();
  for (const io::Word& word : text.words) {
    words.push_back({{"word", word.text},
                     {"start_s", static_cast<double>(word.begin_frame) * frame_s},
                     {"end_s", static_cast<double>(word.end_frame) * frame_s}});
  }
  return {{"path", path}, {"text", text.text}, {"duration_s", duration_s}, {"words", words}};
}

}  // namespace

int transcribe(const TranscribeArguments& arguments) {
  quiet_openmp();
  if (std::count(arguments.audio.begin(), arguments.audio.end(), "-") > 1) {
    throw graph::GraphError("AUDIO: \"-\" is there twice, but standard input can be read once");
  }
  Terminal terminal;
  Transcriber transcriber(arguments, nodes::read_description(arguments.model), terminal);
  LogitsFiles logits_files(arguments.logits);
  bool all_heard = true;
  for (const std::string& path : arguments.audio) {
    const fs::path logits = logits_files.place_for(path);
    try {
      const Heard heard = transcriber.hear(path);
      const io::DecodedText text = transcriber.decode(heard);
      if (!arguments.logits.empty()) {
        io::write_npy(logits, heard.logits, transcriber.vocabulary());
      }
      if (!arguments.json) {
        terminal.result(text.text + "\n");
        continue;
      }
      graph::Json line = as_json(path, text, heard.duration_s, transcriber.frame_s());
      if (!arguments.logits.empty()) line["logits"] = logits.string();
      terminal.result(line.dump(-1, ' ', false, graph::Json::error_handler_t::replace) + "\n");
    } catch (const io::Error& error) {
      terminal.say(std::string("flowqat: ") + error.what());
      all_heard = false;
    }
  }
  return all_heard ? kDone : kFailed;
}

}  // namespace flowqat::cli
