#include "io/corpus/shards.h"

#include <fstream>

#include "tests/catch.h"
#include "tests/io/support.h"
#include "tests/tar_writer.h"

using namespace flowqat::io;
using namespace flowqat::io::test;
using flowqat::testing::TarWriter;

namespace {

std::string wav(int64_t samples) { return wav_bytes(test_signal(samples, 1), 16000, 1); }

std::vector<float> decode_entry(const CorpusEntry& entry) {
  std::vector<float> mono(static_cast<size_t>(entry.audio.samples));
  decode_audio(entry.place, entry.audio, mono);
  return mono;
}

/// That the range is the very bytes of a loose file, and decodes to its samples.
void check_like(const CorpusEntry& entry, const std::filesystem::path& loose) {
  INFO(entry.id);
  CHECK(entry.broken == "");
  const std::string all = read_bytes(entry.place.path);
  CHECK(all.substr(static_cast<size_t>(entry.place.first_byte),
                   static_cast<size_t>(entry.place.bytes)) == read_bytes(loose));
  CHECK(entry.audio == read_audio_info(loose));
  CHECK(decode_entry(entry) == decode(loose));
}

std::vector<std::string> ids(const Corpus& corpus) {
  std::vector<std::string> all;
  for (const CorpusEntry& entry : corpus.entries) all.push_back(entry.id);
  return all;
}

using Ids = std::vector<std::string>;

}  // namespace

TEST_CASE("audio in shards of every format and with names of any length is that of loose files") {
  const TemporaryFolder folder;
  const auto flac = make_flac(folder, 9000, 2);
  write_bytes(folder / "loose.wav", wav(5000));
  const std::string deep = "a/" + std::string(70, 'd') + "/" + std::string(60, 'e') + "/";
  for (const std::string format : {"ustar", "pax", "gnutar"}) {
    const std::string longest = std::string(format == "ustar" ? 70 : 700, 'k');
    TarWriter(folder / "s.tar", format)
        .folder("a/")
        .file("a/1.flac", read_bytes(flac))
        .file(deep + longest + ".wav", read_bytes(folder / "loose.wav"))
        .file("b.tail", std::string(1, 'x'))
        .file("2.FLAC", read_bytes(flac));
    const Corpus corpus = scan_shards({folder / "s.tar"}, 2);
    CHECK(ids(corpus) == Ids{"s.tar/a/1", "s.tar/" + deep + longest, "s.tar/2"});
    check_like(corpus.entries.at(0), flac);
    check_like(corpus.entries.at(1), folder / "loose.wav");
    check_like(corpus.entries.at(2), flac);
    CHECK(corpus.entries[0].group == "s.tar");
    CHECK(corpus.watched == std::vector<std::filesystem::path>{folder / "s.tar"});
  }
}

TEST_CASE("shards that the tar tool packs are read, whatever its format and the names' alphabet") {
  if (!have("tar")) return;
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "in" / "Wörter.v1");
  const Ids keys{"1089-134686-0000", "Wörter.v1/über", "Wörter.v1/" + std::string(95, 'z')};
  for (size_t i = 0; i < keys.size(); ++i) {
    write_bytes(folder / ("in/" + keys[i] + ".wav"), wav(1000 + static_cast<int64_t>(i) * 7));
    write_bytes(folder / ("in/" + keys[i] + ".txt"), "WORDS  OF " + keys[i] + "\r\n");
  }
  for (const std::string format : {"gnu", "pax", "ustar"}) {
    for (const std::string locale : {"C", "C.UTF-8"}) {
      INFO(format << " " << locale);
      const std::string shard = (folder / "s.tar").string();
      run("LC_ALL=" + locale + " tar --sort=name --format=" + format + " -cf '" + shard + "' -C '" +
          (folder / "in").string() + "' .");
      const Corpus corpus = scan_shards({shard}, 1);
      CHECK(ids(corpus) == Ids{"s.tar/" + keys[0], "s.tar/" + keys[2], "s.tar/" + keys[1]});
      for (const CorpusEntry& entry : corpus.entries) {
        const std::string key = entry.id.substr(6);
        check_like(entry, folder / ("in/" + key + ".wav"));
        CHECK(entry.transcript == "WORDS OF " + key);
      }
    }
  }
}

