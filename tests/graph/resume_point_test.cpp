/// Where a run goes on, and what it goes back to when files are damaged.
#include "graph/resume_point.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/json_lines.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

const Json kGraph{{"seed", 1}};
const std::vector<std::string> kSteps = {"start", "learn", "adapt"};

/// A run that was killed in "adapt".
class Killed {
 public:
  Killed() {
    RunFolder folder(path, kGraph, Existing::refuse);
    folder.begin(kGraph, RunInputs({}, {}));
    metrics_ = std::make_unique<JsonLines>(path / "metrics.jsonl");
    rejected_ = std::make_unique<JsonLines>(path / "rejected.jsonl");
    finish(folder, "start", 0);
    for (const int steps : {5, 10}) checkpoint(folder, "learn", steps);
    finish(folder, "learn", 12);
    for (const int steps : {15, 20, 25}) checkpoint(folder, "adapt", steps);
    metrics_->add({{"behind", "all states"}});
  }

  /// Resumes, and keeps what is said.
  ResumePoint point(bool accepts = false) {
    said.clear();
    RunFolder folder(path, kGraph, Existing::resume, {},
                     [this](const std::string& line) { said += line + "\n"; });
    const ResumeSearch search(folder, kSteps, Json::object());
    search.check(RunInputs({}, {}), accepts);
    return search.take();
  }
  std::string place(bool accepts = false) {
    const ResumePoint found = point(accepts);
    std::string text;
    for (const std::string& step : kSteps) text += found.finished.contains(step) ? step + " " : "";
    return text + (found.checkpoint ? found.checkpoint->folder.filename().string() : "");
  }
  fs::path state(const std::string& name) const { return path / "checkpoints" / name; }
  void flip(const fs::path& file, std::streamoff at = 0) const {
    std::fstream stream(file, std::ios::in | std::ios::out | std::ios::binary);
    REQUIRE(stream.seekg(at));
    const auto byte = static_cast<char>(stream.get() ^ 1);
    stream.seekp(at);
    stream.put(byte);
  }

  TemporaryFolder temporary;
  fs::path path = temporary.path() / "run";
  std::string said;

 private:
  Json state_of(const std::string& step, int64_t steps) {
    metrics_->add({{"steps", steps}});
    return {{"step", step},
            {"optimizer_steps", steps},
            {"metrics", metrics_->state()},
            {"ledger", {{"lines", rejected_->state()}}},
            {"inputs", RunInputs({}, {}).summary()}};
  }
  void finish(const RunFolder& folder, const std::string& step, int64_t steps) {
    folder.write(folder.finished_path(step), state_of(step, steps), {}, fill(step));
  }
  void checkpoint(const RunFolder& folder, const std::string& step, int64_t steps) {
    folder.write(folder.checkpoint_path(steps), state_of(step, steps < 12 ? 0 : 12), {},
                 fill(step + std::to_string(steps)));
  }
  static RunFolder::Fill fill(const std::string& text) {
    return [text](const fs::path& to) { std::ofstream(to / "model.safetensors") << text; };
  }

  std::unique_ptr<JsonLines> metrics_, rejected_;
};

}  // namespace

TEST_CASE("a run goes on from its latest state") {
  Killed killed;
  CHECK(killed.place() == "start learn step-25");
  CHECK(killed.said.empty());
  const RunFolder folder(killed.path, kGraph, Existing::resume);
  folder.prune_checkpoints(2);
  CHECK(fs::exists(killed.state("step-20")));
  CHECK_FALSE(fs::exists(killed.state("step-15")));
  CHECK_FALSE(fs::exists(killed.state("step-10")));
}

TEST_CASE("a state with a damaged file is not used, but the one before, and the file is named") {
  const std::vector<std::string> files = {"model.safetensors", "state.json", "checksums.json"};
  for (const std::string& file : files) {
    INFO(file);
    for (const std::string damage : {"flip", "cut", "gone", "empty"}) {
      INFO(damage);
      Killed killed;
      const fs::path path = killed.state("step-25") / file;
      if (damage == "flip") killed.flip(path, 3);
      if (damage == "cut") fs::resize_file(path, fs::file_size(path) - 3);
      if (damage == "empty") fs::resize_file(path, 0);
      if (damage == "gone") fs::remove(path);
      CHECK(killed.place() == "start learn step-20");
      CHECK_THAT(killed.said, ContainsSubstring("step-25/" + file) &&
                                  ContainsSubstring("goes back to the state before"));
      CHECK(fs::exists(killed.state("set-aside") / "step-25"));
      CHECK(killed.place() == "start learn step-20");  // and it stays there
      CHECK(killed.said.empty());
    }
  }
}

