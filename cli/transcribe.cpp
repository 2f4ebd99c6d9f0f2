/// `flowqat transcribe`: a line a file.
#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/environment.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/text_width.h"
#include "cli/transcriber.h"
#include "graph/error.h"
#include "graph/json_lines.h"
#include "graph/output_error.h"
#include "graph/params.h"
#include "io/files/write_error.h"
#include "io/tensors/npy.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

/// A file's name without its ending, and a number where another argument has that name.
class LogitsFiles {
 public:
  explicit LogitsFiles(const std::string& folder) : folder_(folder) {}
  void make_folder() const {
    std::error_code refused;
    fs::create_directories(folder_, refused);
    if (refused) {
      throw graph::OutputError(folder_.string() + ": cannot be created: " + refused.message());
    }
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
                    const Transcriber& transcriber) {
  graph::Json words = graph::Json::array();
  for (const io::Word& word : text.words) {
    words.push_back({{"word", word.text},
                     {"start_s", transcriber.time_s(word.begin_frame)},
                     {"end_s", transcriber.time_s(word.end_frame)}});
  }
  return {{"path", path}, {"text", text.text}, {"duration_s", duration_s}, {"words", words}};
}

int transcribe(const TranscribeArguments& arguments) {
  quiet_openmp();
  if (std::count(arguments.audio.begin(), arguments.audio.end(), "-") > 1) {
    throw graph::GraphError("AUDIO: \"-\" is there twice, but standard input can be read once");
  }
  LogitsFiles logits_files(arguments.logits);
  std::vector<std::string> places;
  for (const std::string& path : arguments.audio) places.push_back(logits_files.place_for(path));
  if (!arguments.logits.empty()) {
    if (!arguments.overwrite) refuse_existing(places);
    logits_files.make_folder();
  }
  Terminal terminal;
  Transcriber transcriber(arguments, terminal);
  bool all_heard = true;
  for (size_t i = 0; i < places.size(); ++i) {
    const std::string &path = arguments.audio[i], &logits = places[i];
    try {
      const Heard heard = transcriber.hear(path);
      const io::DecodedText text = transcriber.decode(heard);
      if (!arguments.logits.empty()) {
        io::write_npy(logits, heard.logits, transcriber.vocabulary());
      }
      if (!arguments.json) {
        terminal.result(printable(text.text) +
                        "\n");  // one line a file, whatever the vocabulary has
        continue;
      }
      graph::Json line = as_json(path, text, heard.duration_s, transcriber);
      if (!arguments.logits.empty()) line["logits"] = logits;
      terminal.result(graph::json_line(line));
    } catch (const io::WriteError&) {
      throw;  // the next file would have no place to go either
    } catch (const io::Error& error) {
      terminal.say(std::string("flowqat: ") + error.what());
      all_heard = false;
      // The lines after it stay those of their files.
      const graph::Json line{{"path", path}, {"error", error.what()}};
      terminal.result(arguments.json ? graph::json_line(line) : "\n");
    }
  }
  return all_heard ? kDone : kFailed;
}

}  // namespace

Command transcribe_command() {
  const auto told = std::make_shared<TranscribeArguments>();
  return {.name = "transcribe",
          .doc = "prints what is said in audio files",
          .examples = {"flowqat transcribe facebook/wav2vec2-base-960h recording.flac",
                       "flowqat transcribe models/mine --json *.wav >heard.jsonl",
                       "ffmpeg -i film.mkv -f wav - | flowqat transcribe models/mine -"},
          .arguments = {model_argument(told->model, "a float, fake-quantized or int8"),
                        {.name = "AUDIO",
                         .doc = "audio files in any usual format; -: one from standard input",
                         .target = &told->audio,
                         .required = true},
                        json_option(told->json),
                        output_option(told->logits, "--logits",
                                      "write each file's frame scores into this folder, as "
                                      "NumPy's .npy",
                                      "DIR"),
                        channel_option(told->channel),
                        {.name = "--window-s",
                         .value = "S",
                         .doc = "longer recordings are heard in overlapping windows of this "
                                "length; 0: whole",
                         .target = &told->window_s,
                         .minimum = 0,
                         .maximum = 3600},
                        {.name = "--overlap-s",
                         .value = "S",
                         .doc = "what two windows share",
                         .target = &told->overlap_s,
                         .minimum = 0,
                         .maximum = 3600},
                        overwrite_option(told->overwrite),
                        device_option(told->device),
                        kernels_option(told->kernels)},
          .run = [told] { return transcribe(*told); }};
}

}  // namespace flowqat::cli