TEST_CASE("a member behind more than 8 GiB is found, in both ways of writing such sizes") {
  const TemporaryFolder folder;
  const int64_t huge = int64_t{9} << 30;
  TarWriter(folder / "tail.tar").file("a.wav", wav(500));
  for (const std::string format : {"pax", "gnutar"}) {
    INFO(format);
    // The header alone is written; the data is a hole of the file system.
    std::string header(size_t{64} << 10, '\0');
    size_t header_bytes = 0;
    archive* writer = archive_write_new();
    archive_write_set_format_by_name(writer, format.c_str());
    archive_write_set_bytes_per_block(writer, 0);
    archive_write_open_memory(writer, header.data(), header.size(), &header_bytes);
    archive_entry* entry = archive_entry_new();
    archive_entry_set_pathname(entry, "huge.bin");
    archive_entry_set_filetype(entry, AE_IFREG);
    archive_entry_set_size(entry, huge);
    REQUIRE(archive_write_header(writer, entry) == ARCHIVE_OK);
    header.resize(header_bytes);
    archive_entry_free(entry);
    archive_write_free(writer);
    REQUIRE(header.size() >= 512);

    write_bytes(folder / "s.tar", header);
    std::filesystem::resize_file(folder / "s.tar", header.size() + static_cast<size_t>(huge));
    std::ofstream(folder / "s.tar", std::ios::binary | std::ios::app)
        << read_bytes(folder / "tail.tar");
    const Corpus corpus = scan_shards({folder / "s.tar"}, 1);
    REQUIRE(ids(corpus) == Ids{"s.tar/a"});
    CHECK(corpus.entries[0].place.first_byte == static_cast<int64_t>(header.size()) + huge + 512);
    write_bytes(folder / "loose.wav", wav(500));
    CHECK(decode_entry(corpus.entries[0]) == decode(folder / "loose.wav"));
    std::filesystem::remove(folder / "s.tar");
  }
}

TEST_CASE("archives that were put behind one another are read to the last") {
  const TemporaryFolder folder;
  TarWriter(folder / "a.tar").file("a.wav", wav(500));
  TarWriter(folder / "b.tar", "pax").file("b.wav", wav(600));
  write_bytes(folder / "both.tar", read_bytes(folder / "a.tar") + read_bytes(folder / "b.tar"));
  CHECK(ids(scan_shards({folder / "both.tar"}, 1)) == Ids{"both.tar/a", "both.tar/b"});
}

TEST_CASE("transcripts and speakers come from the members of the same key, wherever they stand") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar")
      .file("./a.json", R"({"text": "FROM JSON", "speaker": "anna", "other": [1]})")
      .file("b.transcript", "FROM\tTRANSCRIPT\n")
      .file("./a.wav", wav(500))
      .file("b.wav", wav(500))
      .file("c.normalized.txt", "NORMALIZED")
      .file("c.original.txt", "not this")
      .file("c.wav", wav(500))
      .file("d.txt", "  FROM\r\nTEXT  ")
      .file("d.normalized.txt", "not this")
      .file("d.json", R"({"text": "nor this", "speaker": 1089})")
      .file("d.wav", wav(500))
      .file("e.json", R"({"text": "JA", "speaker": null})")
      .file("e.mic1.wav", wav(500));
  const Corpus corpus = scan_shards({folder.path()}, 1);
  REQUIRE(ids(corpus) == Ids{"s.tar/a", "s.tar/b", "s.tar/c", "s.tar/d", "s.tar/e"});
  const std::vector<std::pair<std::string, std::string>> expected{{"FROM JSON", "anna"},
                                                                  {"FROM TRANSCRIPT", ""},
                                                                  {"NORMALIZED", ""},
                                                                  {"FROM TEXT", "1089"},
                                                                  {"JA", ""}};
  for (size_t i = 0; i < expected.size(); ++i) {
    CHECK(corpus.entries[i].broken == "");
    CHECK(corpus.entries[i].transcript == expected[i].first);
    CHECK(corpus.entries[i].speaker == expected[i].second);
  }
  CHECK(corpus.watched ==
        std::vector<std::filesystem::path>{folder.path(), folder.path() / "s.tar"});
}

