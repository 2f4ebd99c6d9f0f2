/// Commands on a model, as a person would use them: made by one short run.
#include <sys/stat.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/nodes/wav.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::call_and_interrupt;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// configs/quickstart.json over a tiny corpus and a small model.
std::string small_run(const fs::path& folder) {
  const std::string path = folder.string();
  return "--graph configs/quickstart.json --out " + path + "/out --set corpus.root=" + path +
         "/corpus --set 'corpus.splits=[\"train\"]' --set dev_corpus.root=" + path +
         "/corpus --set 'dev_corpus.splits=[\"train\"]' --set start.config=" + path +
         "/config --set batch.max_padded_s=4 --set learn.epochs=1 --set adapt.epochs=1";
}

/// The rates are those of the counts beside them.
void check_rate(const nlohmann::json& sums) {
  const auto errors = [&](const std::string& of) {
    double sum = 0;
    for (const char* kind : {"substitutions", "deletions", "insertions"}) {
      sum += sums.at(of + kind).get<double>();
    }
    return sum;
  };
  const double words = sums.at("reference_words"), characters = sums.at("reference_characters");
  CHECK(sums.at("wer").get<double>() == Approx(errors("") / words));
  CHECK(sums.at("cer").get<double>() == Approx(errors("character_") / characters));
}

/// `flowqat evaluate` on 12 utterances of two words and two speakers.
void check_evaluation(const std::string& model, const fs::path& corpus) {
  const std::string command = "evaluate " + model + " --manifest " + corpus.string();
  const Outcome lines = call(command + " --json");
  CHECK(lines.status == 0);
  const auto json = nlohmann::json::parse(lines.out);
  CHECK(json.at("utterances") == 12);
  CHECK(json.at("reference_words") == 24);
  check_rate(json);
  for (const auto& [speaker, part] : json.at("by_speaker").items()) check_rate(part);
  CHECK(json.at("x_realtime").get<double>() > 0);
  CHECK(json.at("by_speaker").size() == 2);
  CHECK_THAT(call(command).out, ContainsSubstring("WER %") && ContainsSubstring("speaker 101"));
}

std::string content(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path, std::ios::binary).rdbuf();
  return text.str();
}

/// `--kernels` of an int8 model: both hear something, and not in the same bits where they differ.
void check_kernels(const std::string& model, const fs::path& file, const fs::path& folder) {
  for (const std::string kernels : {"fastest", "exact"}) {
    const Outcome heard = call("transcribe --kernels " + kernels + " --logits " +
                               (folder / kernels).string() + " " + model + " " + file.string());
    CHECK(heard.status == 0);
  }
  const std::string scores = file.stem().string() + ".npy";
  const std::string fastest = content(folder / "fastest" / scores);
  const std::string exact = content(folder / "exact" / scores);
  CHECK(fastest.size() > 128);
  CHECK(fastest.size() == exact.size());
#ifdef __x86_64__
  if (__builtin_cpu_supports("avx512vnni") && __builtin_cpu_supports("avx512vbmi")) {
    CHECK(fastest != exact);
  }
#endif
  CHECK(call("transcribe --kernels quick " + model + " " + file.string()).status == 2);
  CHECK(call("evaluate --kernels quick " + model + " --manifest " + folder.string()).status == 2);
}

/// `--against`: models that are heard now, and what the run itself wrote down of them, agree with
/// each other and with the run's own differences.
void check_against(const fs::path& out, const fs::path& corpus) {
  const auto compared = [](const std::string& arguments) {
    const Outcome outcome = call("evaluate " + arguments + " --json");
    INFO(outcome.err);
    REQUIRE(outcome.status == 0);
    return nlohmann::json::parse(outcome.out);
  };
  const std::string run = out.string(), manifest = " --batch 12 --manifest " + corpus.string();
  const auto files = compared(run + "/wer-int8.jsonl --against " + run + "/wer-float.jsonl");
  const auto summary =
      nlohmann::json::parse(content(out / "summary.json")).at("evaluations").at("wer");
  const auto& differences = summary.at("differences");
  CHECK(differences.at("to") == "float");
  CHECK(differences.at("wer").size() == 3);
  for (const char* rate : {"wer", "cer"}) {
    CHECK(files.at("of_model").at(rate) == summary.at(rate).at("int8"));
    const auto& found = files.at("differences").at(rate);
    CHECK(found.at("difference") == differences.at(rate).at("int8").at("difference"));
    CHECK(found.at("utterances") == 12);
  }
  const auto models =
      compared(run + "/int8 --against " + run + "/float" + manifest + " --kernels exact");
  CHECK(models.at("of_model").at("utterances") == 12);
  const auto mixed = compared(run + "/int8 --against " + run + "/wer-float.jsonl" + manifest +
                              " --limit 3 --kernels exact");
  CHECK(mixed.at("of_model").at("utterances") == 12);  // a whole batch
  const auto same = compared(run + "/int8 --against " + run + "/int8" + manifest);
  CHECK(same.at("changed").empty());
  CHECK(same.at("differences").at("wer").at("high") == 0);
}

