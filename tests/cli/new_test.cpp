/// Graphs to start from are graphs that can be started.
#include <nlohmann/json.hpp>

#include "tests/catch.h"
#include "tests/cli/program.h"
#include "tests/corpus.h"
#include "tests/small_model.h"

using flowqat::cli::testing::call;
using flowqat::cli::testing::Outcome;
using flowqat::testing::TemporaryFolder;

TEST_CASE("a new graph is valid once its paths are those of a corpus and a model, and runs") {
  const TemporaryFolder temporary;
  const auto at = [&](const char* name) { return (temporary.path() / name).string(); };
  const auto files = flowqat::testing::make_corpus(at("corpus"));
  std::ofstream manifest(at("m.jsonl"));
  for (size_t i = 0; i < files.size(); ++i) {
    manifest << nlohmann::json{{"audio_filepath", files[i].string()},
                               {"duration", 0.5 + 0.1 * static_cast<double>(i % 6)},
                               {"text", "A"}}
             << "\n";
  }
  manifest.close();
  flowqat::testing::write_small_config(at("config"));
  const std::string corpus = " --set corpus.path=" + at("m.jsonl"),
                    trained = corpus + " --set start.path= --set start.config=" + at("config"),
                    others = trained + " --set dev_corpus.path=" + at("m.jsonl");
  for (const std::string kind : {"data", "fine-tune", "fine-tune-int8", "quantize"}) {
    INFO(kind);
    const Outcome printed = call("new " + kind);
    REQUIRE(printed.status == 0);
    const std::string graph = at("graph.json");
    std::ofstream(graph) << printed.out;
    const auto json = nlohmann::json::parse(printed.out);
    CHECK(json.contains("comment"));
    const std::string set = kind == "data" ? corpus : kind == "fine-tune" ? trained : others;
    const Outcome valid = call("validate " + graph + set);
    INFO(valid.err);
    CHECK(valid.status == 0);
    const Outcome run = call("run " + graph + set + " --out " + at(("out-" + kind).c_str()));
    INFO(run.err);
    CHECK(run.status == 0);
  }
  CHECK(call("new").out == call("new fine-tune").out);
}
