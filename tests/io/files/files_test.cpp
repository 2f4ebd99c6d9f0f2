#include "io/files/atomic_file.h"
#include "io/files/json_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a file is replaced as a whole or stays as it was") {
  TemporaryFolder folder;
  const auto path = folder / "a.txt";
  write_file_atomically(path, "first");
  CHECK(read_bytes(path) == "first");
  CHECK_THROWS_AS(write_file_atomically(path,
                                        [](FileSink& sink) {
                                          sink.write("half");
                                          throw std::runtime_error("power cut");
                                        }),
                  std::runtime_error);
  CHECK(read_bytes(path) == "first");
  write_file_atomically(path, "second");
  CHECK(read_bytes(path) == "second");
  int files = 0;
  for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(folder.path()))
    ++files;
  CHECK(files == 1);  // nothing temporary is left
  CHECK_THAT(error_of([&] { write_file_atomically(folder / "no" / "a.txt", ""); }),
             ContainsSubstring("cannot be written: No such file"));
}

TEST_CASE("JSON comes back as it was written") {
  TemporaryFolder folder;
  const nlohmann::json json{{"text", "Größe"}, {"number", 0.1}, {"list", {1, nullptr, true}}};
  write_json(folder / "a.json", json);
  CHECK(read_json(folder / "a.json") == json);
  CHECK(read_bytes(folder / "a.json").back() == '\n');
  CHECK_THAT(error_of([&] { write_json(folder / "a.json", "\xff"); }),
             ContainsSubstring("not UTF-8"));
  CHECK(read_json(folder / "a.json") == json);
}

TEST_CASE("what is not JSON is an error with file, line and column") {
  TemporaryFolder folder;
  write_bytes(folder / "a.json", "{\n  \"a\": 1,\n  \"b\": x\n}\n");
  const auto text = error_of([&] { read_json(folder / "a.json"); });
  CHECK_THAT(text, ContainsSubstring("a.json: not JSON at line 3, column 8"));
  write_bytes(folder / "b.json", "{\"a\": ");
  CHECK_THAT(error_of([&] { read_json(folder / "b.json"); }),
             ContainsSubstring("line 1, column 7"));
  CHECK_THAT(error_of([&] { read_json(folder / "c.json"); }), ContainsSubstring("No such file"));
}

TEST_CASE("a value of the wrong type is an error with file and key") {
  const nlohmann::json json{{"rate", "fast"}, {"nothing", nullptr}, {"count", 3}, {"share", 0.5}};
  CHECK(value_or(json, "count", 1, "f.json") == 3);
  CHECK(value_or(json, "share", 1.0, "f.json") == 0.5);
  CHECK(value_or(json, "nothing", 1, "f.json") == 1);
  CHECK(value_or(json, "absent", std::string("x"), "f.json") == "x");
  CHECK_THAT(error_of([&] { value_or(json, "rate", 1, "f.json"); }),
             ContainsSubstring("f.json: \"rate\": expected an integer, found \"fast\""));
  CHECK_THAT(error_of([&] { value_or(json, "share", 1, "f.json"); }),
             ContainsSubstring("found 0.5"));
  CHECK_THAT(error_of([&] { value_or(json, "count", true, "f.json"); }),
             ContainsSubstring("expected true or false"));
}
