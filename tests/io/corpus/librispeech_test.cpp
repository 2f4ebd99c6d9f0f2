#include "io/corpus/librispeech.h"

#include <algorithm>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

/// Twelve utterances of two speakers in two splits; audio is WAV under FLAC's name, which the
/// reader does not mind.
void make_corpus(const std::filesystem::path& root) {
  for (const std::string split : {"dev-made", "train-made"}) {
    for (const std::string speaker : {"9", "10"}) {
      const auto chapter = root / split / speaker / "7";
      std::filesystem::create_directories(chapter);
      std::string transcript;
      for (int i = 0; i < 3; ++i) {
        const std::string id = speaker + "-7-000" + std::to_string(i);
        transcript += id + " SPEAKER " + speaker + " SAYS " + std::to_string(i) + "\n";
        write_bytes(chapter / (id + ".flac"), wav_bytes(test_signal(100 + i, 1), 16000, 1));
      }
      write_bytes(chapter / (speaker + "-7.trans.txt"), transcript);
    }
  }
  std::filesystem::create_directories(root / "notes");
  write_bytes(root / "SPEAKERS.TXT", "; no split\n");
}

}  // namespace

TEST_CASE("a corpus is indexed in the order of split and numbers, at any number of threads") {
  TemporaryFolder folder;
  make_corpus(folder / "LibriSpeech");
  const auto entries = scan_librispeech(folder.path(), {}, 1).entries;
  REQUIRE(entries.size() == 12);
  CHECK(entries[0].id == "9-7-0000");
  CHECK(entries[0].group == "dev-made");
  CHECK(entries[0].speaker == "9");
  CHECK(entries[0].transcript == "SPEAKER 9 SAYS 0");
  CHECK(entries[1].audio == AudioInfo{101, 16000, 1});
  CHECK(entries[3].id == "10-7-0000");
  CHECK(entries[6].group == "train-made");
  for (const int threads : {0, 3, 20}) {
    const auto again = scan_librispeech(folder / "LibriSpeech", {}, threads).entries;
    REQUIRE(again.size() == entries.size());
    for (size_t i = 0; i < again.size(); ++i) {
      CHECK(again[i].id == entries[i].id);
      CHECK(again[i].place == entries[i].place);
      CHECK(again[i].audio == entries[i].audio);
      CHECK(again[i].broken.empty());
    }
  }
  CHECK(scan_librispeech(folder.path(), {"train-made"}, 2).entries.size() == 6);
  CHECK(scan_librispeech(folder.path(), {"train-made", "dev-made", "dev-made"}, 2).entries.size() ==
        12);
}

TEST_CASE("an utterance without sound audio or transcript stays in the index, with the reason") {
  TemporaryFolder folder;
  make_corpus(folder.path());
  const auto chapter = folder / "dev-made" / "9" / "7";
  std::filesystem::remove(chapter / "9-7-0000.flac");
  write_bytes(chapter / "9-7-0001.flac", "fLaC");
  write_bytes(chapter / "9-7-0100.flac", read_bytes(chapter / "9-7-0002.flac"));
  const auto entries = scan_librispeech(folder.path(), {"dev-made"}, 2).entries;
  REQUIRE(entries.size() == 7);
  CHECK_THAT(entries[0].broken, ContainsSubstring("No such file"));
  CHECK(entries[0].transcript == "SPEAKER 9 SAYS 0");
  CHECK_THAT(entries[1].broken, ContainsSubstring("cut off"));
  CHECK(entries[2].broken.empty());
  CHECK(entries[3].id == "9-7-0100");
  CHECK(entries[3].broken == "no transcript in 9-7.trans.txt");
  CHECK(entries[3].audio == AudioInfo{});
}

TEST_CASE("a corpus that is missing, empty or malformed is an error") {
  TemporaryFolder folder;
  const auto error = [](const std::filesystem::path& root, std::vector<std::string> splits = {}) {
    return error_of([&] { scan_librispeech(root, splits, 1); });
  };
  CHECK_THAT(error(folder / "nowhere"), ContainsSubstring("found nothing"));
  CHECK_THAT(error(folder.path()), ContainsSubstring("no split found"));
  make_corpus(folder.path());
  CHECK_THAT(error(folder.path(), {"train-other"}),
             ContainsSubstring("no split \"train-other\"; there are: dev-made, train-made"));
  CHECK_THAT(error(folder.path(), {"notes"}), ContainsSubstring("no utterance found"));
}

