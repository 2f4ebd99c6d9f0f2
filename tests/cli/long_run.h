/// A training run that takes longer than its test, to be sent signals.
#pragma once
#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "tests/catch.h"
#include "tests/corpus.h"
#include "tests/small_model.h"
#include "tests/temporary_folder.h"

namespace flowqat::cli::testing {

class LongRun {
 public:
  /// `train`: more keys of its `train` node; `before`: what the shell does first.
  explicit LongRun(const nlohmann::json& train = nlohmann::json::object(),
                   const std::string& before = "exec ") {
    const std::filesystem::path at = folder_.path();
    flowqat::testing::make_corpus(at / "corpus");
    flowqat::testing::write_small_config(at / "config");
    nlohmann::json learn = {{"type", "train"},
                            {"model", "start"},
                            {"audio", "batch"},
                            {"epochs", 100000},
                            {"log_every_steps", 1}};
    learn.update(train);
    const nlohmann::json nodes = {
        {"corpus", {{"type", "librispeech"}, {"root", (at / "corpus").string()}, {"cache", false}}},
        {"decode", {{"type", "decode"}, {"from", "corpus"}}},
        {"batch", {{"type", "batch"}, {"from", "decode"}, {"size", 1}}},
        {"start", {{"type", "model"}, {"config", (at / "config").string()}, {"device", "cpu"}}},
        {"learn", learn}};
    std::ofstream(at / "graph.json")
        << nlohmann::json{{"threads", 1}, {"nodes", nodes}, {"out", out().string()}};
    const std::string command = before + "'" FLOWQAT_BUILD_DIR "/flowqat' run '" +
                                (at / "graph.json").string() + "' >/dev/null 2>'" +
                                (at / "err").string() + "'";
    child_ = ::fork();
    REQUIRE(child_ >= 0);
    if (child_ == 0) {
      ::signal(SIGHUP, SIG_DFL);  // where the tests themselves run under nohup
      ::execl("/bin/bash", "bash", "-c", command.c_str(), nullptr);
      ::_exit(127);
    }
  }
  ~LongRun() {
    if (child_ > 0) ::kill(child_, SIGKILL);
    wait();
  }
  LongRun(const LongRun&) = delete;
  LongRun& operator=(const LongRun&) = delete;

  std::filesystem::path out() const { return folder_.path() / "run"; }

  /// Waits until some steps are done.
  void until_training() const {
    const std::filesystem::path metrics = out() / "metrics.jsonl";
    for (int i = 0; i < 1200; ++i) {
      std::error_code none;
      const auto bytes = std::filesystem::file_size(metrics, none);
      if (!none && bytes > 0) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
    }
    FAIL("no step within a minute: " << err());
  }
  /// Waits a little, so that the next signal does not melt into this one.
  void send(int number) const {
    ::kill(child_, number);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  void pause() const { send(SIGSTOP); }
  void go_on() const { send(SIGCONT); }
  bool is_running() { return child_ > 0 && ::waitpid(child_, &raw_, WNOHANG) == 0; }

  /// Waits for the end. -1: a signal killed it.
  int status() {
    wait();
    return WIFEXITED(raw_) ? WEXITSTATUS(raw_) : -1;
  }
  /// The signal that killed it, or 0.
  int killed_by() {
    wait();
    return WIFSIGNALED(raw_) ? WTERMSIG(raw_) : 0;
  }
  /// How many checkpoints within a step there are.
  int checkpoints() const {
    int found = 0;
    for (const auto& entry : std::filesystem::directory_iterator(out() / "checkpoints")) {
      const std::string name = entry.path().filename().string();
      found += name.starts_with("step-") && entry.path().extension().empty() ? 1 : 0;
    }
    return found;
  }
  std::string err() const {
    std::ostringstream text;
    text << std::ifstream(folder_.path() / "err").rdbuf();
    return text.str();
  }

 private:
  void wait() {
    if (child_ > 0) ::waitpid(child_, &raw_, 0);
    child_ = -1;
  }

  flowqat::testing::TemporaryFolder folder_;
  pid_t child_ = -1;
  int raw_ = 0;
};

}  // namespace flowqat::cli::testing
