/// What cannot be used in a shard is told, and what is hostile does no harm.
#include <map>

#include "io/corpus/shards.h"
#include "tests/catch.h"
#include "tests/io/support.h"
#include "tests/tar_writer.h"

using namespace flowqat::io;
using namespace flowqat::io::test;
using flowqat::testing::TarWriter;

namespace {

std::string wav(int64_t samples) { return wav_bytes(test_signal(samples, 1), 16000, 1); }

/// Reasons by id; empty for what is sound.
std::map<std::string, std::string> reasons(const std::filesystem::path& shard) {
  std::map<std::string, std::string> all;
  for (const CorpusEntry& entry : scan_shards({shard}, 2).entries) {
    CHECK(all.emplace(entry.id, entry.broken).second);
    CHECK(entry.broken.empty() == (entry.audio.samples > 0));
  }
  return all;
}

std::string refusal(const std::filesystem::path& shard, int threads = 1) {
  return error_of([&] { scan_shards({shard}, threads); });
}

/// Sets the header's field of 12 bytes at byte 124, the size, and then its checksum.
void set_size(std::string& tar, size_t header, const std::string& field) {
  tar.replace(header + 124, 12, field);
  tar.replace(header + 148, 8, 8, ' ');
  unsigned sum = 0;
  for (size_t i = 0; i < 512; ++i) sum += static_cast<unsigned char>(tar[header + i]);
  char text[8];
  std::snprintf(text, sizeof text, "%06o", sum);
  tar.replace(header + 148, 8, std::string(text, 7) + ' ');
}

}  // namespace

TEST_CASE("an utterance of which a part is missing, doubled or foreign stays, with the reason") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar", "pax")
      .file("sound.wav", wav(500))
      .file("sound.txt", "SOUND")
      .file("no-audio.txt", "ALONE")
      .file("no-audio-json.json", R"({"text": "ALONE"})")
      .file("about.json", R"({"licence": "CC0"})")
      .file("cls.cls", "7")
      .file("no-text.wav", wav(500))
      .file("blank.wav", wav(500))
      .file("blank.txt", " \n")
      .file("two.wav", wav(500))
      .file("two.flac", wav(500))
      .file("two.txt", "TWO")
      .file("speaker.1.wav", wav(500))
      .file("speaker.2.wav", wav(500))
      .file("twice.wav", wav(500))
      .file("twice.txt", "ONE")
      .file("twice.txt", "TWO")
      .file("same.txt", "SAME")
      .file("same.wav", wav(500))
      .file("same.wav", wav(500))
      .file("empty.wav", "")
      .file("empty.txt", "EMPTY")
      .file("latin.wav", wav(500))
      .file("latin.txt",
            "\xfc"
            "BER")
      .file("json.wav", wav(500))
      .file("json.json", R"({"text": )")
      .file("huge-number.wav", wav(500))
      .file("huge-number.json", R"({"text": "HUGE", "gain": 1e400})")
      .file("list.wav", wav(500))
      .file("list.json", R"(["text"])")
      .file("number.wav", wav(500))
      .file("number.json", R"({"text": 7})")
      .file("header.wav", "no audio at all")
      .file("header.txt", "HEADER")
      .file("long.wav", wav(500))
      .file("long.txt", std::string((size_t{16} << 20) + 1, 'x'))
      .file("nested.wav", wav(500))
      .file("nested.json",
            R"({"text": )" + std::string(4'000'000, '[') + std::string(4'000'000, ']') + "}");
  const auto found = reasons(folder / "s.tar");
  const std::map<std::string, std::string> expected{
      {"no-audio", "member \"no-audio.txt\" is a transcript without audio: expected \"no-audio."},
      {"no-audio-json", "member \"no-audio-json.json\" is a transcript without audio"},
      {"no-text", "\"no-text\" has no transcript, others have: expected text in \"no-text.txt\""},
      {"blank", "\"blank\" has no transcript"},
      {"two", "member \"two.flac\" is one too many beside \"two.wav\""},
      {"speaker.1", "\"speaker.1\" has no transcript, others have"},
      {"speaker.2", "\"speaker.2\" has no transcript, others have"},
      {"twice", "member \"twice.txt\" is one too many beside \"twice.txt\""},
      {"same", "member \"same.wav\" is one too many beside \"same.wav\""},
      {"empty", "member \"empty.wav\" is empty"},
      {"latin", "member \"latin.txt\" is no transcript: expected UTF-8 text, found byte 252"},
      {"json", "member \"json.json\" is not JSON at line 1, column 10: "},
      {"huge-number", "member \"huge-number.json\" is not JSON at line 1, column "},
      {"list", "member \"list.json\" is no JSON object but array"},
      {"number", "member \"number.json\" has \"text\" of type number, expected a string"},
      {"header", "s.tar: "},
      {"long", "member \"long.txt\" has 16777217 bytes, too many"},
      {"nested",
       "member \"nested.json\" is not JSON at line 1, column 109: arrays and objects within"},
  };
  for (const auto& [key, reason] : expected) {
    INFO(key);
    REQUIRE(found.count("s.tar/" + key) == 1);
    CHECK_THAT(found.at("s.tar/" + key),
               Catch::Matchers::StartsWith((folder / "s.tar").string() + ": ") &&
                   ContainsSubstring(reason));
  }
  CHECK(found.at("s.tar/sound") == "");
  CHECK(found.size() == expected.size() + 1);
}