TEST_CASE("a line of a transcript that cannot be used costs its own utterance") {
  const TemporaryFolder folder;
  make_corpus(folder.path());
  const auto chapter = folder / "dev-made" / "9" / "7";
  write_bytes(folder / "outside.flac", read_bytes(chapter / "9-7-0000.flac"));
  write_bytes(chapter / "9-7.trans.txt",
              "9-7-0000 TEXT\n9-7-0001 \n9-7-0002 ONE\n9-7-0002 TWO\n"
              "../../../outside OUTSIDE\n" +
                  (folder / "outside").string() + " ABSOLUTE\n.. UP\n");
  const auto entries = scan_librispeech(folder.path(), {"dev-made"}, 1).entries;
  REQUIRE(entries.size() == 9);
  const auto broken = [&](const std::string& id) {
    const auto found =
        std::ranges::find_if(entries, [&](const CorpusEntry& one) { return one.id == id; });
    REQUIRE(found != entries.end());
    CHECK(found->broken.empty() == (found->audio.samples > 0));
    return found->broken;
  };
  const std::string where = (chapter / "9-7.trans.txt").string() + ", line ";
  CHECK(broken("9-7-0000").empty());
  CHECK(broken("9-7-0001") == where + "2: expected \"ID TEXT\", found \"9-7-0001\"");
  CHECK(broken("9-7-0002") == where + "4: utterance \"9-7-0002\" is there twice");
  const std::string file = "expected the name of a file in this folder, found ";
  CHECK(broken("../../../outside") == where + "5: " + file + "\"../../../outside\"");
  CHECK_THAT(broken((folder / "outside").string()), ContainsSubstring("line 6: " + file));
  CHECK_THAT(broken(".."), ContainsSubstring("line 7: " + file));
}

TEST_CASE("transcripts are read with a byte order mark, tabs, CRLF, blanks and compressed") {
  const TemporaryFolder folder;
  make_corpus(folder.path());
  const auto chapter = folder / "dev-made" / "9" / "7";
  const auto transcript = chapter / "9-7.trans.txt";
  write_bytes(transcript,
              "\xEF\xBB\xBF"
              "9-7-0000\tTHE CAT\r\n\r\n  9-7-0001 \t A DOG \t\r\n9-7-0002  LAST");
  const auto check = [&] {
    const auto entries = scan_librispeech(folder.path(), {"dev-made"}, 1).entries;
    REQUIRE(entries.size() == 6);
    for (const CorpusEntry& entry : entries) CHECK(entry.broken.empty());
    CHECK(entries[0].transcript == "THE CAT");
    CHECK(entries[1].transcript == "A DOG");
    CHECK(entries[2].transcript == "LAST");
  };
  check();
  run("gzip -c '" + transcript.string() + "' > '" + (folder / "z").string() + "'");
  std::filesystem::rename(folder / "z", transcript);
  check();
  write_bytes(transcript, "");
  CHECK(scan_librispeech(folder.path(), {"dev-made"}, 1).entries[0].broken ==
        "no transcript in 9-7.trans.txt");
}

TEST_CASE("what systems put beside a corpus is no part of it") {
  const TemporaryFolder folder;
  make_corpus(folder.path());
  const std::string resource("\0\x05\x16\x07\0\x02\0\0Mac OS X", 16);
  const auto chapter = folder / "dev-made" / "9" / "7";
  for (const std::string name : {"._9-7.trans.txt", "._9-7-0000.flac", ".DS_Store", "Thumbs.db",
                                 ".hidden.flac", ".old.trans.txt"}) {
    write_bytes(chapter / name, resource);
  }
  for (const std::string name : {"__MACOSX", ".Trashes", "@eaDir"}) {
    std::filesystem::create_directories(folder / name / "9" / "7");
    write_bytes(folder / name / "9" / "7" / "9-7.trans.txt", "9-7-0000 NO\n");
    std::filesystem::create_directories(folder / "dev-made" / "9" / name);
    write_bytes(folder / "dev-made" / "9" / name / "x.flac", resource);
  }
  const auto entries = scan_librispeech(folder.path(), {}, 1).entries;
  CHECK(entries.size() == 12);
  for (const CorpusEntry& entry : entries) CHECK(entry.broken.empty());
}

TEST_CASE("the real LibriSpeech utterances are all indexed") {
  const auto root = test_data("librispeech");
  if (root.empty()) return;
  const auto entries = scan_librispeech(root, {}, 0).entries;
  CHECK(entries.size() == 104);
  int64_t samples = 0;
  for (const auto& entry : entries) {
    INFO(entry.id);
    CHECK(entry.broken.empty());
    CHECK(entry.audio.rate_hz == 16000);
    samples += entry.audio.samples;
  }
  CHECK(static_cast<double>(samples) / 16000 == Approx(787.8).margin(0.1));
}
