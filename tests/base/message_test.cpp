#include "base/message.h"

#include <nlohmann/json.hpp>

#include "tests/catch.h"

using namespace flowqat;

TEST_CASE("a long text keeps its beginning and its end") {
  CHECK(shortened("as it is", 8) == "as it is");
  const std::string text = shortened("begin " + std::string(10000, 'x') + " end", 100);
  CHECK(text.size() == 100);
  CHECK_THAT(text, Catch::Matchers::StartsWith("begin xxx"));
  CHECK_THAT(text, ContainsSubstring("x ... x"));
  CHECK_THAT(text, Catch::Matchers::EndsWith("xxx end"));
}

TEST_CASE("no character is cut in two") {
  std::string long_text;
  for (int i = 0; i < 1000; ++i) long_text += "\u20ac";  // three bytes each
  for (size_t most = 20; most < 30; ++most) {
    std::string text = shortened(long_text, most);
    CHECK(text.size() <= most);
    text.erase(text.find(" ... "), 5);
    CHECK(text.size() % 3 == 0);
    CHECK(long_text.starts_with(text));
  }
}

TEST_CASE("a value is shown shortened, also where it is no UTF-8") {
  CHECK(shown(nlohmann::json({{"a", 1}})) == "{\"a\":1}");
  CHECK(shown(nlohmann::json(std::string(100000, 'x'))).size() <= most_shown_bytes);
  CHECK(shown(nlohmann::json("\xff")) == "\"\xef\xbf\xbd\"");
}
