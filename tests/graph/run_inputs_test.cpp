#include "graph/run_inputs.h"

#include <nlohmann/json.hpp>

#include "graph/stream_identity.h"
#include "tests/catch.h"
#include "tests/graph/test_nodes.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::graph::testing::make_graph;
using flowqat::testing::TemporaryFolder;

namespace {

/// A stream of utterances of the engine's own tests, before any audio.
struct Known {
  explicit Known(const std::string& keys, const std::string& pack = "")
      : graph(make_graph(R"({"c": {"type": "numbers")" + keys +
                         R"(}, "f": {"type": "fill", "from": "c"},
                             "b": {"type": "pack", "from": "f")" +
                         pack + "}}")),
        stream(read_stream(*graph.batchers().front(), {}, 1)) {}
  Checked checked() const {
    Checked checked;
    checked.streams.emplace(graph.batchers().front(), stream);
    return checked;
  }
  std::string listing() const { return listing_of(stream.index); }

  Graph graph;
  KnownStream stream;
};

}  // namespace

TEST_CASE("what differs between two listings of a corpus is told by kind and name") {
  const Known known(R"(, "count": 8)");
  const std::string before = known.listing();
  CHECK(listing_difference(before, known.listing()).empty());
  const auto changed = [&](auto&& change) {
    std::vector<IndexEntry> entries(known.stream.index.begin(), known.stream.index.end());
    change(entries);
    return listing_difference(before, listing_of(Index(entries)));
  };
  CHECK(changed([](std::vector<IndexEntry>& index) { index.erase(index.begin() + 2); }) ==
        "8 utterances before, 7 now; gone: u2");
  CHECK(changed([](std::vector<IndexEntry>& index) { index.resize(2); }) ==
        "8 utterances before, 2 now; gone: u2, u3, u4 and 3 more");
  CHECK(changed([](std::vector<IndexEntry>& index) { index[1].id = "v"; }) ==
        "8 utterances before, 8 now; gone: u1; new: v");
  CHECK(changed([](std::vector<IndexEntry>& index) { ++index[3].shape.samples; }) ==
        "8 utterances before, 8 now; of another length or rate: u3");
  CHECK(changed([](std::vector<IndexEntry>& index) { index[4].transcript = "OTHER"; }) ==
        "8 utterances before, 8 now; with another transcript: u4");
  CHECK(changed([](std::vector<IndexEntry>& index) { index[5].broken = "of late"; }) ==
        "8 utterances before, 8 now; with another weight, group or state: u5");
  CHECK(changed([](std::vector<IndexEntry>& index) { std::swap(index[0], index[1]); }) ==
        "8 utterances before, 8 now; in another order");
  CHECK(changed([](std::vector<IndexEntry>& index) {
          for (IndexEntry& entry : index) entry.path = "/moved/" + entry.id;
        }).empty());
}

TEST_CASE("a run knows its corpora again, wherever they are, and the plan that they give") {
  const TemporaryFolder temporary;
  const Known known(R"(, "count": 8)"), shorter(R"(, "count": 7)"),
      ordered(R"(, "count": 8)", R"(, "size": 3)");
  const RunInputs before(known.checked(), {});
  before.write_listings(temporary.path());
  const Json state = Json::parse(before.summary().dump());
  CHECK(before.difference(state, temporary.path()).empty());
  const RunInputs now(shorter.checked(), {});
  CHECK(now.difference(state, temporary.path()) == "\"b\": 8 utterances before, 7 now; gone: u7");
  CHECK(now.difference(state, "/no/such") == "\"b\": 8 utterances before, 7 now");
  CHECK(RunInputs(ordered.checked(), {}).difference(state, temporary.path()) ==
        "\"b\" has the same utterances in other batches");
}

TEST_CASE("a run that an older way of planning began is refused in words") {
  const Known known(R"(, "count": 8)");
  const RunInputs now(known.checked(), {});
  Json state = now.summary();
  state["streams"]["b"].erase("plan_version");  // older ones had none
  CHECK(
      now.difference(state, "/no/such") ==
      "\"b\" was planned by a version of flowqat that draws up batches in another way (go on with "
      "that one, or begin anew)");
}

TEST_CASE("a listing that was cut off or changed is not taken for one") {
  const std::string whole = Known(R"(, "count": 8)").listing();
  CHECK(is_whole_listing(whole));
  CHECK_FALSE(is_whole_listing(whole.substr(0, whole.size() / 2)));
  std::string changed = whole;
  changed[3] = 'v';
  CHECK_FALSE(is_whole_listing(changed));
  CHECK_FALSE(is_whole_listing(""));
  // Texts that are no plain ones are JSON all the same.
  IndexEntry entry;
  entry.id = "a \"b\" \\ \n";
  entry.transcript =
      "stra\xc3\x9f"
      "e \xff";
  const std::string line = listing_of(Index(std::vector{entry}));
  const Json read = Json::parse(line.substr(0, line.find('\n')));
  CHECK(read.at(0) == entry.id);
  CHECK(read.at(5) ==
        "stra\xc3\x9f"
        "e \xef\xbf\xbd");
}

TEST_CASE("a run knows again what its nodes read of other files") {
  Checked then, now;
  then.uses["noise"] = {"3 files in a/", "1"};
  now.uses["noise"] = {"3 files in b/", "1"};
  const Json state = RunInputs(then, {}).summary();
  CHECK(RunInputs(now, {}).difference(state, "").empty());
  now.uses["noise"] = {"4 files in b/", "2"};
  CHECK(RunInputs(now, {}).difference(state, "") ==
        "\"noise\": 3 files in a/, now 4 files in b/, others than before");
}
