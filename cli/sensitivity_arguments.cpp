#include "cli/sensitivity_arguments.h"

#include "cli/arguments.h"
#include "graph/error.h"

namespace flowqat::cli {

std::vector<Argument> sensitivity_arguments(SensitivityArguments& told) {
  Argument calibration_split = split_option(told.calibration_splits);
  calibration_split.name = "--calibration-split";
  return calibration_arguments(
      told, {{.name = "--calibration",
              .value = "FILE|DIR",
              .doc = "speech to calibrate with",
              .target = &told.calibration,
              .fallback = "that of --manifest"},
             calibration_split,
             {.name = "--by",
              .value = "layer|part",
              .doc = "quantize a layer or a part at a time",
              .target = &told.by,
              .choices = {"layer", "part"}},
             batch_option(told.batch),
             limit_option(told.limit),
             {.name = "--budget",
              .value = "POINTS",
              .doc = "points of WER that the proposed policy may cost",
              .target = &told.budget,
              .minimum = 0,
              .maximum = 100},
             output_option(told.out, "--out",
                           "write a JSON object for each layer or part, as it is measured"),
             output_option(told.policy_out, "--policy-out",
                           "write the proposed policy, for --policy and for a calibrate node"),
             overwrite_option(told.overwrite)});
}

CorpusOptions evaluation_corpus(const SensitivityArguments& arguments) {
  return {.command = "sensitivity",
          .manifest = arguments.manifest,
          .splits = arguments.splits,
          .batch = arguments.batch,
          .shuffled = arguments.limit > 0,
          .seed = arguments.seed,
          .channel = arguments.channel};
}

CorpusOptions calibration_corpus(const SensitivityArguments& arguments) {
  const bool is_own = !arguments.calibration.empty();
  if (!is_own && !arguments.calibration_splits.empty()) {
    throw graph::GraphError(
        "--calibration-split: names a split of --calibration, which is not given");
  }
  return {.command = "calibrate",
          .manifest = is_own ? arguments.calibration : arguments.manifest,
          .splits = is_own ? arguments.calibration_splits : arguments.splits,
          .split_option = is_own ? "--calibration-split" : "--split",
          .batch = kCalibrationBatch,
          .shuffled = true,
          .seed = arguments.seed,
          .channel = arguments.channel};
}

}  // namespace flowqat::cli
