#include "base/json_text.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "tests/catch.h"

using namespace flowqat;
using nlohmann::json;
using nlohmann::ordered_json;

namespace {

std::string repeated(const std::string& text, size_t times) {
  std::string all;
  for (size_t i = 0; i < times; ++i) all += text;
  return all;
}

std::string nested(size_t levels) { return repeated("[", levels) + repeated("]", levels); }

std::string failure(const std::string& text, const JsonRules& rules = {}) {
  try {
    parse_json<json>(text, rules);
  } catch (const JsonError& error) {
    return error.what();
  }
  return "";
}

}  // namespace

TEST_CASE("values nest as deep as the limit and no deeper, whatever brackets they have") {
  CHECK(parse_json<json>(nested(100)).is_array());
  CHECK(failure(nested(101)) ==
        "line 1, column 101: arrays and objects within one another, more than 100 deep");
  CHECK_THAT(failure(repeated("{\"a\":\n", 70000)), ContainsSubstring("line 101, column 1: "));
  CHECK_THAT(failure(repeated("[{\"a\":", 30000)), ContainsSubstring("more than 100 deep"));
  CHECK_THROWS_AS(parse_json<ordered_json>(nested(70000)), JsonError);
}

TEST_CASE("brackets that are no nesting do not count") {
  const std::string many = repeated("[", 200);
  CHECK(parse_json<json>("[\"" + many + "\", \"\\\"" + many + "\"]").size() == 2);
  CHECK(parse_json<json>("[" + repeated("[],{},", 300) + "0]").size() == 601);
  const JsonRules rules{.comments = true};
  CHECK(parse_json<json>("[1, // \"" + many + "\n 2]", rules).size() == 2);
  CHECK(parse_json<json>("/*" + many + "\" */ [1]", rules).size() == 1);
  // Where comments are none, what looks like one hides nothing.
  CHECK(failure("[ //\n" + many) != "");
  CHECK(failure("[ /* " + many) != "");
}

TEST_CASE("a number that no double can hold is an error with its place") {
  CHECK(failure("{\n  \"a\": 1e400}") == "line 2, column 12: number overflow parsing '1e400'");
  CHECK(failure("[-1e999]") != "");
  CHECK(parse_json<json>("[1e308, 1e-400, 18446744073709551615]").size() == 3);
}

TEST_CASE("what is not JSON is an error with its place, of bounded length") {
  CHECK_THAT(failure("{\"a\": 1,\n\"b\" 2}"), ContainsSubstring("line 2, column 5: syntax error"));
  CHECK_THAT(failure(""), ContainsSubstring("line 1, column 1: "));
  CHECK_THAT(failure("[\"\xff\"]"), ContainsSubstring("invalid string"));
  CHECK(failure("[\"" + std::string(1000000, 'x')).size() < 500);
}

TEST_CASE("a stream without an end is an error, not all of the memory") {
  std::istringstream sound("{\"a\": 1}");
  CHECK(json_text(sound) == "{\"a\": 1}");
  std::ifstream zeros("/dev/zero");
  CHECK_THROWS_WITH(json_text(zeros), ContainsSubstring("more than 100000000 bytes"));
}

TEST_CASE("a key that stands twice is an error where that is asked for") {
  const std::string text = "{\"a\": {\"b\": 1}, \"c\": {\"b\": 1,\n \"b\": 2}}";
  CHECK(parse_json<json>(text)["c"]["b"] == 2);
  CHECK(failure(text, {.repeated_keys = false}) ==
        "line 2, column 2: the key \"b\" stands twice in one object");
  CHECK(failure("{\"a\": 1, \"b\": {\"a\": 1}, \"d\": [{\"a\": 1}]}", {.repeated_keys = false}) ==
        "");
  CHECK(failure("{\"a\": 1e400}", {.repeated_keys = false}) != "");
}
