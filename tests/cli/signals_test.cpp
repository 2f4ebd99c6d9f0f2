/// Signals that ask to stop: one, two and three of them, and those that are ignored.
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/long_run.h"

using flowqat::cli::testing::LongRun;
namespace fs = std::filesystem;

TEST_CASE("every signal that asks to stop saves a checkpoint, and the status names it") {
  for (const int number : {SIGHUP, SIGINT, SIGTERM, SIGUSR1, SIGUSR2, SIGXCPU}) {
    INFO(strsignal(number));
    LongRun run;
    run.until_training();
    run.send(number);
    CHECK(run.status() == 128 + number);
    CHECK(run.checkpoints() == 1);
    CHECK_THAT(run.err(), ContainsSubstring("; go on with --resume") &&
                              ContainsSubstring("flowqat: interrupted"));
  }
}

TEST_CASE("a second signal lets the save come to its end, a third does not wait for it") {
  {
    LongRun run;
    run.until_training();
    run.send(SIGHUP);  // a closed terminal sends two
    run.send(SIGTERM);
    const int status = run.status();
    CHECK((status == 128 + SIGHUP || status == 128 + SIGTERM));  // whichever was answered first
    CHECK(run.checkpoints() == 1);
  }
  LongRun run;
  run.until_training();
  run.pause();  // so that the third comes before the step ends
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) run.send(number);
  run.go_on();
  CHECK(run.killed_by() != 0);
  CHECK(run.checkpoints() == 0);
}

TEST_CASE("signals while a checkpoint is saved leave it whole, and there is one") {
  LongRun run(nlohmann::json{{"checkpoint_every_s", 0.001}});  // saves behind every step
  run.until_training();
  run.send(SIGUSR1);
  run.send(SIGUSR1);
  CHECK(run.status() == 128 + SIGUSR1);
  CHECK(run.checkpoints() >= 1);
  for (const auto& entry : fs::directory_iterator(run.out() / "checkpoints")) {
    CHECK(entry.path().extension() != ".partial");
    CHECK(fs::exists(entry.path() / "state.json"));
  }
}

TEST_CASE("a hangup stays ignored under nohup") {
  LongRun run(nlohmann::json::object(), "trap '' HUP; exec ");
  run.until_training();
  run.send(SIGHUP);
  run.send(SIGHUP);
  usleep(300'000);
  CHECK(run.is_running());
  run.send(SIGTERM);
  CHECK(run.status() == 128 + SIGTERM);
}
