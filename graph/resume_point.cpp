#include "graph/resume_point.h"

#include <nlohmann/json.hpp>

#include "graph/json_lines.h"

namespace flowqat::graph {
namespace fs = std::filesystem;
namespace {

int64_t steps_of(const ResumePoint& point) {
  return point.last_state ? point.last_state->at("optimizer_steps").get<int64_t>() : 0;
}

/// Why the run's lists are not those that the state counts on.
std::string list_difference(const RunFolder& folder, const Json& state) {
  std::string text;
  for (const auto& [file, lines] : {std::pair(kMetricsFile, state.at("metrics")),
                                    std::pair(kRejectedFile, state.at("ledger").at("lines"))}) {
    const std::string why = JsonLines::why_not(folder.path() / file, lines);
    text += (text.empty() || why.empty() ? "" : "; ") + why;
  }
  return text;
}

/// Of a step that is over; one that is not knows better itself how far it has come.
void check_not_shorter(const std::string& step, const Json& before, const Json& now) {
  if (!before.contains(step)) return;
  for (const auto& [key, value] : now.at(step).items()) {
    const auto was = before.at(step).find(key);
    if (was == before.at(step).end() || !was->is_number() || !(value > 0 && value < *was)) continue;
    throw GraphError("node \"" + step + "\": key \"" + key + "\" was " + was->dump() + " and is " +
                     value.dump() + ": a step that is over can be made longer, but not shorter");
  }
}

Json as_json(const Saved& saved) {
  return {{"folder", saved.folder.string()}, {"state", *saved.state}};
}

Saved saved_of(const Json& json) {
  return {json.at("folder").get<std::string>(), std::make_shared<const Json>(json.at("state"))};
}

}  // namespace

Json as_json(const ResumePoint& point) {
  Json finished = Json::object();
  for (const auto& [step, saved] : point.finished) finished[step] = as_json(saved);
  Json json{{"finished", finished}};
  if (point.checkpoint) json["checkpoint"] = as_json(*point.checkpoint);
  return json;
}

ResumePoint resume_point_of(const Json& json) {
  ResumePoint point;
  for (const auto& [step, saved] : json.at("finished").items()) {
    point.finished.emplace(step, saved_of(saved));
  }
  if (json.contains("checkpoint")) point.checkpoint = saved_of(json.at("checkpoint"));
  return point;
}

ResumeSearch::ResumeSearch(const RunFolder& folder, std::vector<std::string> steps,
                           const Json& lengths)
    : folder_(folder), steps_(std::move(steps)), lengths_(std::make_unique<const Json>(lengths)) {
  if (folder_.resumed()) find();
}

ResumeSearch::~ResumeSearch() = default;

bool ResumeSearch::has_its_length(const std::string& step, const Json& state) const {
  const Json before = state.value("lengths", Json::object());
  return !lengths_->contains(step) ||
         (before.contains(step) && before.at(step) == lengths_->at(step));
}

void ResumeSearch::find() {
  for (const std::string& step : steps_) {
    const auto finished = read(folder_.finished_path(step));
    if (finished && !has_its_length(step, *finished->state)) grown_ = step;
    if (finished && grown_.empty()) {
      point_.finished.emplace(step, *finished);
      point_.last_state = finished->state;
      continue;
    }
    point_.checkpoint = newest_checkpoint(step, steps_of(point_));
    if (point_.checkpoint) point_.last_state = point_.checkpoint->state;
    break;
  }
}

/// None where it is not there, or damaged, which is noted.
std::optional<Saved> ResumeSearch::read(const fs::path& path) {
  if (!fs::exists(path)) return std::nullopt;
  try {
    return folder_.read(path);
  } catch (const Damaged& damage) {
    damaged_.emplace_back(path, damage.what());
    return std::nullopt;
  }
}

/// Of those behind `done` optimizer steps: the others are of steps before.
std::optional<Saved> ResumeSearch::newest_checkpoint(const std::string& step, int64_t done) {
  for (const fs::path& path : folder_.checkpoints()) {
    if (RunFolder::steps_of(path) <= done) break;
    auto saved = read(path);
    if (saved && saved->state->at("step") == step) return saved;
  }
  return std::nullopt;
}

void ResumeSearch::check(const RunInputs& inputs, bool accepts) const {
  if (!folder_.resumed()) return;
  if (!grown_.empty() && lengths_->contains(grown_)) {
    const Saved finished = folder_.read(folder_.finished_path(grown_));
    check_not_shorter(grown_, finished.state->value("lengths", Json::object()), *lengths_);
  }
  std::shared_ptr<const Json> before = point_.last_state;
  if (before) {
    if (const std::string why = list_difference(folder_, *before); !why.empty()) {
      if (!accepts) {
        throw RunError(why +
                       "; put it back as it was, from a copy, or go on without the lines that are "
                       "missing with --accept-changes");
      }
      folder_.say(why + "; going on without these lines");
    }
  } else if (const auto beginning = folder_.beginning()) {
    before = beginning->state;
  } else if (damaged_.empty() && fs::exists(folder_.path() / kSummaryFile)) {
    throw GraphError(
        folder_.path().string() +
        ": has a summary.json, but nothing that says what it was made from (an older "
        "version's run has not); it is left as it is: choose another folder with --out");
  }
  if (!before) return;
  const std::string why = inputs.difference(before->at("inputs"), folder_.begin_path());
  if (why.empty()) return;
  const std::string told =
      folder_.path().string() + ": what the run is made from is no longer what it was: " + why;
  if (accepts) {
    folder_.say(told + "; going on with it as it is");
    return;
  }
  throw GraphError(
      told +
      "; put it back as it was, or go on with it as it is with --accept-changes: other "
      "batches come then than in a run that was never stopped");
}

ResumePoint ResumeSearch::take() const {
  if (!folder_.resumed()) return point_;
  for (const auto& [path, why] : damaged_) {
    folder_.say(why + "; " + path.filename().string() +
                " is set aside, and the run goes back to the state before");
    folder_.set_aside(path);
  }
  if (!grown_.empty()) {
    folder_.say(grown_ + ": is to go on to another length" +
                (point_.checkpoint
                     ? ""
                     : ", but no checkpoint of it is left, so it begins anew: more of "
                       "them are kept with \"keep_checkpoints\""));
  }
  // Behind the point the lists will be written anew, on which these states count.
  for (const std::string& step : steps_) {
    const fs::path path = folder_.finished_path(step);
    if (!point_.finished.contains(step) && fs::exists(path)) folder_.set_aside(path);
  }
  const int64_t done =
      point_.checkpoint ? RunFolder::steps_of(point_.checkpoint->folder) : steps_of(point_);
  for (const fs::path& path : folder_.checkpoints()) {
    if (RunFolder::steps_of(path) > done) folder_.set_aside(path);
  }
  remove_whole(folder_.end_path());  // not complete any more
  return point_;
}

}  // namespace flowqat::graph