TEST_CASE("links, pipes, holes and names that point elsewhere are told and touch nothing") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar", "pax")
      .file("/etc/absolute.wav", wav(500))
      .file("../../up.wav", wav(600))
      .file("a/./../b.wav", wav(700))
      .symbolic_link("symbolic.wav", "/dev/zero")
      .hard_link("hard.wav", "/etc/absolute.wav")
      .pipe("pipe.wav")
      .sparse("sparse.wav", std::string(100'000, '\0') + "x")
      .file("._mac.wav", "no audio")
      .file("a/.hidden.wav", "no audio")
      .file("__MACOSX/a.wav", "no audio")
      .file("a/@eaDir/b.wav/c.wav", "no audio")
      .file(".DS_Store", "no audio")
      .file("__meta__", "no audio")
      .file("__meta__/a.wav", "no audio")
      .file("no-ending", "x")
      .file("line\nbreak.wav", wav(800));
  const auto found = reasons(folder / "s.tar");
  CHECK(found.at("s.tar//etc/absolute") == "");
  CHECK(found.at("s.tar/../../up") == "");
  CHECK(found.at("s.tar/a/./../b") == "");
  CHECK(found.at("s.tar/line\nbreak") == "");
  CHECK_THAT(found.at("s.tar/symbolic"),
             ContainsSubstring("is a symbolic link to \"/dev/zero\"; pack it with"));
  CHECK_THAT(found.at("s.tar/hard"), ContainsSubstring("is a hard link to \"/etc/absolute.wav\""));
  CHECK_THAT(found.at("s.tar/pipe"), ContainsSubstring("is no regular file"));
  CHECK_THAT(found.at("s.tar/sparse"), ContainsSubstring("is stored sparse"));
  CHECK(found.size() == 8);
}

TEST_CASE("a shard that was cut off is refused wherever it was cut") {
  const TemporaryFolder folder;
  TarWriter(folder / "whole.tar").file("a.wav", wav(1000)).file("b.wav", wav(1000));
  const std::string whole = read_bytes(folder / "whole.tar");
  const size_t member = 512 + 2560;  // 2,044 bytes of WAV in whole blocks
  const auto cut = [&](size_t bytes) {
    write_bytes(folder / "cut.tar", whole.substr(0, bytes));
    return refusal(folder / "cut.tar");
  };
  CHECK(reasons(folder / "whole.tar").size() == 2);
  CHECK_THAT(cut(700), ContainsSubstring("cut.tar: the tar file was cut off at member \"a.wav\": "
                                         "member \"a.wav\" has 2044 bytes from byte 512 on, the "
                                         "file 700; copy it again"));
  CHECK_THAT(cut(whole.find("RIFF", member) + 2), ContainsSubstring("member \"b.wav\" has 2044"));
  CHECK_THAT(cut(100), ContainsSubstring("cut.tar: cannot be read as a tar file"));
  for (size_t bytes = 1; bytes < whole.find("RIFF", 1000) + 2044 + 512; bytes += 13) {
    INFO(bytes);
    CHECK_THAT(cut(bytes), ContainsSubstring("cut.tar: "));
  }
}

TEST_CASE(
    "a shard that is compressed, no tar, empty, a folder's name or without audio is refused") {
  const TemporaryFolder folder;
  TarWriter(folder / "a.tar").file("a.txt.old", "x");
  CHECK_THAT(refusal(folder / "a.tar"),
             ContainsSubstring("a.tar: no utterance found") && ContainsSubstring("*.flac, *.wav"));
  TarWriter(folder / "none.tar");
  CHECK_THAT(refusal(folder / "none.tar"), ContainsSubstring("none.tar: no utterance found"));
  write_bytes(folder / "x.tar", wav(5000));
  CHECK_THAT(refusal(folder / "x.tar"),
             ContainsSubstring("x.tar: cannot be read as a tar file: ") &&
                 ContainsSubstring("copy it again"));
  write_bytes(folder / "0.tar", "");
  CHECK_THAT(refusal(folder / "0.tar"), ContainsSubstring("0.tar: the file is empty"));
  for (const std::string program : {"gzip", "bzip2", "xz", "zstd", "lz4"}) {
    if (!have(program)) continue;
    run(program + " -c '" + (folder / "a.tar").string() + "' > '" + (folder / "a.z").string() +
        "'");
    CHECK_THAT(refusal(folder / "a.z"),
               ContainsSubstring("a.z: is compressed with " + program) &&
                   ContainsSubstring(program + " -dc 'a.z' > UNPACKED.tar"));
    const std::string unpack = program + " -dc '" + (folder / "a.z").string() + "'";
    CHECK(run(unpack) == read_bytes(folder / "a.tar"));
  }
}

TEST_CASE("headers that are broken or lie end in an error that names shard and member") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar").file("a.wav", wav(1000)).file("b.wav", wav(1000));
  const std::string whole = read_bytes(folder / "s.tar");
  const size_t second = 512 + 2048;
  REQUIRE(whole.substr(second, 5) == "b.wav");
  const auto with_size = [&](const std::string& field) {
    std::string tar = whole;
    set_size(tar, second, field);
    write_bytes(folder / "s.tar", tar);
    return refusal(folder / "s.tar");
  };
  CHECK_THAT(with_size("77777777777 "),
             ContainsSubstring("s.tar: the tar file was cut off at member \"b.wav\""));
  CHECK_THAT(with_size(std::string("\x80\0\0\0\x7f\xff\xff\xff\xff\xff\xff\xff", 12)),
             ContainsSubstring("s.tar: "));
  CHECK_THAT(with_size(std::string(12, '\xff')), ContainsSubstring("s.tar: "));
  CHECK_THAT(with_size("00000000100 "),
             ContainsSubstring("cannot be read as a tar file behind member \"b.wav\": "));
  std::string tar = whole;
  tar[second + 10] ^= 1;
  write_bytes(folder / "s.tar", tar);
  CHECK_THAT(refusal(folder / "s.tar"),
             ContainsSubstring("cannot be read as a tar file behind member \"a.wav\": Damaged"));
}

