/// A partial file between the thread that appends and the one that reads, and between two tries.
#include "io/fetch/partial_file.h"

#include <thread>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

std::span<const std::byte> bytes_of(const std::string& text) {
  return std::as_bytes(std::span(text));
}

/// All of it, in small pieces.
std::string read_all(PartialFile& partial) {
  const int generation = partial.generation();
  std::string text;
  std::array<std::byte, 7> piece{};
  while (const size_t count = partial.read(generation, static_cast<int64_t>(text.size()), piece)) {
    text.append(reinterpret_cast<const char*>(piece.data()), count);
  }
  return text;
}

}  // namespace

TEST_CASE("a partial file is read while it grows, whoever is faster") {
  const TemporaryFolder folder;
  PartialFile partial(folder / "file");
  std::string expected;
  for (int i = 0; i < 2000; ++i) expected += std::to_string(i);
  std::string heard;
  {
    const std::jthread reader([&] { heard = read_all(partial); });
    for (size_t at = 0; at < expected.size(); at += 13)
      partial.append(bytes_of(expected.substr(at, 13)));
    partial.set_complete(true);
  }
  CHECK(heard == expected);
  partial.put_in_place(folder / "whole");
  CHECK(read_bytes(folder / "whole") == expected);
  CHECK_FALSE(std::filesystem::exists(folder / "file"));
}

TEST_CASE("a partial file that is emptied or given up tells its reader, who may be waiting") {
  const TemporaryFolder folder;
  PartialFile partial(folder / "file");
  partial.append(bytes_of("abc"));
  bool restarted = false, abandoned = false;
  {
    const std::jthread reader([&] {
      try {
        read_all(partial);
      } catch (const PartialFile::Restarted&) {
        restarted = true;
      }
      try {
        read_all(partial);
      } catch (const PartialFile::Abandoned&) {
        abandoned = true;
      }
    });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    partial.restart();
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    partial.abandon();
  }
  CHECK(restarted);
  CHECK(abandoned);
  CHECK_THROWS_AS(partial.append(bytes_of("d")), PartialFile::Abandoned);
  partial.set_complete(true);
  partial.restart();  // another try in the same process
  std::string heard;
  {
    const std::jthread reader([&] { heard = read_all(partial); });
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    partial.append(bytes_of("de"));
    partial.set_complete(true);
  }
  CHECK(heard == "de");
}

TEST_CASE("a partial file stays with its origin for the next try, and an empty one does not stay") {
  const TemporaryFolder folder;
  const PartialOrigin origin{"https://host/file", "\"tag\""};
  {
    PartialFile partial(folder / "new" / "file");
    partial.set_origin(origin);
    partial.append(bytes_of("abc"));
    CHECK_THAT(error_of([&] { PartialFile(folder / "new" / "file"); }),
               ContainsSubstring("another process is fetching this file"));
  }
  {
    PartialFile partial(folder / "new" / "file");
    CHECK(partial.bytes() == 3);
    CHECK(partial.origin() == origin);
    partial.restart();
  }
  CHECK(std::filesystem::is_empty(folder / "new"));
}

TEST_CASE("a damaged note of a partial file is as none, and a link in its place is refused") {
  const TemporaryFolder folder;
  write_bytes(folder / "file", "abc");
  write_bytes(folder / "file.json", "{\"url\": ");
  CHECK(PartialFile(folder / "file").origin() == PartialOrigin{});
  std::filesystem::create_symlink(folder / "elsewhere", folder / "link");
  CHECK_THAT(error_of([&] { PartialFile(folder / "link"); }),
             ContainsSubstring("cannot be written"));
  CHECK_FALSE(std::filesystem::exists(folder / "elsewhere"));
}
