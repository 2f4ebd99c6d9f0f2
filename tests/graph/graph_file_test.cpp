#include "graph/graph_file.h"

#include <fstream>
#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;

namespace {

/// The message with which a graph of these nodes is refused.
std::string refusal(const std::string& nodes) {
  try {
    resolve(Json{{"nodes", Json::parse(nodes)}}, "g.json");
  } catch (const GraphError& error) {
    return error.what();
  }
  return "accepted";
}

const std::string kSound = R"({"c": {"type": "numbers"}, "f": {"type": "fill", "from": "c"},
                               "b": {"type": "pack", "from": "f"}})";

std::string with_listener(const std::string& keys) {
  return R"({"c": {"type": "numbers"}, "f": {"type": "fill", "from": "c"}, "b": {"type": "pack", "from": "f"},
             "l": {"type": "listen", )" +
         keys + "}}";
}

}  // namespace

TEST_CASE("a sound graph is accepted, defaults filled in, sources first") {
  const GraphSpec spec = resolve(Json{{"nodes", Json::parse(kSound)}}, "g.json");
  REQUIRE(spec.nodes.size() == 3);
  CHECK(spec.nodes[0].name == "c");
  CHECK(spec.nodes[2].values.integer("size") == 4);
  CHECK(spec.settings.integer("seed") == 1);
}

TEST_CASE("the resolved graph resolves to itself") {
  const Json once = resolve(Json{{"nodes", Json::parse(kSound)}}, "g.json").resolved();
  CHECK(resolve(once, "again").resolved() == once);
}

TEST_CASE("every kind of graph error names file, node and key, and what is allowed") {
  CHECK(refusal(R"({"c": {"type": "numbrs"}})") ==
        "g.json: node \"c\": key \"type\": unknown node type \"numbrs\"; did you mean \"numbers\"? "
        "(there are "
        "\"fill\", \"jitter\", \"listen\", \"numbers\", \"pack\", \"probe\")");
  CHECK_THAT(refusal(R"({"c": {"kind": "numbers"}})"), ContainsSubstring("key \"type\": missing"));
  CHECK_THAT(refusal(R"({"c": 3})"), ContainsSubstring("node \"c\": must be an object, found 3"));
  CHECK_THAT(
      refusal(R"({"c": {"type": "numbers", "cuont": 3}})"),
      ContainsSubstring(
          "g.json: node \"c\": key \"cuont\": unknown key; did you mean \"count\"? (allowed: "));
  CHECK_THAT(
      refusal(R"({"c": {"type": "numbers", "count": "many"}})"),
      ContainsSubstring("key \"count\": must be a whole number of at least 0, found \"many\""));
  CHECK_THAT(refusal(R"({"c": {"type": "numbers", "count": 1.5}})"),
             ContainsSubstring("found 1.5"));
  CHECK_THAT(refusal(R"({"c": {"type": "numbers", "rate_hz": 99000}})"),
             ContainsSubstring("must be a whole number in Hz from 1 to 48000, found 99000"));
  CHECK_THAT(refusal(with_listener(R"("audio": "b")")),
             ContainsSubstring("key \"needed\": missing; it must be true or false (whether)"));
  CHECK_THAT(refusal(with_listener(R"("audio": "b", "needed": 1)")),
             ContainsSubstring("must be true or false, found 1"));
  CHECK_THAT(refusal(with_listener(R"("audio": "b", "needed": true, "mode": "c")")),
             ContainsSubstring("must be one of \"a\", \"b\", found \"c\""));
  CHECK_THAT(refusal(with_listener(R"("audio": "b", "needed": true, "factors": [1, 3])")),
             ContainsSubstring("must be a list of numbers from 0.5 to 2, found [1,3]"));
}

TEST_CASE("edges to nowhere, of the wrong kind, missing, circular or unused are refused") {
  CHECK_THAT(
      refusal(R"({"f": {"type": "fill", "from": "cc"}, "c": {"type": "numbers"}})"),
      ContainsSubstring("node \"f\": key \"from\": there is no node \"cc\"; did you mean \"c\"?"));
  CHECK_THAT(refusal(R"({"f": {"type": "fill"}})"),
             ContainsSubstring("key \"from\": missing; it names the node that gives utterances"));
  CHECK_THAT(
      refusal(
          R"({"c": {"type": "numbers"}, "b": {"type": "pack", "from": "c"}, "f": {"type": "fill", "from": "b"}})"),
      ContainsSubstring("key \"from\": needs utterances, but \"b\" (pack) gives batches"));
  CHECK_THAT(refusal(R"({"a": {"type": "fill", "from": "b"}, "b": {"type": "fill", "from": "a"}})"),
             ContainsSubstring("the edges run in a circle: a <- b <- a"));
  CHECK_THAT(refusal(R"({"c": {"type": "numbers"}})"),
             ContainsSubstring("node \"c\": nothing uses the utterances that it gives"));
  CHECK_THAT(refusal(with_listener(R"("audio": 3, "needed": true)")),
             ContainsSubstring("must be the name of a node or a list of names, found 3"));
  CHECK_THAT(refusal(with_listener(R"("audio": [], "needed": true)")),
             ContainsSubstring("must name at least one node"));
  // A batch that no step draws from is a data pipeline only where there are no steps.
  CHECK_THAT(
      refusal(
          R"({"c": {"type": "numbers"}, "b": {"type": "pack", "from": "c"}, "b2": {"type": "pack", "from": "c"},
                         "l": {"type": "listen", "audio": "b", "needed": true}})"),
      ContainsSubstring("node \"b2\": nothing uses the batches"));
}