TEST_CASE("a checkpoint that another needs is kept, and its damage is the other's") {
  Killed killed;
  {
    const RunFolder folder(killed.path, kGraph, Existing::resume);
    const Saved newest = folder.read(killed.state("step-25"));
    Json state = *newest.state;
    state["needs"] = {15, 25};
    folder.write(killed.state("step-25"), state, {},
                 [](const fs::path& to) { std::ofstream(to / "model.safetensors") << "learn25"; });
    folder.prune_checkpoints(1);
    CHECK(fs::exists(killed.state("step-25")));
    CHECK_FALSE(fs::exists(killed.state("step-20")));
    CHECK(fs::exists(killed.state("step-15")));
    CHECK_FALSE(fs::exists(killed.state("step-10")));
  }
  CHECK(killed.place() == "start learn step-25");
  killed.flip(killed.state("step-15") / "model.safetensors", 3);
  CHECK(killed.place() == "start learn ");
  CHECK_THAT(killed.said, ContainsSubstring("step-15/model.safetensors: is not what was written") &&
                              ContainsSubstring("which ") && ContainsSubstring("step-25 needs"));
}

TEST_CASE("every byte of a state counts") {
  Killed killed;
  for (const char* file : {"model.safetensors", "state.json", "checksums.json"}) {
    const fs::path path = killed.state("step-25") / file;
    std::ostringstream whole;
    whole << std::ifstream(path).rdbuf();
    const std::string text = whole.str();
    int64_t unseen = 0;
    for (size_t at = 0; at < text.size(); ++at) {
      killed.flip(path, static_cast<std::streamoff>(at));
      try {
        read_saved(killed.state("step-25"), killed.path);
        // White space between the checksums is read past.
        if (text[at] != ' ' && text[at] != '\n') ++unseen;
      } catch (const Damaged& damage) {
        CHECK_THAT(damage.what(), ContainsSubstring("checkpoints/step-25/"));
      }
      killed.flip(path, static_cast<std::streamoff>(at));
    }
    INFO(file);
    CHECK(unseen == 0);
  }
}

TEST_CASE("older files in the place of newer ones, and files of nobody's, are not accepted") {
  Killed killed;
  SECTION("a file of an older state") {
    fs::copy_file(killed.state("step-15") / "model.safetensors",
                  killed.state("step-25") / "model.safetensors",
                  fs::copy_options::overwrite_existing);
    CHECK(killed.place() == "start learn step-20");
  }
  SECTION("an older state under a newer name") {
    fs::remove_all(killed.state("step-25"));
    fs::copy(killed.state("step-15"), killed.state("step-25"));
    CHECK(killed.place() == "start learn step-20");
    CHECK_THAT(killed.said, ContainsSubstring("is the state step-15 under another name"));
  }
  SECTION("a file that nobody wrote") {
    std::ofstream(killed.state("step-25") / "quantization.json") << "{}";
    CHECK(killed.place() == "start learn step-20");
    CHECK_THAT(killed.said, ContainsSubstring("quantization.json: is no file of this state"));
  }
  SECTION("a state of another graph's run") {
    {
      RunFolder other(killed.temporary.path() / "other", {{"seed", 2}}, Existing::refuse);
      other.begin({{"seed", 2}}, RunInputs({}, {}));
      other.write(other.checkpoint_path(25), {{"step", "adapt"}}, {}, [](const fs::path&) {});
    }
    fs::remove_all(killed.state("step-25"));
    fs::rename(killed.temporary.path() / "other" / "checkpoints" / "step-25",
               killed.state("step-25"));
    CHECK(killed.place() == "start learn step-20");
    CHECK_THAT(killed.said, ContainsSubstring("step-25: is of another graph's run"));
  }
}

TEST_CASE("a run goes back as far as it must, and what lay behind is in nobody's way") {
  Killed killed;
  for (const char* name : {"step-15", "step-20", "step-25"}) {
    killed.flip(killed.state(name) / "model.safetensors");
  }
  CHECK(killed.place() == "start learn ");
  killed.flip(killed.state("after-learn") / "model.safetensors");
  CHECK(killed.place() == "start step-10");
  fs::remove(killed.state("after-start") / "model.safetensors");
  CHECK(killed.place() == "");
  for (const char* name : {"step-5", "step-10", "step-25", "after-learn", "after-start"}) {
    CHECK_FALSE(fs::exists(killed.state(name)));
    CHECK(fs::exists(killed.state("set-aside") / name));
  }
}

TEST_CASE("a list without the lines that a state counts on stops the run until that is accepted") {
  Killed killed;
  fs::resize_file(killed.path / "metrics.jsonl", 20);
  CHECK_THROWS_WITH(killed.point(), ContainsSubstring("metrics.jsonl: was cut off") &&
                                        ContainsSubstring("--accept-changes"));
  CHECK(fs::file_size(killed.path / "metrics.jsonl") == 20);
  const ResumePoint point = killed.point(true);
  CHECK_THAT(killed.said, ContainsSubstring("going on without these lines"));
  JsonLines(killed.path / "metrics.jsonl", point.last_state->at("metrics"), true);
  CHECK(fs::file_size(killed.path / "metrics.jsonl") == 12);  // the lines that are whole
}

TEST_CASE("a summary without any state, as of an older version's run, is left as it is") {
  Killed killed;
  fs::remove_all(killed.path / "checkpoints");
  std::ofstream(killed.path / "summary.json") << "{}";
  CHECK_THROWS_WITH(killed.point(), ContainsSubstring("has a summary.json") &&
                                        ContainsSubstring("it is left as it is"));
  CHECK(fs::exists(killed.path / "summary.json"));
}
