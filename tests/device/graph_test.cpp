// Whole graphs on the test device.
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "tests/nodes/small_run.h"
#include "tests/test_device/counts.h"
#include "tests/test_device/memory.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using namespace flowqat::test_device;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Does something, once, when a status is shown.
class Meddler : public Recorder {
 public:
  Meddler(std::string at, std::function<void()> work)
      : at_(std::move(at)), work_(std::move(work)) {}
  void progress(const graph::Progress& progress) override {
    Recorder::progress(progress);
    if (at_.empty() || statuses.back().find(at_) == std::string::npos) return;
    at_.clear();
    work_();
  }
  bool has_done() const { return at_.empty(); }

 private:
  std::string at_;
  std::function<void()> work_;
};

/// Nothing is refused any more where the test ends.
struct Refusals {
  ~Refusals() { stop(); }
  static void stop() {
    Memory::instance().refuse(0);
    Memory::instance().set_limit_bytes(0);
  }
};

std::vector<std::string> on_device(std::vector<std::string> more = {}) {
  more.insert(more.begin(), {"start.device=testdevice:0", "start.compute_threads=1"});
  return more;
}

std::string all_of(const std::vector<std::string>& lines) {
  std::string text;
  for (const std::string& line : lines) text += line + "\n";
  return text;
}

double loss_at_the_end(const fs::path& out, const std::string& node) {
  double loss = -1;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    if (line.at("node") == node && line.contains("gradient_norm")) loss = line.at("loss");
  }
  return loss;
}

}  // namespace

TEST_CASE("a whole graph runs on the test device, to what the CPU comes to") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  // Without what is drawn: every device has a generator of its own.
  std::vector<std::string> plain;
  for (const char* const key : {"hidden_dropout", "activation_dropout", "attention_dropout",
                                "final_dropout", "layerdrop"}) {
    plain.push_back(std::string("start.") + key + "=0");
  }
  Recorder here, there;
  std::vector<std::string> cpu = plain;
  cpu.emplace_back("start.compute_threads=1");
  run(small_quickstart(temporary.path(), "cpu", cpu), here);
  reset_counts();
  const graph::Json summary =
      run(small_quickstart(temporary.path(), "device", on_device(plain)), there);
  CHECK(counts().launches > 10000);
  CHECK_THAT(all_of(there.said), ContainsSubstring("testdevice:0"));
  for (const char* const node : {"learn", "adapt"}) {
    INFO(node);
    const double loss = loss_at_the_end(temporary.path() / "cpu", node);
    CHECK(loss > 0);
    CHECK(loss_at_the_end(temporary.path() / "device", node) == Approx(loss).epsilon(2e-2));
  }
  for (const char* const model : {"float", "ptq", "fake_quantized", "int8"}) {
    CHECK(check_listing(temporary.path() / "device", summary, model) == 3);
  }
}

TEST_CASE("the steps of a run on a device wait for nothing") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto waits = [&](int steps) {
    const std::string most = std::to_string(steps);
    Recorder recorder;
    reset_counts();
    run(small_quickstart(temporary.path(), "out-" + most,
                         on_device({"learn.max_steps=" + most, "learn.log_every_steps=1000",
                                    "adapt.max_steps=" + most, "adapt.log_every_steps=1000"})),
        recorder);
    return counts().synchronizations;
  };
  // Of one epoch, so that what is told at an epoch's end comes once.
  const int64_t few = waits(1);
  CHECK(few > 0);
  CHECK(waits(3) == few);
}

TEST_CASE("a batch that is too much for the device is heard in halves, told and counted") {
  const Refusals refusals;
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const fs::path out = temporary.path() / "out";
  Meddler recorder("learn: 2 of ", [] { Memory::instance().refuse(60); });
  const graph::Json summary = run(small_quickstart(temporary.path(), "out", on_device()), recorder);
  REQUIRE(recorder.has_done());
  CHECK(summary.at("train").at("halved_batches") == 1);
  int told = 0;
  for (const graph::Json& line : lines_of(out / "metrics.jsonl")) {
    if (!line.contains("halved_batch_padded_s")) continue;
    ++told;
    CHECK(line.at("node") == "learn");
    CHECK(line.at("step") == 3);
    CHECK(line.at("halved_batch_padded_s").get<double>() > 1);
    CHECK(line.at("utterances").size() > 1);
  }
  CHECK(told == 1);
  CHECK_THAT(all_of(recorder.said),
             ContainsSubstring("learn: step 3: the device has not the memory for ") &&
                 ContainsSubstring("they were heard in two halves") &&
                 ContainsSubstring("learn: 1 batch heard in two halves"));
}

