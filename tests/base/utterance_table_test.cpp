#include "base/utterance_table.h"

#include <algorithm>

#include "base/utterance_table_builder.h"
#include "tests/catch.h"

using namespace flowqat;

namespace {

std::vector<Utterance> some() {
  std::vector<Utterance> all;
  for (int i = 0; i < 40; ++i) {
    Utterance& one = all.emplace_back();
    one.id = "u" + std::to_string(i);
    one.path = "/corpus/" + one.id + ".flac";
    one.transcript = i % 3 == 0 ? "" : std::string(static_cast<size_t>(i) * 10, 'x');
    one.speaker = i % 2 ? "7" : "";
    one.group = i < 20 ? "train" : "dev";
    one.samples = int64_t{1} << i;
    one.rate_hz = i % 5 ? 16000 : 8000;
    one.channels = 1 + i % 2;
    if (i % 7 == 0) one.channel = i % 3;
    if (i % 4 == 0) one.first_sample = i;
    one.first_byte = i % 8 ? 0 : int64_t{1} << 40;
    one.bytes = i % 8 ? 0 : 1000;
    if (i == 11) one.broken = "its header is damaged", one.samples = 0;
  }
  return all;
}

std::string bytes_of(const std::vector<Utterance>& all) {
  UtteranceTableBuilder builder;
  for (const Utterance& one : all) builder.add(one);
  std::string bytes;
  builder.write([&](std::string_view piece) { bytes += piece; });
  return bytes;
}

/// A table over a copy of the bytes.
struct Table {
  explicit Table(const std::string& bytes) : memory((bytes.size() + 7) / 8) {
    std::copy(bytes.begin(), bytes.end(), reinterpret_cast<char*>(memory.data()));
    table = std::make_unique<UtteranceTable>(UtteranceTable::Place{
        .bytes = std::as_bytes(std::span(memory)).first(bytes.size()),
        .name = "the file",
        .give_back = [this](std::span<const std::byte> part) { given_back = part.size(); }});
  }
  std::vector<uint64_t> memory;
  size_t given_back = 0;
  std::unique_ptr<UtteranceTable> table;
};

}  // namespace

TEST_CASE("a table gives back every utterance as it was put in") {
  const std::vector<Utterance> all = some();
  const Table read(bytes_of(all));
  const UtteranceTable& table = *read.table;
  REQUIRE(table.size() == all.size());
  for (size_t i = 0; i < all.size(); ++i) {
    const Utterance one = table[i];
    CHECK(one.id == all[i].id);
    CHECK(one.path == all[i].path);
    CHECK(one.transcript == all[i].transcript);
    CHECK(one.speaker == all[i].speaker);
    CHECK(one.group == all[i].group);
    CHECK(one.broken == all[i].broken);
    CHECK(one.samples == all[i].samples);
    CHECK(one.rate_hz == all[i].rate_hz);
    CHECK(one.channels == all[i].channels);
    CHECK(one.channel == all[i].channel);
    CHECK(one.first_sample == all[i].first_sample);
    CHECK(one.first_byte == all[i].first_byte);
    CHECK(one.bytes == all[i].bytes);
    CHECK(table.samples(i) == all[i].samples);
    CHECK(table.is_broken(i) == !all[i].broken.empty());
    CHECK(table.has_transcript(i) == !all[i].transcript.empty());
    CHECK(table.group_name(table.group(i)) == all[i].group);
  }
  CHECK(table.groups() == 2);
  CHECK(read.given_back > 0);
  CHECK(Table(bytes_of({})).table->size() == 0);
}

TEST_CASE("a table's checksum is of all that decides of batches, not of places") {
  const auto checksum = [](const std::vector<Utterance>& all) {
    return Table(bytes_of(all)).table->checksum();
  };
  const std::string before = checksum(some());
  const auto changed = [&](auto&& change) {
    std::vector<Utterance> all = some();
    change(all);
    return checksum(all) != before;
  };
  CHECK_FALSE(changed([](auto& all) { all[3].path = "/moved"; }));
  CHECK(changed([](auto& all) { all[3].id = "v"; }));
  CHECK(changed([](auto& all) { all[4].transcript += "y"; }));
  CHECK(changed([](auto& all) { ++all[3].samples; }));
  CHECK(changed([](auto& all) { all[3].group = "dev"; }));
  CHECK(changed([](auto& all) { all[3].broken = "of late"; }));
  CHECK(changed([](auto& all) { std::swap(all[0], all[1]); }));
  CHECK(changed([](auto& all) { all.pop_back(); }));
}

TEST_CASE("a table that is damaged at any byte, or cut off, is refused with its name") {
  const std::string bytes = bytes_of(some());
  const auto refused = [](const std::string& damaged) {
    try {
      const Table read(damaged);
      for (size_t i = 0; i < read.table->size(); ++i) (*read.table)[i];
    } catch (const std::runtime_error& error) {
      CHECK_THAT(error.what(), ContainsSubstring("the file: the index is damaged"));
      return true;
    }
    return false;
  };
  CHECK_FALSE(refused(bytes));
  int passed = 0;
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x10);
    passed += refused(damaged) ? 0 : 1;
  }
  CHECK(passed <= 16);  // the checksum over contents, which readers compare
  for (const size_t size : {size_t{0}, size_t{40}, bytes.size() / 2, bytes.size() - 1}) {
    CHECK(refused(bytes.substr(0, size)));
  }
}
