#include "nodes/support/fetching.h"

#include <utility>

#include "graph/output_error.h"
#include "io/fetch/http_client.h"
#include "io/fetch/hub_fetch.h"
#include "io/files/write_error.h"

namespace flowqat::nodes {
namespace {

io::FetchOptions options_for(const graph::FetchContext& context) {
  return {.say = [&reporter = context.reporter](const std::string& line) { reporter.say(line); },
          .progress =
              [&reporter = context.reporter](const io::FetchProgress& progress) {
                reporter.progress(to_progress(progress));
              },
          .stop = &context.stop_signal};
}

/// io's errors as the run's.
template <typename Action>
void guarded(const std::string& node, const char* key, const graph::FetchContext& context,
             const Action& action) {
  try {
    action();
  } catch (const io::WriteError& error) {
    throw graph::OutputError("node \"" + node + "\", key \"" + key + "\": " + error.what());
  } catch (const io::Error& error) {
    throw graph::RunError("node \"" + node + "\", key \"" + key + "\": " + error.what());
  } catch (const io::Stopped&) {
    context.reporter.say("what was fetched is kept: run the same again to go on");
    throw graph::Interrupted(context.stop_signal);
  }
}

class Splits : public graph::Fetch {
 public:
  Splits(std::string node, io::LibriSpeechPlan plan, std::string base_url)
      : node_(std::move(node)), plan_(std::move(plan)), base_url_(std::move(base_url)) {}

  std::string text() const override {
    return io::describe(plan_) + ", from " + io::shown_url(base_url_);
  }
  graph::FetchSize size(const graph::FetchContext&) override {
    return {.text = text(), .folder = plan_.folder, .disk_bytes = plan_.disk_bytes};
  }
  void run(const graph::FetchContext& context) override {
    guarded(node_, "download", context,
            [&] { io::fetch_librispeech(plan_, base_url_, options_for(context)); });
  }

 private:
  std::string node_;
  io::LibriSpeechPlan plan_;
  std::string base_url_;
};

class HubModel : public graph::Fetch {
 public:
  HubModel(std::string node, io::HubModel model)
      : node_(std::move(node)), model_(std::move(model)) {}

  std::string text() const override {
    return "fetching " + model_.id + " to " + io::hub_model_folder(model_.id).string() + ", from " +
           io::shown_hub_endpoint();
  }
  graph::FetchSize size(const graph::FetchContext& context) override {
    guarded(node_, "path", context,
            [&] { plan_ = io::plan_hub_model(model_, options_for(context)); });
    return {.text = io::describe(plan_) + ", from " + io::shown_hub_endpoint(),
            .folder = plan_.snapshot,
            .disk_bytes = plan_.bytes - plan_.kept_bytes};
  }
  void run(const graph::FetchContext& context) override {
    guarded(node_, "path", context, [&] { io::fetch_hub_model(plan_, options_for(context)); });
  }

 private:
  std::string node_;
  io::HubModel model_;
  io::HubPlan plan_;
};

}  // namespace

graph::Progress to_progress(const io::FetchProgress& progress) {
  graph::Progress shown{.what = progress.what,
                        .done = progress.done_bytes,
                        .total = progress.total_bytes,
                        .unit = "bytes",
                        .left_s = progress.left_s};
  if (progress.bytes_per_s > 0) {
    shown.more.push_back(io::bytes_text(static_cast<int64_t>(progress.bytes_per_s)) + "/s");
  }
  return shown;
}

std::unique_ptr<graph::Fetch> missing_splits(const std::string& node,
                                             const io::LibriSpeechPlan& plan,
                                             const std::string& base_url) {
  if (plan.missing.empty()) return nullptr;
  return std::make_unique<Splits>(node, plan, base_url);
}

std::unique_ptr<graph::Fetch> missing_model(const std::string& node, const io::HubModel& model) {
  return std::make_unique<HubModel>(node, model);
}

std::filesystem::path fetched_model(const io::HubModel& model, const graph::FetchContext& context) {
  try {
    const io::HubPlan plan = io::plan_hub_model(model, options_for(context));
    context.reporter.say(io::describe(plan) + ", from " + io::shown_hub_endpoint());
    io::fetch_hub_model(plan, options_for(context));
    return plan.snapshot;
  } catch (const io::Error& error) {
    throw graph::RunError(model.id +
                          ": there is no folder of that name, and as a model on the Hub it could "
                          "not be had: " +
                          error.what());
  } catch (const io::Stopped&) {
    context.reporter.say("what was fetched is kept: run the same again to go on");
    throw graph::Interrupted(context.stop_signal);
  }
}

}  // namespace flowqat::nodes