TEST_CASE("a batch whose half is too much ends the run, which goes on to the same bits") {
  const Refusals refusals;
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  flowqat::testing::damage(temporary.path() / "corpus" / "train" / "101" / "1" / "101-1-0003.flac");
  const std::string batches = GENERATE("1", "2");
  const auto graph = [&](const std::string& name) {
    return small_quickstart(temporary.path(), name,
                            on_device({"learn.batches_per_step=" + batches, "learn.epochs=4"}));
  };
  Recorder whole, resumed;
  run(graph("whole"), whole);
  Meddler ended("learn: 2 of ", [] {
    Memory::instance().set_limit_bytes(Memory::instance().used_bytes() + 40000);
  });
  std::string why;
  try {
    run(graph("out"), ended);
  } catch (const graph::RunError& error) {
    why = error.what();
  }
  REQUIRE(ended.has_done());
  Refusals::stop();
  const std::string out = (temporary.path() / "out").string();
  CHECK_THAT(
      why, ContainsSubstring("learn: step 3: the device has not the memory for ") &&
               ContainsSubstring("nor for a half of them (") &&
               ContainsSubstring("training step: the device is out of memory: ") &&
               ContainsSubstring("--resume " + out + " --set learn.gradient_checkpointing=true") &&
               ContainsSubstring("\"max_padded_s\"") && !ContainsSubstring("frame #"));
  run(graph("out"), resumed, graph::Existing::resume);
  CHECK_THAT(all_of(resumed.said), ContainsSubstring("learn: going on from " + out));
  check_same_run(temporary.path() / "out", temporary.path() / "whole");
}

TEST_CASE("lack of memory for the update itself ends in one message too") {
  const Refusals refusals;
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  // Batches ask for less than that in a step.
  std::string why;
  for (int64_t number = 100; number < 1000 && why.find("the update") == std::string::npos;
       number += 40) {
    Meddler recorder("learn: 2 of ", [number] { Memory::instance().refuse(number); });
    try {
      run(small_quickstart(temporary.path(), "out", on_device({"learn.max_steps=3"})), recorder,
          graph::Existing::overwrite);
    } catch (const graph::RunError& error) {
      why = error.what();
    }
    Refusals::stop();
  }
  CHECK_THAT(why, ContainsSubstring("learn: step 3: the device has not the memory for the update "
                                    "of the weights (training step: the device is out of memory") &&
                      ContainsSubstring("To go on from the last checkpoint: --resume "));
}

TEST_CASE("lack of memory in calibration ends in one message that names the utterance") {
  const Refusals refusals;
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  Meddler recorder("observe: 1 of ", [] { Memory::instance().refuse(20); });
  CHECK_THROWS_WITH(run(small_quickstart(temporary.path(), "out", on_device()), recorder),
                    ContainsSubstring("node \"observe\": the device has not the memory for 1 "
                                      "utterance (") &&
                        ContainsSubstring("calibration: the device is out of memory: ") &&
                        ContainsSubstring("\"max_duration_s\" of the corpus") &&
                        !ContainsSubstring("frame #"));
}

TEST_CASE("a run in half precision tells its loss scale, which is part of its checkpoints") {
  const TemporaryFolder temporary;
  make_small_inputs(temporary.path());
  const auto graph = [&](const std::string& name) {
    return small_quickstart(temporary.path(), name, on_device({"start.precision=fp16"}));
  };
  Recorder whole, stopped, resumed;
  const graph::Json summary = run(graph("whole"), whole);
  int64_t lines = 0, overflowed = 0;
  for (const graph::Json& line : lines_of(temporary.path() / "whole" / "metrics.jsonl")) {
    if (!line.contains("loss_scale")) continue;
    ++lines;
    overflowed += line.value("overflowed_steps", 0);
    const double scale = line.at("loss_scale");
    CHECK(scale == std::exp2(std::round(std::log2(scale))));
    CHECK((scale >= 1 && scale <= 65536));
  }
  CHECK(lines > 10);
  CHECK(summary.at("train").value("overflowed_steps", int64_t{0}) == overflowed);
  CHECK_FALSE(summary.at("train").contains("skipped_steps"));
  stopped.stop_at = "learn: 3 of ";
  CHECK_THROWS_AS(run(graph("out"), stopped), graph::Interrupted);
  run(graph("out"), resumed, graph::Existing::resume);
  check_same_run(temporary.path() / "out", temporary.path() / "whole");
  CHECK_THAT(refusal(temporary.path(), {"start.device=cpu", "start.precision=fp16"}),
             ContainsSubstring("key \"precision\": fp16 is for a GPU, and the CPU computes here"));
}

TEST_CASE("a device's name is refused before anything is read, unless LibTorch knows it") {
  const TemporaryFolder temporary;
  flowqat::testing::write_small_config(temporary.path() / "config");
  for (const char* const name : {"gpu", "cuda:", "cuda:x", "testdevice:1", "cpu0"}) {
    CHECK_THAT(refusal(temporary.path(), {std::string("start.device=") + name}),
               ContainsSubstring("key \"device\": must be auto, cpu, cuda or cuda:1 (the second "
                                 "GPU), found \"" +
                                 std::string(name)));
  }
  for (const char* const name : {"cuda:1", "testdevice", "testdevice:0"}) {
    CHECK(refusal(temporary.path(), {std::string("start.device=") + name}) == "accepted");
  }
}