/// The same speech with its words in lower case.
void check_normalized_references(const std::string& model, const fs::path& corpus) {
  const std::string command = "evaluate " + model + " --json --manifest " + corpus.string();
  const auto evaluated = [&](const std::string& more) {
    return nlohmann::json::parse(call(command + more).out);
  };
  const double wer = evaluated("").at("wer");
  for (const char* speaker : {"101", "102"}) {
    const std::string file = (corpus / "train" / speaker / "1" / speaker).string() + "-1.trans.txt";
    REQUIRE(std::system(("sed -i 's/.*/\\L&/' '" + file + "'").c_str()) == 0);
  }
  const auto normalized = evaluated(""), written = evaluated(" --text-normalization none");
  CHECK(normalized.at("wer") == wer);
  CHECK(normalized.at("transcripts").at("normalized") == 12);
  CHECK(normalized.at("transcripts").at("out_of_vocabulary").empty());
  CHECK(written.at("wer").get<double>() >= 1);
  CHECK(written.at("transcripts").at("out_of_vocabulary").contains("o"));
  CHECK_THAT(call(command + " --text-normalization none").err,
             ContainsSubstring("in 12 of 12 transcripts are not in the vocabulary: "));
}

/// What cannot be heard is told, keeps its line, and does not keep the others from being heard.
void check_channels(const std::string& model, const fs::path& folder, const fs::path& sound) {
  using flowqat::nodes::testing::tone;
  using flowqat::nodes::testing::write_wav;
  const std::string opposed = write_wav(folder / "opposed.wav", tone(16000, 2), 2).string();
  auto samples = tone(16000);
  samples[99] = std::nanf("");
  const std::string nan = write_wav(folder / "nan.wav", samples).string();
  const std::string slow = write_wav(folder / "slow.wav", tone(16000), 1, 1).string();
  const std::string all = opposed + " " + nan + " " + slow + " " + sound.string();
  const Outcome heard = call("transcribe --json " + model + " " + all);
  CHECK(heard.status == 1);
  CHECK(std::count(heard.out.begin(), heard.out.end(), '\n') == 4);
  CHECK_THAT(heard.out, ContainsSubstring("\"text\""));
  CHECK_THAT(heard.err, ContainsSubstring(opposed + ": its 2 channels cancel each other"));
  CHECK_THAT(heard.err, ContainsSubstring(nan + ": sample 99, counted from 0, is not a number"));
  CHECK_THAT(heard.err, ContainsSubstring(slow + ": from 1 Hz to 16000 Hz"));
  CHECK(call("transcribe --channel 1 " + model + " " + opposed).status == 0);
  CHECK(call("transcribe --channel 0 --window-s 0.4 --overlap-s 0.2 " + model + " - <" + opposed)
            .status == 0);
  CHECK_THAT(call("transcribe --channel 2 " + model + " " + opposed).err,
             ContainsSubstring(opposed + ": channel 2 was asked for, and it has 2"));
  std::ofstream(folder / "opposed.jsonl") << R"({"audio_filepath": "opposed.wav", "text": "ONE"})"
                                          << "\n";
  const std::string evaluate = "evaluate " + model + " --json --manifest ";
  CHECK(call(evaluate + (folder / "opposed.jsonl").string()).status == 1);
  CHECK(call(evaluate + (folder / "opposed.jsonl").string() + " --channel 1").status == 0);
}

}  // namespace