TEST_CASE("many shards give the same entries at any number of threads, in the order named") {
  const TemporaryFolder folder;
  Ids paths, expected;
  std::filesystem::create_directories(folder / "x");
  std::filesystem::create_directories(folder / "y");
  for (int shard = 11; shard >= 0; --shard) {
    const std::string name = (shard % 2 ? "x/" : "y/") + std::to_string(shard) + ".tar";
    TarWriter writer(folder / name);
    for (int i = 0; i < 5; ++i) {
      const std::string key = "k" + std::to_string((i * 3) % 5);
      writer.file(key + ".wav", i == 2 ? "no audio" : wav(300 + shard * 10 + i));
      expected.push_back(name + "/" + key);
    }
    paths.push_back(folder / name);
  }
  const Corpus one = scan_shards(paths, 1);
  CHECK(ids(one) == expected);
  CHECK(one.entries[2].broken != "");
  for (int threads : {0, 3, 16}) CHECK(scan_shards(paths, threads).entries == one.entries);
}

TEST_CASE("keys with dots keep their texts, and longer names stay what WebDataset takes them for") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar")
      .file("1089.134686.0001.wav", wav(500))
      .file("1089.134686.0001.txt", "ONE")
      .file("1089.134686.0002.json", R"({"text": "TWO", "speaker": "1089"})")
      .file("1089.134686.0002.WAV", wav(600))
      .file("v1.0/a.b.normalized.txt", "THREE")
      .file("v1.0/a.b.flac", wav(700))
      .file("plain.wav", wav(800))
      .file("plain.txt", "FOUR")
      .file("plain.meta.json", R"({"text": "ABOUT"})")
      .file("plain.de.txt", "VIER")
      .file("only.16k.wav", wav(900))
      .file("only.txt", "FIVE")
      .file("own.16k.wav", wav(900))
      .file("own.txt", "OTHER")
      .file("own.16k.txt", "SIX");
  const Corpus corpus = scan_shards({folder / "s.tar"}, 1);
  CHECK(ids(corpus) == Ids{"s.tar/1089.134686.0001", "s.tar/1089.134686.0002", "s.tar/v1.0/a.b",
                           "s.tar/plain", "s.tar/only", "s.tar/own.16k"});
  const Ids texts{"ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"};
  for (size_t i = 0; i < corpus.entries.size(); ++i) {
    CHECK(corpus.entries[i].transcript == texts.at(i));
    CHECK(corpus.entries[i].broken == "");
  }
  CHECK(corpus.entries[1].speaker == "1089");
}

TEST_CASE("a packed folder of LibriSpeech is sound without transcripts") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar")
      .file("201/1/201-1-0000.wav", wav(500))
      .file("201/1/201-1-0001.wav", wav(600))
      .file("201/1/201-1.trans.txt", "201-1-0000 ONE\n201-1-0001 TWO\n");
  const Corpus corpus = scan_shards({folder / "s.tar"}, 1);
  REQUIRE(ids(corpus) == Ids{"s.tar/201/1/201-1-0000", "s.tar/201/1/201-1-0001"});
  for (const CorpusEntry& entry : corpus.entries) {
    CHECK(entry.broken == "");
    CHECK(entry.transcript == "");
  }
}

TEST_CASE("a member's text may begin with a byte order mark") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar")
      .file("a.wav", wav(500))
      .file("a.txt",
            "\xEF\xBB\xBF"
            "THE\tCAT\r\n")
      .file("b.wav", wav(500))
      .file("b.json",
            "\xEF\xBB\xBF"
            R"({"text": "A DOG"})");
  const Corpus corpus = scan_shards({folder / "s.tar"}, 1);
  CHECK(corpus.entries.at(0).transcript == "THE CAT");
  CHECK(corpus.entries.at(1).transcript == "A DOG");
}
