/// `flowqat fetch`: LibriSpeech's splits, and models from the Hugging Face Hub.
#include <filesystem>
#include <memory>

#include "cli/arguments.h"
#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "io/fetch/http_client.h"
#include "io/fetch/hub_fetch.h"
#include "io/fetch/librispeech_archives.h"
#include "io/files/error.h"
#include "nodes/support/fetching.h"

namespace flowqat::cli {
namespace {

/// What both kinds of fetch are told.
struct FetchArguments {
  int jobs = 4;           ///< files at once
  int retries = 5;        ///< of a file, in a row
  double timeout_s = 60;  ///< without a byte
};

struct FetchLibriSpeechArguments : FetchArguments {
  std::vector<std::string> splits;
  std::string to;  ///< the folder that will hold LibriSpeech/
  std::string base_url = io::kOpenSlr;
};

struct FetchModelArguments : FetchArguments {
  std::string id;  ///< ORGANIZATION/NAME
  std::string revision = "main";
};

io::FetchOptions options_for(const FetchArguments& arguments, Terminal& terminal,
                             const std::atomic<int>& stop_signal) {
  return {.jobs = arguments.jobs,
          .retries = arguments.retries,
          .silence_s = arguments.timeout_s,
          .say = [&terminal](const std::string& line) { terminal.say(line); },
          .progress =
              [&terminal](const io::FetchProgress& progress) {
                terminal.progress(nodes::to_progress(progress));
              },
          .stop = &stop_signal};
}

/// Runs `fetch`; what a signal stopped ends as every interrupted command does.
template <typename Fetch>
void until_stopped(const std::atomic<int>& stop_signal, Terminal& terminal, const Fetch& fetch) {
  try {
    fetch();
  } catch (const io::Stopped&) {
    terminal.say("what was fetched is kept: run the same again to go on");
    throw graph::Interrupted(stop_signal);
  }
}

int fetch_librispeech(const FetchLibriSpeechArguments& arguments) {
  Terminal terminal;
  const std::atomic<int>& stop_signal = catch_stop_signals();
  const io::FetchOptions options = options_for(arguments, terminal, stop_signal);
  io::LibriSpeechPlan plan;
  try {
    plan = io::plan_librispeech(arguments.splits, arguments.to, arguments.jobs);
  } catch (const io::Error& error) {
    throw graph::GraphError(error.what());
  }
  for (const std::string& split : plan.there) {
    terminal.say(split + ": is there already, in " + (plan.folder / split).string());
  }
  if (!plan.missing.empty()) {
    terminal.say(io::describe(plan) + ", from " + io::shown_url(arguments.base_url));
    until_stopped(stop_signal, terminal,
                  [&] { io::fetch_librispeech(plan, arguments.base_url, options); });
  }
  terminal.result(plan.folder.string() + "\n");
  return kDone;
}

int fetch_model(const FetchModelArguments& arguments) {
  const io::HubModel model{.id = arguments.id, .revision = arguments.revision};
  if (!io::is_hub_id(model.id)) {
    throw graph::GraphError("\"" + model.id +
                            "\": expected the id of a model on the Hub, as ORGANIZATION/NAME");
  }
  if (!io::is_hub_revision(model.revision)) {
    throw graph::GraphError("--revision \"" + model.revision +
                            "\": expected a branch, a tag, refs/pr/N or a commit");
  }
  Terminal terminal;
  if (const auto snapshot = io::find_in_hub_cache(model)) {
    terminal.say(model.id + ": is there already");
    terminal.result(snapshot->string() + "\n");
    return kDone;
  }
  const std::atomic<int>& stop_signal = catch_stop_signals();
  const io::FetchOptions options = options_for(arguments, terminal, stop_signal);
  until_stopped(stop_signal, terminal, [&] {
    const io::HubPlan plan = io::plan_hub_model(model, options);
    terminal.say(io::describe(plan) + ", from " + io::shown_hub_endpoint());
    io::fetch_hub_model(plan, options);
    terminal.result(plan.snapshot.string() + "\n");
  });
  return kDone;
}

std::vector<Argument> with_shared(std::vector<Argument> own, FetchArguments& told) {
  own.push_back({.name = "--jobs",
                 .value = "N",
                 .doc = "files at once",
                 .target = &told.jobs,
                 .minimum = 1,
                 .maximum = 32});
  own.push_back({.name = "--retries",
                 .value = "N",
                 .doc = "tries more of a file that does not go on, with longer and longer breaks",
                 .target = &told.retries,
                 .minimum = 0,
                 .maximum = 1000});
  own.push_back({.name = "--timeout-s",
                 .value = "S",
                 .doc = "a connection on which nothing comes for so long is given up",
                 .target = &told.timeout_s,
                 .minimum = 1,
                 .maximum = 3600});
  return own;
}

Command librispeech_command() {
  const auto told = std::make_shared<FetchLibriSpeechArguments>();
  Argument to = output_option(told->to, "--to",
                              "the folder that gets LibriSpeech/SPLIT; it needs room for the "
                              "archives and for what is in them",
                              "DIR");
  to.required = true;
  return {.name = "librispeech",
          .doc =
              "fetches, verifies and unpacks splits of LibriSpeech; run again, it goes on where "
              "it stopped",
          .examples = {"flowqat fetch librispeech train-clean-100 dev-clean --to data"},
          .arguments = with_shared({{.name = "SPLIT",
                                     .doc = "dev-clean, dev-other, test-clean, test-other, "
                                            "train-clean-100, train-clean-360, train-other-500",
                                     .target = &told->splits,
                                     .required = true},
                                    to,
                                    {.name = "--base-url",
                                     .value = "URL",
                                     .doc = "a mirror's folder of the archives",
                                     .target = &told->base_url}},
                                   *told),
          .run = [told] { return fetch_librispeech(*told); }};
}

Command model_command() {
  const auto told = std::make_shared<FetchModelArguments>();
  return {.name = "model",
          .doc =
              "fetches a wav2vec2 model from the Hugging Face Hub into its cache, and prints "
              "its folder",
          .examples = {"flowqat fetch model facebook/wav2vec2-base-960h"},
          .arguments = with_shared(
              {{.name = "ID", .doc = "ORGANIZATION/NAME", .target = &told->id, .required = true},
               {.name = "--revision",
                .value = "REVISION",
                .doc = "a branch, a tag, refs/pr/N or a commit",
                .target = &told->revision}},
              *told),
          .run = [told] { return fetch_model(*told); }};
}

}  // namespace

Command fetch_command() {
  return {.name = "fetch",
          .doc = "fetches LibriSpeech, or a model from the Hub",
          .examples = {"flowqat fetch librispeech dev-clean --to data",
                       "flowqat fetch model facebook/wav2vec2-base-960h"},
          .parts = {librispeech_command(), model_command()}};
}

}  // namespace flowqat::cli