TEST_CASE(
    "transcribe prints a line a file for the folders that a run left, and evaluate their rates") {
  const TemporaryFolder temporary;
  const auto files = flowqat::testing::make_corpus(temporary.path() / "corpus");
  flowqat::testing::write_small_config(temporary.path() / "config");
  REQUIRE(call(small_run(temporary.path())).status == 0);
  const std::string audio = " " + files[0].string() + " " + files[1].string();
  for (const std::string folder : {"model", "int8"}) {
    const std::string model = (temporary.path() / "out" / folder).string();
    const Outcome text = call("transcribe " + model + audio);
    CHECK(text.status == 0);
    CHECK(std::count(text.out.begin(), text.out.end(), '\n') == 2);
    const Outcome lines = call("transcribe --json " + model + audio);
    std::istringstream stream(lines.out);
    for (const fs::path& file : {files[0], files[1]}) {
      std::string line;
      std::getline(stream, line);
      const auto json = nlohmann::json::parse(line);
      CHECK(json.at("path") == file.string());
      CHECK(json.at("text").is_string());
      CHECK(json.at("duration_s").get<double>() > 0.4);
      CHECK(json.at("words").is_array());
    }
    const Outcome parted =
        call("transcribe --window-s 0.3 --overlap-s 0.2 " + model + " - <" + files[0].string());
    CHECK(parted.status == 0);
    CHECK(std::count(parted.out.begin(), parted.out.end(), '\n') == 1);
    check_evaluation(model, temporary.path() / "corpus");
    // What can be read only once: `<(...)` is such a place too.
    const auto fifo = temporary.path() / "fifo";
    fs::remove(fifo);
    REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
    const std::jthread writer([&] {
      std::ofstream(fifo, std::ios::binary) << std::ifstream(files[0], std::ios::binary).rdbuf();
    });
    const Outcome piped = call("transcribe " + model + " " + fifo.string());
    CHECK(piped.status == 0);
    CHECK(piped.out == text.out.substr(0, text.out.find('\n') + 1));
  }
  check_kernels((temporary.path() / "out" / "int8").string(), files[0], temporary.path());

  check_against(temporary.path() / "out", temporary.path() / "corpus");

  check_normalized_references((temporary.path() / "out" / "int8").string(),
                              temporary.path() / "corpus");

  check_channels((temporary.path() / "out" / "int8").string(), temporary.path(), files[1]);

  flowqat::testing::damage(files[0]);
  const Outcome counted = call("evaluate " + (temporary.path() / "out" / "int8").string() +
                               " --json --manifest " + (temporary.path() / "corpus").string());
  CHECK(nlohmann::json::parse(counted.out).at("rejected") == 1);
  CHECK_THAT(counted.err, ContainsSubstring("left out: " + files[0].string()));
  const Outcome broken =
      call("transcribe " + (temporary.path() / "out" / "int8").string() + audio + " /no/such.flac");
  CHECK(broken.status == 1);
  CHECK(std::count(broken.out.begin(), broken.out.end(), '\n') == 3);
  CHECK_THAT(broken.err,
             ContainsSubstring(files[0].string()) && ContainsSubstring("/no/such.flac"));

  fs::remove(temporary.path() / "out" / "model" / "model.safetensors");
  const Outcome without =
      call("transcribe " + (temporary.path() / "out" / "model").string() + audio);
  CHECK(without.status == 1);
  CHECK_THAT(without.err, ContainsSubstring("model.safetensors"));
}

TEST_CASE(
    "SIGTERM in the middle of training saves a checkpoint, too, and has a status of its own") {
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path() / "corpus");
  flowqat::testing::write_small_config(temporary.path() / "config");
  const fs::path out = temporary.path() / "out";
  const int status =
      call_and_interrupt(small_run(temporary.path()) + " --set learn.epochs=40",
                         out.string() + ".err", (out / "metrics.jsonl").string(), "TERM");
  CHECK(status == 143);
  CHECK_FALSE(fs::is_empty(out / "checkpoints"));
  CHECK_FALSE(fs::exists(out / "summary.json"));
}

TEST_CASE("SIGINT in the middle of training saves a checkpoint, and --resume comes to the end") {
  const TemporaryFolder temporary;
  flowqat::testing::make_corpus(temporary.path() / "corpus");
  flowqat::testing::write_small_config(temporary.path() / "config");
  const std::string out = (temporary.path() / "out").string();
  const std::string arguments = small_run(temporary.path()) + " --set learn.epochs=40";
  const int status = call_and_interrupt(arguments, out + ".err", out + "/metrics.jsonl");
  CHECK(status == 130);
  std::ostringstream said;
  said << std::ifstream(out + ".err").rdbuf();
  CHECK_THAT(said.str(), ContainsSubstring("go on with --resume"));
  CHECK_FALSE(fs::exists(out + "/summary.json"));
  for (const auto& entry : fs::recursive_directory_iterator(out)) {
    CHECK(entry.path().string().find(".partial") == std::string::npos);
  }
  const Outcome resumed = call("run --resume " + out);  // it has its own graph
  CHECK(resumed.status == 0);
  CHECK_THAT(resumed.err, ContainsSubstring("going on from"));
  CHECK(fs::exists(out + "/summary.json"));
  const Outcome other = call(arguments + " --resume --set seed=2");
  CHECK(other.status == 2);
  CHECK_THAT(other.err, ContainsSubstring("/seed"));
  const Outcome again = call(arguments + " --resume");
  CHECK(again.status == 0);
  CHECK_THAT(again.err, ContainsSubstring("this run is complete"));
}
