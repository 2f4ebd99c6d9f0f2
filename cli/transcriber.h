#pragma once
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "graph/pipeline.h"
#include "io/audio/audio_file.h"
#include "io/audio/spool.h"
#include "nodes/support/inference.h"
#include "nodes/support/model_folder.h"
#include "recognizer/windows.h"

namespace flowqat::cli {

struct TranscribeArguments {
  std::string model;
  std::vector<std::string> audio;  ///< files; "-": the bytes of one on standard input
  bool json = false;
  std::string logits;      ///< a folder for every file's frame scores, or empty
  bool overwrite = false;  ///< the files in there
  /// Longer recordings are heard in windows, which share `overlap_s`; 0: none is too long.
  double window_s = 40, overlap_s = 4;
  int64_t channel = -1;  ///< that is heard; -1: the average of all
  std::string device = "auto";
  std::string kernels = "fastest";  ///< of an int8 model
};

/// What was heard in one recording.
struct Heard {
  std::vector<int32_t> tokens;  ///< the likeliest of each frame
  std::vector<float> logits;    ///< [frames, vocabulary], if asked for
  double duration_s = 0;
};

/// Audio to tokens: for each file a built-in graph of its windows (one, if it is not long),
/// unpadded, through decode, resample and normalize; then the frames that the windows together
/// have.
class Transcriber {
 public:
  /// Loads the model. Throws GraphError for windows that cannot be joined.
  Transcriber(const TranscribeArguments& arguments, Terminal& terminal);

  /// A file, or "-" for standard input. Throws io::Error for what cannot be read.
  Heard hear(const std::string& argument);

  io::DecodedText decode(const Heard& heard) const {
    return model_.tokenizer->decode_words(heard.tokens);
  }
  /// When a frame begins.
  double time_s(int64_t frame) const { return recognizer::frame_s(windows_, frame); }
  int64_t vocabulary() const { return description_.config.vocab_size; }

 private:
  /// The audio of one argument, where it can be read at any place, for as long as this lives.
  struct Recording {
    std::string shown;  ///< as it was named
    std::filesystem::path path;
    std::vector<io::Spool> spools;
    io::AudioInfo info;
    int64_t channel;  ///< of the file at `path`; -1: all
  };

  void open(Recording& recording, bool is_standard_input) const;
  std::vector<recognizer::Window> parts(const Recording& recording) const;
  Heard hear(const Recording& recording);
  void hear(const graph::Batch& batch, const recognizer::Window& window, Heard& heard) const;

  std::filesystem::path folder_;  ///< the model's
  nodes::ModelDescription description_;
  recognizer::WindowShape windows_;
  bool keep_logits_;
  int64_t channel_;
  const std::atomic<int>& stop_signal_;
  Terminal& terminal_;
  nodes::Recognition model_;
  graph::DataThreads threads_{0};
};

}  // namespace flowqat::cli
