/// Post-training quantization of a folder's float model, as the calibrate node does it.
#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "cli/audio_graph.h"
#include "cli/command.h"
#include "cli/terminal.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {

/// How `quantize`, `sensitivity` and `ranges` calibrate a float model.
struct CalibrationArguments {
  std::string model;
  std::string manifest;              ///< as of CorpusOptions
  std::vector<std::string> splits;   ///< the same
  std::string policy;                ///< a JSON file, or empty: the default policy
  std::vector<std::string> choices;  ///< PART=CHOICE, over the file's
  int64_t batches = 128;             ///< how many are observed
  uint64_t seed = 1;                 ///< of the utterances' order
  int64_t channel = -1;              ///< that is heard; -1: the average of all
  bool json = false;
  std::string device = "auto";
};

/// The arguments for these, and then those of one command alone.
std::vector<Argument> calibration_arguments(CalibrationArguments& told,
                                            const std::vector<Argument>& more);

/// Utterances observed at a time, unless a command is told otherwise: padding changes what a model
/// without an attention mask hears, and so its ranges.
inline constexpr int64_t kCalibrationBatch = 1;

/// The default policy, a file's in its place, then each "PART=CHOICE" (JSON or a bare name) over
/// it. Throws GraphError for what is no policy and a file that is not there, io::Error for one that
/// cannot be read.
model::Policy read_policy(const std::string& file, const std::vector<std::string>& choices);

/// Throws GraphError for the folder of a model that is quantized already.
void check_is_float(const std::string& folder);

struct Calibration {
  int64_t batches = 0, utterances = 0, rejected = 0;
  double audio_s = 0;
};

/// Puts fake quantizers into the model and ends with its ranges known, from at most `batches`.
/// Throws Interrupted at a signal, RunError if the corpus holds no audio that can be read.
Calibration calibrate(model::Model& model, const io::Tokenizer& tokenizer,
                      const model::Policy& policy, CorpusAudio& audio, int64_t batches,
                      Terminal& terminal, const std::atomic<int>& stop_signal);

}  // namespace flowqat::cli
