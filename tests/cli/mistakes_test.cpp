/// One kind of mistake has one exit status and one message, whichever command it is made with.
#include <algorithm>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;

namespace {

struct Mistake {
  std::string arguments;
  int status;
  std::string message;  ///< how it begins, behind "flowqat: "
};

void check_all(const std::vector<Mistake>& mistakes) {
  for (const Mistake& mistake : mistakes) {
    const Outcome outcome = call(mistake.arguments);
    INFO("flowqat " << mistake.arguments);
    CHECK(outcome.status == mistake.status);
    CHECK(outcome.out.empty());
    CHECK_THAT(outcome.err, Catch::Matchers::StartsWith("flowqat: " + mistake.message));
    CHECK(std::count(outcome.err.begin(), outcome.err.end(), '\n') == 1);
  }
}

/// The description of a model, which is all that is read before a mistake is found, and a corpus.
struct World {
  TemporaryFolder temporary;
  std::string model = at("model"), corpus = at("corpus"), there = at("there");

  World() {
    flowqat::testing::write_small_config(model);
    flowqat::testing::make_corpus(corpus, {.speakers = 1, .utterances = 2});
    std::ofstream(there) << "kept";
  }
  ~World() {
    std::ifstream file(there);
    std::string content;
    file >> content;
    CHECK(content == "kept");
  }
  std::string at(const std::string& name) const { return (temporary.path() / name).string(); }
};

}  // namespace

TEST_CASE("misspelt commands and options are errors with a suggestion") {
  check_all({
      {"evaluat model", 2, "there is no command \"evaluat\"; did you mean \"evaluate\"?"},
      {"fetch modl ID", 2, "fetch: there is no command \"modl\"; did you mean \"model\"?"},
      {"help evalute", 2, "help: there is no command \"evalute\"; did you mean \"evaluate\"?"},
      {"configs/smoke.json", 2, "there is no command \"configs/smoke.json\"; flowqat run FILE"},
      {"--grpah x", 2, "there is no option --grpah; did you mean \"--graph\"?"},
      {"evaluate m --manifset x", 2,
       "evaluate: there is no option --manifset; did you mean \"--manifest\"?"},
      {"evaluate m --manifset=x", 2,
       "evaluate: there is no option --manifset; did you mean \"--manifest\"?"},
      {"fetch model a/b --job 3", 2,
       "fetch model: there is no option --job; did you mean \"--jobs\"?"},
      {"nodes trian", 2, "there is no node type \"trian\"; did you mean \"train\"?"},
      {"new finetune", 2,
       "KIND: must be one of \"data\", \"fine-tune\", \"fine-tune-int8\", \"quantize\", found "
       "\"finetune\"; did you "
       "mean \"fine-tune\"?"},
  });
}

TEST_CASE("arguments that are missing, too many or at odds are named") {
  check_all({
      {"", 2, "nothing to do: give --graph FILE or a command"},
      {"fetch", 2, "fetch: expected one of its commands"},
      {"validate", 2, "validate: GRAPH (or --graph) is missing"},
      {"profile", 2, "profile: GRAPH (or --graph) is missing"},
      {"inspect", 2, "inspect: CORPUS (or --manifest) is missing"},
      {"transcribe model", 2, "transcribe: AUDIO is missing"},
      {"evaluate model", 2, "evaluate: --manifest is missing"},
      {"quantize model --manifest m", 2, "quantize: --out is missing"},
      {"export model", 2, "export: --onnx is missing"},
      {"validate a.json b.json", 2, "validate: \"b.json\" is one argument too many"},
      {"validate a.json --graph b.json", 2, "GRAPH: is given more than once"},
      {"evaluate m --manifest a --manifest b", 2, "--manifest: is given more than once"},
      {"evaluate m --manifest", 2, "evaluate: --manifest: 1 required FILE|DIR missing"},
      {"quantize m --manifest a --out --json", 2, "quantize: --out: expected DIR behind it"},
      {"quantize m --manifest a --out b --fake --half-positional-conv", 2,
       "quantize: --half-positional-conv and --fake cannot both be given"},
      {"run", 2, "run: GRAPH (or --graph) is missing"},
      {"run configs/smoke.json --resume --overwrite", 2,
       "run: --resume and --overwrite cannot both be given"},
      {"run --resume", 2, "--resume: expected the run's folder behind it"},
      {"run --resume /no/such", 2, "/no/such: holds no run to resume"},
      {"--resume /no/such", 2, "/no/such: holds no run to resume"},
      {"run configs/smoke.json --resume /no/such", 2, "/no/such: holds no run to resume"},
      {"run configs/smoke.json --resume a --out b", 2, "--resume a and --out b name two folders"},
      {"run configs/smoke.json --accept-changes", 2, "--accept-changes: is for --resume"},
      {"--set a=b validate configs/smoke.json", 2,
       "validate: --set: options belong behind the command"},
      {"nodes --markdown=yes", 2, ""},
  });
}

