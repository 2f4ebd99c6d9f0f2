#include "graph/pipeline.h"
#include "tests/catch.h"
#include "tests/nodes/augmentation.h"
#include "tests/temporary_folder.h"

using namespace flowqat;
using namespace flowqat::nodes::testing;
using flowqat::testing::TemporaryFolder;

namespace {

graph::Graph folder_graph(const std::string& keys) {
  return make_graph(R"({"corpus": {"type": "folder", )" + keys +
                    R"(}, "decode": {"type": "decode", "from": "corpus"},
                        "batch": {"type": "batch", "from": "decode", "size": 8}})");
}

graph::Index index_of(const std::string& keys, int threads = 2) {
  const graph::Graph graph = folder_graph(keys);
  return graph::Chain::behind(*graph.batchers().front()).source->read_index(threads);
}

std::string root(const std::filesystem::path& path) {
  return R"("root": ")" + path.string() + "\"";
}

}  // namespace

TEST_CASE("a folder lists its audio sorted, with what the headers say, at any number of threads") {
  const TemporaryFolder temporary;
  write_float_wav(temporary.path() / "b.wav", white_noise(100), 8000);
  write_float_wav(temporary.path() / "a" / "deep" / "c.WAV", white_noise(200));
  std::ofstream(temporary.path() / "a" / "broken.flac") << "no audio";
  std::ofstream(temporary.path() / "notes.txt") << "no audio";
  for (int threads : {1, 4}) {
    const graph::Index index = index_of(root(temporary.path()), threads);
    REQUIRE(index.size() == 3);
    CHECK(index[0].id == "a/broken.flac");
    CHECK_THAT(index[0].broken, ContainsSubstring("broken.flac"));
    CHECK(index[1].id == "a/deep/c.WAV");
    CHECK(index[1].group == "a/deep");
    CHECK(index[1].shape == graph::Shape{200, 16000});
    CHECK(index[1].broken.empty());
    CHECK(index[1].transcript.empty());
    CHECK(index[2].id == "b.wav");
    CHECK(index[2].path == (temporary.path() / "b.wav").string());
    CHECK(index[2].shape == graph::Shape{100, 8000});
  }
}

TEST_CASE("only files with one of the extensions are read") {
  const TemporaryFolder temporary;
  write_float_wav(temporary.path() / "a.wav", white_noise(100));
  write_float_wav(temporary.path() / "b.wave", white_noise(100));
  const graph::Index index = index_of(root(temporary.path()) + R"(, "extensions": ["wave"])");
  REQUIRE(index.size() == 1);
  CHECK(index[0].id == "b.wave");
  CHECK_THROWS_WITH(index_of(root(temporary.path()) + R"(, "extensions": [])"),
                    ContainsSubstring("key \"extensions\""));
}

TEST_CASE("a folder that is missing or holds no audio ends the run with the node and the key") {
  const TemporaryFolder temporary;
  for (const auto& path : {temporary.path(), temporary.path() / "no"}) {
    CHECK_THROWS_WITH(index_of(root(path)),
                      ContainsSubstring("node \"corpus\", key \"root\": " + path.string()));
  }
}