TEST_CASE("a size that is not that of the data as it is stored is refused") {
  const TemporaryFolder folder;
  TarWriter(folder / "s.tar")
      .file("attributes", "27 GNU.sparse.realsize=700\n")
      .file("a.wav", wav(1000))
      .file("b.wav", wav(1000));
  std::string tar = read_bytes(folder / "s.tar");
  tar[156] = 'x';  // a pax header, for the member behind it
  set_size(tar, 0, "00000000033 ");
  write_bytes(folder / "s.tar", tar);
  CHECK_THAT(refusal(folder / "s.tar"),
             ContainsSubstring("member \"a.wav\" ends at byte 3584, where its size says 2560"));
}

TEST_CASE("no byte of a header, however it is changed, ends in anything but an error or entries") {
  const TemporaryFolder folder;
  for (const std::string format : {"ustar", "pax", "gnutar"}) {
    TarWriter(folder / "s.tar", format)
        .file(std::string(120, 'n') + "/a.wav", wav(100))
        .file("b.txt", "B");
    const std::string whole = read_bytes(folder / "s.tar");
    int refused = 0;
    for (size_t at = 0; at < whole.size(); at += 7) {
      std::string tar = whole;
      tar[at] = static_cast<char>(tar[at] ^ (1 << (at % 8)));
      write_bytes(folder / "s.tar", tar);
      try {
        scan_shards({folder / "s.tar"}, 1);
      } catch (const Error&) {
        ++refused;
      }
    }
    CHECK(refused > 50);
  }
}

TEST_CASE("of several broken shards the first is named, at any number of threads") {
  const TemporaryFolder folder;
  for (int i = 10; i < 30; ++i) {
    TarWriter(folder / (std::to_string(i) + ".tar")).file("a.wav", wav(1000));
  }
  write_bytes(folder / "13.tar", read_bytes(folder / "13.tar").substr(0, 1000));
  write_bytes(folder / "28.tar", "x");
  for (int threads : {1, 2, 8}) {
    CHECK_THAT(refusal(folder.path(), threads), ContainsSubstring("13.tar: the tar file was cut"));
  }
}
