#include "io/fetch/hub_listing.h"

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a Hub's answer is a commit and its files' names, or an error whatever it is") {
  const std::string commit(40, 'a');
  const auto listing = parse_hub_listing(
      R"({"id": "x/y", "sha": ")" + commit +
      R"(", "siblings": [{"rfilename": "config.json"}, {"rfilename": "vocab.json", "size": 3}]})");
  CHECK(listing.commit == commit);
  CHECK(listing.names == std::set<std::string>{"config.json", "vocab.json"});
  const std::string many(70000, '[');
  const std::string begin = R"({"sha": ")" + commit + R"(", "siblings": )";
  const std::vector<std::string> others{"",
                                        "[]",
                                        "{}",
                                        "<!DOCTYPE html>",
                                        begin + "[3]}",
                                        R"({"sha": 3, "siblings": []})",
                                        begin + many,
                                        R"({"sha": "main", "siblings": []})",
                                        begin + "[1e400]}",
                                        R"({"sha": ")" + commit + "\"}"};
  for (const std::string& body : others) {
    INFO(body.substr(0, 100));
    CHECK_THAT(error_of([&] { parse_hub_listing(body); }), ContainsSubstring("is no list of"));
  }
}
