/// What `flowqat sensitivity` is told.
#pragma once
#include <string>
#include <vector>

#include "cli/calibration.h"

namespace flowqat::cli {

struct SensitivityArguments : CalibrationArguments {
  std::string calibration;  ///< a corpus of its own to calibrate with, or empty: the same
  std::vector<std::string> calibration_splits;
  std::string by = "layer";     ///< what is quantized at a time: "layer" or "part"
  int64_t batch = 1;            ///< utterances evaluated at a time
  int64_t limit = 0;            ///< utterances at the most; 0: all
  double budget = 0.5;          ///< points of WER that a mixed policy may cost
  std::string out, policy_out;  ///< files to write, or empty
  bool overwrite = false;
};

/// Where they come from on the command line.
std::vector<Argument> sensitivity_arguments(SensitivityArguments& told);

/// The speech that models are evaluated on, and that which they are calibrated with. Throws
/// GraphError for a split of a corpus that is not given.
CorpusOptions evaluation_corpus(const SensitivityArguments& arguments);
CorpusOptions calibration_corpus(const SensitivityArguments& arguments);

}  // namespace flowqat::cli
