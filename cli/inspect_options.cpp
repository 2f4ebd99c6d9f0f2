#include "cli/inspect_options.h"

namespace flowqat::cli {

CLI::App* add_inspect(CLI::App& app, InspectArguments& arguments) {
  CLI::App* command = app.add_subcommand(
      "inspect", "what a corpus holds, and what in it will trouble training; reads no audio");
  command
      ->add_option("CORPUS", arguments.corpus,
                   "a manifest, a folder in LibriSpeech's layout, tar shards, or a folder of audio")
      ->required();
  command
      ->add_option("--split", arguments.splits,
                   "of a folder in LibriSpeech's layout; may be repeated (default: all of them)")
      ->option_text("NAME")
      ->expected(1)
      ->take_all();
  command
      ->add_option("--model", arguments.model,
                   "whose vocabulary and frames the corpus is held against (default: those of "
                   "wav2vec2-base-960h)")
      ->option_text("DIR");
  command
      ->add_option("--text-normalization", arguments.text_normalization,
                   "of the transcripts: to the vocabulary, or none (default: vocabulary)")
      ->option_text("HOW")
      ->check(CLI::IsMember({"vocabulary", "none"}));
  command
      ->add_option("--max-duration-s", arguments.max_duration_s,
                   "what is longer is named as too long; 0: nothing is (default: 30)")
      ->option_text("S")
      ->check(CLI::Range(0.0, 1e6));
  command->add_flag("--json", arguments.json, "print one JSON object on one line instead");
  command->add_option("--html", arguments.html, "write a page with pictures")->option_text("FILE");
  return command;
}

}  // namespace flowqat::cli
