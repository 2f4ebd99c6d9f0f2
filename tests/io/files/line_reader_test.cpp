#include "io/files/line_reader.h"

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::vector<std::string> lines_of(const std::filesystem::path& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) {
    lines.push_back(line);
    CHECK(reader.number() == static_cast<int64_t>(lines.size()));
  }
  std::string more;
  CHECK_FALSE(reader.next(more));
  return lines;
}

using Lines = std::vector<std::string>;

}  // namespace

TEST_CASE("lines come without their ends, whichever these are, and without a byte order mark") {
  const TemporaryFolder folder;
  const auto path = folder / "a.txt";
  write_bytes(path,
              "\xEF\xBB\xBF"
              "one\r\n\r\n two \nthree");
  CHECK(lines_of(path) == Lines{"one", "", " two ", "three"});
  write_bytes(path, "one\n");
  CHECK(lines_of(path) == Lines{"one"});
  write_bytes(path, "\n\n");
  CHECK(lines_of(path) == Lines{"", ""});
  write_bytes(path, "x");
  LineReader reader(path);
  std::string line;
  reader.next(line);
  CHECK(reader.here() == path.string() + ", line 1");
}

TEST_CASE("compressed lines are those of the file that was compressed") {
  const TemporaryFolder folder;
  if (!have("gzip")) return;
  Lines lines;
  std::string text;
  for (int i = 0; i < 50'000; ++i) {
    lines.push_back(std::string(static_cast<size_t>(i % 97), 'x') + std::to_string(i * 7919));
    text += lines.back() + "\n";
  }
  lines.push_back(std::string(200'000, 'y'));  // longer than a block
  text += lines.back();
  write_bytes(folder / "a", text);
  CHECK(lines_of(folder / "a") == lines);
  run("gzip -k '" + (folder / "a").string() + "'");
  CHECK(lines_of(folder / "a.gz") == lines);
  const std::string bytes = read_bytes(folder / "a.gz");
  write_bytes(folder / "nothing", "");
  run("gzip '" + (folder / "nothing").string() + "'");
  CHECK(lines_of(folder / "nothing.gz").empty());
  for (const size_t cut : {bytes.size() / 2, bytes.size() - 12}) {
    write_bytes(folder / "cut.gz", bytes.substr(0, cut));
    INFO(cut);
    CHECK_THAT(error_of([&] { lines_of(folder / "cut.gz"); }),
               ContainsSubstring("cut.gz: cannot be read: "));
  }
}

TEST_CASE("compressed lines that were damaged never pass for whole, joined ones are read") {
  const TemporaryFolder folder;
  if (!have("gzip")) return;
  std::string text;
  for (int i = 0; i < 2000; ++i) text += std::to_string(i * 7919) + "\n";
  write_bytes(folder / "a", text);
  run("gzip '" + (folder / "a").string() + "'");
  const std::string bytes = read_bytes(folder / "a.gz");
  const auto error = [&](const std::string& packed) {
    write_bytes(folder / "other.gz", packed);
    return error_of([&] { lines_of(folder / "other.gz"); });
  };
  for (size_t at = 20; at < bytes.size(); at += 101) {  // behind the header
    std::string damaged = bytes;
    damaged[at] ^= 0x10;
    INFO(at);
    CHECK_THAT(error(damaged), ContainsSubstring("other.gz: "));
  }
  write_bytes(folder / "joined.gz", bytes + bytes);
  CHECK(lines_of(folder / "joined.gz").size() == 4000);
  write_bytes(folder / "joined.gz", bytes + "rest");
  CHECK(lines_of(folder / "joined.gz").size() == 2000);
}

TEST_CASE("what is no text file is an error") {
  const TemporaryFolder folder;
  CHECK_THAT(error_of([&] { LineReader(folder / "no"); }), ContainsSubstring("No such file"));
  CHECK_THAT(error_of([&] { LineReader(folder.path()); }), ContainsSubstring("found a folder"));
  write_bytes(folder / "empty", "");
  CHECK_THAT(error_of([&] { LineReader(folder / "empty"); }), ContainsSubstring("is empty"));
  write_bytes(folder / "long", "first\n" + std::string(17 << 20, 'x'));
  CHECK_THAT(error_of([&] { lines_of(folder / "long"); }),
             ContainsSubstring("found more than 16 MiB without the end of a line behind line 1"));
  write_bytes(folder / "wide", std::string("\xff\xfe{\0}\0\n\0", 8));
  CHECK_THAT(error_of([&] { lines_of(folder / "wide"); }),
             ContainsSubstring("wide: is UTF-16, expected UTF-8; convert it: iconv"));
}
