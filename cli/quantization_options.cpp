#include "cli/quantization_options.h"

namespace flowqat::cli {
namespace {

void add_splits(CLI::App* command, const char* name, std::vector<std::string>& splits,
                const char* doc) {
  command->add_option(name, splits, doc)->option_text("NAME")->expected(1)->take_all();
}

void add_calibration(CLI::App* command, CalibrationArguments& arguments) {
  command->add_option("MODEL", arguments.model, "a float model's folder")->required();
  command
      ->add_option("--manifest", arguments.manifest,
                   "a manifest, a folder in LibriSpeech's layout, or tar shards")
      ->option_text("FILE|DIR")
      ->required();
  add_splits(command, "--split", arguments.splits,
             "of such a folder; may be repeated (default: all of them)");
  command
      ->add_option("--policy", arguments.policy,
                   "a JSON object: each part's choice, and exceptions (default: convolutions "
                   "qnnpack, attention and feed-forward fbgemm)")
      ->option_text("FILE");
  command
      ->add_option("--set", arguments.choices,
                   "a part's choice, over the file's: a preset, none, or an object of fields; may "
                   "be repeated")
      ->option_text("PART=CHOICE")
      ->expected(1)
      ->take_all();
  command->add_option("--batches", arguments.batches, "how many are observed (default: 16)")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000));
  command->add_option("--seed", arguments.seed, "of the choice of utterances (default: 1)")
      ->option_text("N");
  command->add_flag("--json", arguments.json, "print one JSON object on one line instead");
  command->add_option("--device", arguments.device, "auto, cpu or cuda")
      ->check(CLI::IsMember({"auto", "cpu", "cuda"}));
}

}  // namespace

CLI::App* add_quantize(CLI::App& app, QuantizeArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "quantize", "writes a float model as int8, with ranges from some speech, without training");
  add_calibration(command, arguments);
  command->add_option("--out", arguments.out, "the folder to write")
      ->option_text("DIR")
      ->required();
  command
      ->add_option("--batch", arguments.batch,
                   "utterances of like length observed at a time (default: 4)")
      ->option_text("N")
      ->check(CLI::Range(1, 65536));
  CLI::Option* const fake =
      command->add_flag("--fake", arguments.fake, "write the fake-quantized model instead of int8");
  command
      ->add_flag("--half-positional-conv", arguments.half_positional_conv,
                 "store the positional convolution, where it stays float, in half precision")
      ->excludes(fake);
  command->add_flag("--overwrite", arguments.overwrite, "replace the model that DIR holds");
  return command;
}

CLI::App* add_sensitivity(CLI::App& app, SensitivityArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "sensitivity", "what each layer's quantization costs, and which layers to leave in float");
  add_calibration(command, arguments);
  command
      ->add_option("--calibration", arguments.calibration,
                   "speech to calibrate with (default: that of --manifest)")
      ->option_text("FILE|DIR");
  add_splits(command, "--calibration-split", arguments.calibration_splits,
             "of such a folder; may be repeated");
  command->add_option("--by", arguments.by, "quantize a layer or a part at a time (default: layer)")
      ->option_text("layer|part")
      ->check(CLI::IsMember({"layer", "part"}));
  command
      ->add_option("--batch", arguments.batch,
                   "utterances of like length evaluated at a time (default: 1, without padding)")
      ->option_text("N")
      ->check(CLI::Range(1, 65536));
  command
      ->add_option("--limit", arguments.limit,
                   "evaluate this many utterances, by chance, of a larger corpus (default: all)")
      ->option_text("N")
      ->check(CLI::Range(1, 1'000'000'000));
  command
      ->add_option("--budget", arguments.budget,
                   "points of WER that the proposed policy may cost (default: 0.5)")
      ->option_text("POINTS")
      ->check(CLI::Range(0.0, 100.0));
  command
      ->add_option("--out", arguments.out,
                   "write a JSON object for each layer or part, as it is measured")
      ->option_text("FILE");
  command
      ->add_option("--policy-out", arguments.policy_out,
                   "write the proposed policy, for --policy and for a calibrate node")
      ->option_text("FILE");
  return command;
}

}  // namespace flowqat::cli
