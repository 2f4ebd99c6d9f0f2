/// What a model node's path is taken for.
#include "nodes/support/model_place.h"

#include <cstdlib>

#include "graph/error.h"
#include "io/files/error.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using flowqat::nodes::model_place;
using flowqat::testing::TemporaryFolder;
namespace fs = std::filesystem;

namespace {

/// Relative paths are a matter of where one is, ids of what the cache holds.
class In {
 public:
  explicit In(const fs::path& folder) {
    fs::current_path(folder);
    ::setenv("HF_HUB_CACHE", (folder / "hub").c_str(), 1);
  }
  ~In() {
    fs::current_path(before_);
    ::unsetenv("HF_HUB_CACHE");
  }
  In(const In&) = delete;
  In& operator=(const In&) = delete;

 private:
  fs::path before_ = fs::current_path();
};

}  // namespace

TEST_CASE("a model is a folder, or an id where nothing looks like a path") {
  const TemporaryFolder temporary;
  fs::create_directories(temporary.path() / "models" / "base");
  const In folder(temporary.path());
  CHECK(model_place("models/base", "").folder == "models/base");
  const auto id = model_place("someone/base", "v1").to_fetch;
  REQUIRE(id);
  CHECK(id->id == "someone/base");
  CHECK(id->revision == "v1");
  // A folder that is not there is the reader's to complain of.
  for (const char* path : {"/no/such", "./base", "../base", "~/base", "a/b/c", "someone/base/"}) {
    INFO(path);
    CHECK_FALSE(model_place(path, "").to_fetch);
  }
  CHECK_THROWS_AS(model_place("models/bsae", ""), io::Error);
  CHECK_THROWS_WITH(
      model_place("models/bsae", ""),
      ContainsSubstring("models/bsae: no such folder; because \"models\" is a folder"));
  CHECK_THROWS_WITH(model_place("models/base", "v1"), ContainsSubstring("is a folder"));
  CHECK_THROWS_AS(model_place("someone/base", "a b"), graph::GraphError);
}