TEST_CASE("top-level keys are checked like a node's") {
  CHECK_THROWS_WITH(resolve(Json{{"sed", 1}, {"nodes", Json::parse(kSound)}}, "g.json"),
                    ContainsSubstring("g.json: key \"sed\": unknown key; did you mean \"seed\"?"));
  CHECK_THROWS_WITH(resolve(Json{{"seed", -1}, {"nodes", Json::parse(kSound)}}, "g.json"),
                    ContainsSubstring("found -1"));
  CHECK_THROWS_WITH(resolve(Json::object(), "g.json"),
                    ContainsSubstring("key \"nodes\": must be an object of named nodes"));
  CHECK_THROWS_AS(resolve(Json::array(), "g.json"), GraphError);
  CHECK_NOTHROW(resolve(Json{{"comment", "why"}, {"nodes", Json::parse(kSound)}}, "g.json"));
}

TEST_CASE("a value set in what is no graph leaves it to be refused as that") {
  for (const char* const text : {"1", "[]", "null", R"({"nodes": {"a": 1}})"}) {
    Json graph = Json::parse(text);
    override_value(graph, "seed=7");
    if (graph.is_object()) override_value(graph, "a.size=7");
    CHECK_THROWS_AS(resolve(graph, "graph.json"), GraphError);
  }
}

TEST_CASE("overrides take JSON or a bare text, and name what they cannot find") {
  Json graph{{"nodes", Json::parse(kSound)}};
  override_value(graph, "b.size=2");
  override_value(graph, "seed=7");
  override_value(graph, "out=some where");
  CHECK(graph["nodes"]["b"]["size"] == 2);
  CHECK(graph["seed"] == 7);
  CHECK(graph["out"] == "some where");
  CHECK_THROWS_WITH(override_value(graph, "bb.size=2"),
                    ContainsSubstring("there is no node \"bb\"; did you mean \"b\"?"));
  CHECK_THROWS_WITH(override_value(graph, "size"), ContainsSubstring("expected NODE.KEY=VALUE"));
}

TEST_CASE("a file that is missing, broken or repeats a key is refused with its name") {
  const flowqat::testing::TemporaryFolder temporary;
  const std::string file = (temporary.path() / "graph.json").string();
  CHECK_THROWS_WITH(read_graph(file), ContainsSubstring(file + ": cannot be read"));
  std::ofstream(file) << R"({"nodes": {"a": {"type": "x"}, "a": {}}})";
  CHECK_THROWS_WITH(read_graph(file), ContainsSubstring("the key \"a\" stands twice"));
  std::ofstream(file) << "{\n  \"nodes\": ,\n}";
  CHECK_THROWS_WITH(read_graph(file),
                    ContainsSubstring("not valid JSON") && ContainsSubstring("line 2"));
  for (const std::string& value : {std::string(70000, '['), std::string("1e400")}) {
    std::ofstream(file) << "{\n // why\n \"seed\": " << value << "}";
    CHECK_THROWS_WITH(read_graph(file),
                      ContainsSubstring(file + ": not valid JSON: line 3, column "));
  }
}

TEST_CASE("values beyond what they are kept in, or with a NUL, are refused") {
  const auto refused = [](const char* key, const Json& value, const std::string& message) {
    CHECK_THROWS_WITH(resolve(Json{{key, value}, {"nodes", Json::parse(kSound)}}, "g.json"),
                      ContainsSubstring(message));
  };
  refused("seed", UINT64_MAX, "found 18446744073709551615");
  refused("out", std::string("a\0b", 3), "must be a path, found \"a\\u0000b\"");
  Json graph{{"nodes", Json::parse(kSound)}};
  override_value(graph, "seed=1e400");
  override_value(graph, "out=" + std::string(60000, '['));
  CHECK(graph["seed"] == "1e400");
  CHECK(graph["out"].is_string());
}

TEST_CASE("no message is longer than a person reads") {
  const std::string long_text(1'000'000, 'x');
  CHECK(refusal(R"({"c": {"type": ")" + long_text + "\"}}").size() < 9000);
  CHECK(refusal(R"({"c": ")" + long_text + "\"}").size() < 1000);
}