TEST_CASE("wrong values are refused by every command in the same words") {
  std::vector<Mistake> mistakes;
  for (const std::string command :
       {"transcribe m a.wav", "evaluate m --manifest c", "quantize m --manifest c --out o",
        "sensitivity m --manifest c"}) {
    mistakes.push_back({command + " --device gpu", 2,
                        "--device: must be one of \"auto\", \"cpu\", \"cuda\", found \"gpu\""});
  }
  for (const std::string command : {"evaluate m --manifest c", "quantize m --manifest c --out o",
                                    "sensitivity m --manifest c"}) {
    for (const std::string wrong : {"0", "-3", "1.5", "many", "65537", ""}) {
      mistakes.push_back({command + " --batch '" + wrong + "'", 2,
                          "--batch: must be a whole number from 1 to 65536, found \"" + wrong});
    }
    mistakes.push_back({command + " --seed -1", 2, "--seed: must be a whole number, found \"-1\""});
  }
  mistakes.push_back(
      {"evaluate m --manifest c --limit 0", 2, "--limit: must be a whole number from 1 to"});
  mistakes.push_back({"profile g --seconds nan", 2, "--seconds: must be a number from 0 to"});
  check_all(mistakes);
}

TEST_CASE("what is named and not there is status 2 in every command") {
  const World world;
  const std::string corpus = " --manifest " + world.corpus, out = " --out " + world.at("out");
  std::vector<Mistake> mistakes;
  for (const std::string command : {"run ", "validate ", "dot ", "profile ", "--graph "}) {
    mistakes.push_back({command + "/no/such.json", 2, "/no/such.json: cannot be read"});
  }
  const std::string none = "/no/such/model";
  for (const std::string& command :
       {"transcribe " + none + " a.wav", "evaluate " + none + corpus,
        "quantize " + none + corpus + out, "sensitivity " + none + corpus,
        "export " + none + " --onnx " + world.at("m.onnx"),
        "inspect " + world.corpus + " --model " + none}) {
    mistakes.push_back({command, 2, none + ": no such folder"});
  }
  for (const std::string& command : {"evaluate " + world.model, "quantize " + world.model + out,
                                     "sensitivity " + world.model, std::string("inspect")}) {
    mistakes.push_back({command + " --manifest /no/such.jsonl", 2,
                        "/no/such.jsonl: no such file or folder; expected a manifest"});
    mistakes.push_back({command + corpus + " --split dev", 2,
                        "--split dev: there is no such split in " + world.corpus});
  }
  for (const std::string& command :
       {"quantize " + world.model + corpus + out, "sensitivity " + world.model + corpus}) {
    mistakes.push_back({command + " --policy /no/such.json", 2, "--policy /no/such.json: no such"});
  }
  check_all(mistakes);
}

TEST_CASE("misspelt parts, presets and keys of a policy are suggested") {
  const World world;
  const std::string command =
      "quantize " + world.model + " --manifest " + world.corpus + " --out " + world.at("out");
  const auto suggests = [&](const std::string& choice, const std::string& word) {
    const Outcome outcome = call(command + " --set '" + choice + "'");
    INFO(choice);
    CHECK(outcome.status == 2);
    CHECK_THAT(outcome.err, ContainsSubstring("; did you mean \"" + word + "\"?"));
  };
  suggests("atention=none", "attention");
  suggests("attention=fbgem", "fbgemm");
  suggests(R"(attention={"preset": "fbgem"})", "fbgemm");
  suggests(R"(attention={"preset": "fbgemm", "weight_bit": 4})", "weight_bits");
  suggests(R"(attention={"preset": "fbgemm", "range": "minmax"})", "min_max");
  suggests(R"(exceptions=[{"match": "*", "choice": "nonne"}])", "none");
}

TEST_CASE(
    "nothing but --overwrite replaces a file, and a place that cannot be written is status 3") {
  const World world;
  const std::string corpus = " --manifest " + world.corpus;
  std::vector<Mistake> mistakes;
  for (const std::string& command :
       {"evaluate " + world.model + corpus + " --out ",
        "sensitivity " + world.model + corpus + " --out ",
        "sensitivity " + world.model + corpus + " --policy-out ",
        "inspect " + world.corpus + " --html ",
        "profile configs/data_only.json --set corpus.root=" + world.corpus + " --html ",
        "profile configs/data_only.json --set corpus.root=" + world.corpus + " --trace "}) {
    mistakes.push_back(
        {command + world.there, 2, world.there + ": is already there; choose another"});
    mistakes.push_back(
        {command + world.corpus, 2, world.corpus + ": expected the name of a file to write"});
    mistakes.push_back({command + "/proc/none", 3, "/proc/none: cannot be written: "});
  }
  check_all(mistakes);
}
