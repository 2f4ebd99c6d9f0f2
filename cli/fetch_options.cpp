#include "cli/fetch_options.h"

#include "io/fetch/librispeech_archives.h"

namespace flowqat::cli {
namespace {

void add_shared(CLI::App& command, FetchArguments& arguments) {
  command.add_option("--jobs", arguments.jobs, "files at once (default: 4)")
      ->option_text("N")
      ->check(CLI::Range(1, 32));
  command
      .add_option("--retries", arguments.retries,
                  "tries more of a file that does not go on, with longer and longer breaks "
                  "(default: 5)")
      ->option_text("N")
      ->check(CLI::Range(0, 1000));
  command
      .add_option("--timeout-s", arguments.timeout_s,
                  "a connection on which nothing comes for so long is given up (default: 60)")
      ->option_text("S")
      ->check(CLI::Range(1.0, 3600.0));
}

}  // namespace

FetchCommands add_fetch(CLI::App& app, FetchLibriSpeechArguments& librispeech,
                        FetchModelArguments& model) {
  CLI::App* fetch = app.add_subcommand("fetch", "fetches LibriSpeech, or a model from the Hub");
  fetch->require_subcommand(1);

  CLI::App* corpus = fetch->add_subcommand("librispeech",
                                           "fetches, verifies and unpacks splits of LibriSpeech; "
                                           "run again, it goes on where it stopped");
  librispeech.base_url = io::kOpenSlr;
  corpus
      ->add_option("SPLIT", librispeech.splits,
                   "dev-clean, dev-other, test-clean, test-other, train-clean-100, "
                   "train-clean-360, train-other-500")
      ->required();
  corpus
      ->add_option("--to", librispeech.to,
                   "the folder that gets LibriSpeech/SPLIT; it needs room for the archives and "
                   "for what is in them")
      ->option_text("DIR")
      ->required();
  corpus
      ->add_option("--base-url", librispeech.base_url,
                   std::string("a mirror's folder of the archives (default: ") + io::kOpenSlr + ")")
      ->option_text("URL");
  add_shared(*corpus, librispeech);

  CLI::App* hub = fetch->add_subcommand(
      "model",
      "fetches a wav2vec2 model from the Hugging Face Hub into its cache, and prints its folder");
  hub->add_option("ID", model.id, "ORGANIZATION/NAME")->required();
  hub->add_option("--revision", model.revision,
                  "a branch, a tag, refs/pr/N or a commit (default: main)")
      ->option_text("REVISION");
  add_shared(*hub, model);
  return {corpus, hub};
}

}  // namespace flowqat::cli
