/// The walls between the rooms, and what every node owes.
#include <filesystem>
#include <fstream>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "graph/registry.h"
#include "tests/catch.h"

namespace fs = std::filesystem;
using namespace flowqat;

namespace {

const fs::path kRoot = FLOWQAT_SOURCE_DIR;

std::string read(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

std::vector<fs::path> sources(const std::string& folder) {
  std::vector<fs::path> found;
  for (const auto& entry : fs::recursive_directory_iterator(kRoot / folder)) {
    if (entry.path().extension() == ".h" || entry.path().extension() == ".cpp")
      found.push_back(entry.path());
  }
  REQUIRE_FALSE(found.empty());
  return found;
}

/// Files of `folder` in which `pattern` stands.
std::vector<std::string> with_text(const std::string& folder, const std::string& pattern) {
  const std::regex text(pattern);
  std::vector<std::string> found;
  for (const fs::path& path : sources(folder)) {
    if (std::regex_search(read(path), text)) found.push_back(fs::relative(path, kRoot));
  }
  return found;
}

/// Files of `folder` with an include that matches `pattern`.
std::vector<std::string> offenders(const std::string& folder, const std::string& pattern) {
  return with_text(folder, R"(#include\s*[<"]()" + pattern + ")");
}

using Names = std::vector<std::string>;

}  // namespace

TEST_CASE("io, graph and model never include one another, nor what is built on them") {
  CHECK(offenders("base", "(io|graph|model|runtime|recognizer|nodes|report|cli)/") == Names{});
  CHECK(offenders("io", "(graph|model|runtime|recognizer|nodes|report|cli)/") == Names{});
  CHECK(offenders("graph", "(io|model|runtime|recognizer|nodes|report|cli)/") == Names{});
  CHECK(offenders("model", "(io|graph|runtime|recognizer|nodes|report|cli)/") == Names{});
  CHECK(offenders("runtime", "(io|graph|recognizer|nodes|report|cli)/") == Names{});
  CHECK(offenders("recognizer", "(graph|nodes|report|cli)/") == Names{});
  CHECK(offenders("nodes", "(report|cli|library)/") == Names{});
  CHECK(offenders("report", "(io|model|runtime|recognizer|cli|library)/") == Names{});
  CHECK(offenders("cli", "library/") == Names{});
  CHECK(offenders("library", "(graph|nodes|report|cli)/") == Names{});
  CHECK(offenders("python", "(graph|nodes|report|cli|library)/") == Names{});
}

TEST_CASE("each library stays in its room") {
  for (const std::string room :
       {"base", "graph", "nodes", "model", "runtime", "recognizer", "library", "python", "cli"}) {
    CHECK(offenders(room, "(libav|libsw|samplerate|soxr|archive|curl|utf8proc)") == Names{});
  }
  for (const std::string room :
       {"base", "io", "nodes", "model", "recognizer", "library", "python", "cli"}) {
    CHECK(offenders(room, "(tbb|oneapi)/") == Names{});
  }
  CHECK(offenders("runtime", "(tbb|oneapi)/") == Names{"runtime/compute/threads.cpp"});
  for (const std::string room : {"base", "io", "graph", "runtime", "recognizer", "library",
                                 "python", "nodes", "report", "cli"}) {
    CHECK(offenders(room, "(torch|ATen|c10)/") == Names{});
  }
}

TEST_CASE("LibTorch stays behind the model's torch-free face") {
  for (const std::string& file : offenders("model", "(torch|ATen|c10)/")) {
    CHECK_THAT(file, Catch::Matchers::StartsWith("model/torch/"));
  }
  for (const std::string room :
       {"io", "graph", "runtime", "recognizer", "library", "nodes", "report", "cli"})
    CHECK(offenders(room, "model/torch/") == Names{});
}

TEST_CASE("ONNX and protobuf stay in a library that knows nothing of LibTorch, which has its own") {
  const std::string headers = "(onnx/|google/protobuf)";
  for (const std::string room :
       {"io", "graph", "runtime", "recognizer", "library", "nodes", "report", "cli"}) {
    CHECK(offenders(room, headers) == Names{});
    CHECK(offenders(room, "model/onnx/") == Names{});
  }
  CHECK_FALSE(offenders("model", headers).empty());
  for (const std::string& file : offenders("model", "(onnx/|google/protobuf|model/onnx/)")) {
    CHECK_THAT(file, Catch::Matchers::StartsWith("model/onnx/"));
  }
  CHECK(offenders("model/onnx", "(torch|ATen|c10|model/torch)/") == Names{});
  CHECK(offenders("model/torch", "model/onnx") == Names{});
}

TEST_CASE("a text becomes JSON in one place, which has the limits") {
  for (const std::string room :
       {"io", "graph", "model", "runtime", "recognizer", "library", "nodes", "report", "cli"}) {
    CHECK(with_text(room, R"(\b[Jj]son::parse\()") == Names{});
  }
}

TEST_CASE("every node type stands in the file of its name, is tested, and is used") {
  std::string tests, uses;
  for (const fs::path& path : sources("tests")) tests += read(path);
  for (const auto& entry : fs::directory_iterator(kRoot / "configs")) {
    if (entry.path().extension() == ".json") uses += read(entry.path());
  }
  for (const fs::path& path : sources("cli")) uses += read(path);  // built-in graphs
  REQUIRE_FALSE(graph::node_types().empty());
  for (const auto& [name, type] : graph::node_types()) {
    INFO("node type " << name);
    CHECK_THAT(read(kRoot / "nodes" / (name + ".cpp")),
               ContainsSubstring(".name = \"" + name + "\""));
    CHECK_THAT(tests, ContainsSubstring("\"" + name + "\""));
    CHECK_THAT(uses, ContainsSubstring("\"" + name + "\""));
    CHECK_FALSE(type.doc.empty());
    for (const graph::ParamSpec& param : type.params) CHECK_FALSE(param.doc.empty());
  }
}

TEST_CASE("files stay small") {
  for (const std::string folder : {"base", "io", "graph", "model", "runtime", "recognizer",
                                   "library", "python", "nodes", "report", "cli", "tests"}) {
    for (const fs::path& path : sources(folder)) {
      std::ifstream stream(path);
      int lines = 0;
      for (std::string line; std::getline(stream, line);) ++lines;
      INFO(path);
      CHECK(lines <= 300);
    }
  }
}
