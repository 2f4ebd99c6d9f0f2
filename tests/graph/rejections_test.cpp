#include "graph/rejections.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

using namespace flowqat::graph;

namespace {

struct Rejected {
  Rejected(const std::string& id, const std::string& reason) {
    entry.id = id;
    entry.path = "/corpus/" + id + ".flac";
    row.entry = &entry;
    row.rejected = RejectedBy{"decode", reason};
  }
  IndexEntry entry;
  Row row;
};

}  // namespace

TEST_CASE("the first rejected utterances are named, each once, and the others counted") {
  std::vector<std::string> said;
  Rejections rejections([&](const std::string& line) { said.push_back(line); });
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int i = 0; i < 5; ++i) {
      const std::string id = "u" + std::to_string(i);
      rejections.add(Rejected(id, "/corpus/" + id + ".flac: frame 3: damaged").row);
    }
  }
  REQUIRE(said.size() == Rejections::named + 1);
  CHECK(said[0] == "left out: /corpus/u0.flac: frame 3: damaged");
  CHECK(said[2] == "left out: /corpus/u2.flac: frame 3: damaged");
  CHECK_THAT(said[3], ContainsSubstring("more"));
  CHECK(rejections.count() == 10);
}

TEST_CASE("reasons are put together without the files and numbers in them, most frequent first") {
  Rejections rejections([](const std::string&) {});
  CHECK(rejections.by_reason().empty());
  rejections.add(Rejected("a", "/corpus/a.flac: has no audio").row);
  rejections.add(Rejected("b", "/corpus/b.flac: ends after 1.25 s of 2,000 s").row);
  rejections.add(Rejected("c", "/corpus/c.flac: ends after 13 s of 20.5 s").row);
  CHECK(rejections.by_reason() == "decode: ends after N s of N s (2); decode: has no audio (1)");
  for (int i = 0; i < 9; ++i) {
    rejections.add(Rejected("d", std::string("of kind ") + static_cast<char>('a' + i)).row);
  }
  CHECK_THAT(rejections.by_reason(), ContainsSubstring("other reasons (6)"));
}

TEST_CASE("a resumed run counts what was rejected before it was stopped") {
  Rejections before([](const std::string&) {}), after([](const std::string&) {});
  before.add(Rejected("a", "has no audio").row);
  before.add(Rejected("b", "has no audio").row);
  after.restore(before.state());
  after.add(Rejected("a", "has no audio").row);
  after.add(Rejected("c", "is cut off").row);
  CHECK(after.count() == 4);
  CHECK(after.by_reason() == "decode: has no audio (3); decode: is cut off (1)");
}

TEST_CASE("a reason that does not name its file is shown behind the path") {
  CHECK(reason_with_path(Rejected("a", "no transcript").row) == "/corpus/a.flac: no transcript");
}

TEST_CASE("what is known of utterances that are used is told of the first few, and not counted") {
  std::vector<std::string> said;
  Rejections rejections([&](const std::string& line) { said.push_back(line); });
  for (int epoch = 0; epoch < 2; ++epoch) {
    for (int i = 0; i < 5; ++i) {
      Rejected used("u" + std::to_string(i), "");
      used.row.rejected.reset();
      rejections.add(used.row);
      used.row.note = "was wrapped";
      rejections.add(used.row);
    }
  }
  REQUIRE(said.size() == Rejections::named + 1);
  CHECK(said[0] == "/corpus/u0.flac: was wrapped");
  CHECK_THAT(said[3], ContainsSubstring("more"));
  CHECK(rejections.count() == 0);
}
