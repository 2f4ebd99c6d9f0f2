/// Post-training quantization of a folder's float model, as the calibrate node does it.
#pragma once
#include <atomic>
#include <string>
#include <vector>

#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/terminal.h"
#include "nodes/support/model_folder.h"

namespace flowqat::cli {

/// The default policy, a file's in its place, then each "PART=CHOICE" (JSON or a bare name) over
/// it. Throws GraphError for what is no policy, io::Error for a file that cannot be read.
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
