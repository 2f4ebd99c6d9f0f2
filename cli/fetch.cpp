/// `flowqat fetch`: LibriSpeech's splits, and models from the Hugging Face Hub.
#include <filesystem>

#include "cli/commands.h"
#include "cli/signals.h"
#include "cli/terminal.h"
#include "graph/error.h"
#include "io/fetch/http_client.h"
#include "io/fetch/hub_fetch.h"
#include "io/fetch/librispeech_archives.h"
#include "io/files/error.h"

namespace flowqat::cli {
namespace {

io::FetchOptions options_for(const FetchArguments& arguments, Terminal& terminal,
                             const std::atomic<int>& stop_signal) {
  return {.jobs = arguments.jobs,
          .retries = arguments.retries,
          .silence_s = arguments.timeout_s,
          .say = [&terminal](const std::string& line) { terminal.say(line); },
          .progress = [&terminal](const std::string& status) { terminal.progress(status); },
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

}  // namespace

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

}  // namespace flowqat::cli
