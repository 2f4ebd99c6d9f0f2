#include "report/event_record.h"

#include <fstream>

#include "report/crc32c.h"
#include "tests/catch.h"
#include "tests/temporary_folder.h"

using namespace flowqat::report;

TEST_CASE("CRC-32C is that of RFC 3720") {
  CHECK(crc32c("") == 0);
  CHECK(crc32c("123456789") == 0xe3069283);
  CHECK(crc32c(std::string(32, '\0')) == 0x8a9136aa);
  CHECK(crc32c(std::string(32, '\xff')) == 0x62a8ab43);
}

TEST_CASE("a record is the length, its checksum, the message, its checksum") {
  // What tensorboard.summary.writer.record_writer wrote of Event(wall_time=1.5,
  // file_version="brain.Event:2").
  const std::string expected(
      "\x18\0\0\0\0\0\0\0\xa3\x7f\x4b\x22\x09\0\0\0\0\0\0\xf8\x3f\x1a\x0d"
      "brain.Event:2\x2a\x28\x64\x6c",
      40);
  CHECK(version_record(1.5) == expected);
}

TEST_CASE("times are read up to the first record that is damaged") {
  const flowqat::testing::TemporaryFolder folder;
  const std::filesystem::path path = folder.path() / "events";
  const std::string whole = version_record(1) + scalars_record(2, 7, {{"a/loss", 0.5}}) +
                            scalars_record(3, 8, {}) + scalars_record(4, 1LL << 40, {});
  const auto times_of = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return record_times(path);
  };
  using Times = std::vector<double>;
  CHECK(times_of(whole) == Times{1, 2, 3, 4});
  CHECK(times_of(whole.substr(0, whole.size() - 1)) == Times{1, 2, 3});
  std::string damaged = whole;
  damaged[version_record(1).size() + 20] ^= 1;
  CHECK(times_of(damaged) == Times{1});
  damaged = whole;
  damaged[3] = '\x7f';  // a length of gigabytes
  CHECK(times_of(damaged).empty());
  CHECK(times_of("").empty());
  CHECK(record_times(folder.path() / "none").empty());
}
