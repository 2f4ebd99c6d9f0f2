#include "graph/json_lines.h"

#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "graph/error.h"
#include "graph/output_error.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::graph;
using flowqat::testing::TemporaryFolder;

namespace {

std::string bytes(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

TEST_CASE("a list goes on behind a state, and what came after it is gone") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "list.jsonl";
  Json first, second;
  {
    JsonLines lines(path);
    lines.add({{"a", 1}});
    first = lines.state();
    lines.add({{"a", 2}});
    lines.sync();
    second = lines.state();
    lines.add({{"a", 3}});
  }
  {
    JsonLines lines(path, second);
    lines.add({{"a", 4}});
  }
  CHECK(bytes(path) == "{\"a\":1}\n{\"a\":2}\n{\"a\":4}\n");
  {
    JsonLines lines(path, first);
    CHECK(lines.state() == first);
    lines.add({{"a", 2}});
    CHECK(lines.state() == second);  // its checksum goes on, too
  }
  CHECK(bytes(path) == "{\"a\":1}\n{\"a\":2}\n");
  JsonLines(path, Json());
  CHECK(bytes(path).empty());
}

TEST_CASE("a list that is shorter than a state says, or another, is never grown but refused") {
  const TemporaryFolder temporary;
  const auto path = temporary.path() / "list.jsonl";
  Json state;
  {
    JsonLines lines(path);
    lines.add({{"a", 1}});
    lines.add({{"a", 2}});
    state = lines.state();
  }
  std::filesystem::resize_file(path, 8);
  CHECK_THROWS_WITH(JsonLines(path, state), ContainsSubstring("list.jsonl: was cut off") &&
                                                ContainsSubstring("has 8 bytes, but had 16"));
  CHECK(bytes(path) == "{\"a\":1}\n");
  std::ofstream(path) << "{\"a\":1}\n{\"a\":7}\n";
  CHECK_THROWS_WITH(JsonLines(path, state), ContainsSubstring("list.jsonl: was changed"));
  std::filesystem::remove(path);
  CHECK_THROWS_WITH(JsonLines(path, state),
                    ContainsSubstring("list.jsonl") && ContainsSubstring("No such file"));
  CHECK_FALSE(std::filesystem::exists(path));
}

TEST_CASE("a list that cannot be written says why") {
  CHECK_THROWS_AS(JsonLines("/dev/full").add({{"a", 1}}), OutputError);
  CHECK_THROWS_WITH(JsonLines("/dev/full").add({{"a", 1}}),
                    ContainsSubstring("/dev/full: cannot be written: No space left"));
  CHECK_THROWS_WITH(JsonLines("/no/such/list"), ContainsSubstring("No such file"));
}
