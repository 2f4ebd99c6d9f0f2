#include "io/corpus/audio_folder.h"

#include <algorithm>
#include <fstream>

#include "io/files/error.h"
#include "tests/catch.h"
#include "tests/io/support.h"
#include "tests/temporary_folder.h"

namespace fs = std::filesystem;
using namespace flowqat;

namespace {

std::string refusal(const fs::path& folder) {
  try {
    io::audio_files_below(folder, {"wav", "flac"});
  } catch (const io::Error& error) {
    return error.what();
  }
  return "accepted";
}

}  // namespace

TEST_CASE("audio files are found at any depth, sorted, by their endings in any case") {
  const testing::TemporaryFolder temporary;
  const fs::path root = temporary.path();
  fs::create_directories(root / "b" / "deep.wav");
  for (const char* name : {"z.wav", "a.FLAC", "b/deep.wav/y.Wav", "notes.txt", "wav", "b/x.mp3"}) {
    std::ofstream(root / name) << "x";
  }
  using Paths = std::vector<fs::path>;
  CHECK(io::audio_files_below(root, {"wav", ".flac"}) ==
        Paths{root / "a.FLAC", root / "b/deep.wav/y.Wav", root / "z.wav"});
  CHECK(io::audio_files_below(root, io::audio_extensions()).size() == 4);
}

TEST_CASE("a folder that is missing, a file, or without audio is named with what was expected") {
  const testing::TemporaryFolder temporary;
  const fs::path root = temporary.path();
  CHECK_THAT(refusal(root / "no"),
             ContainsSubstring("no: expected a folder") && ContainsSubstring("found nothing"));
  CHECK_THAT(refusal(root), ContainsSubstring("no audio found") &&
                                ContainsSubstring("expected files named *.wav, *.flac"));
  std::ofstream(root / "notes") << "x";
  CHECK_THAT(refusal(root / "notes"), ContainsSubstring("found a file"));
}

TEST_CASE("a header that cannot be read is told for its file alone, at any number of threads") {
  const testing::TemporaryFolder temporary;
  fs::create_directories(temporary.path() / "inner");
  std::ofstream(temporary.path() / "inner" / "broken.wav") << "no audio";
  std::ofstream(temporary.path() / "empty.wav");
  for (int threads : {0, 1, 8}) {
    const io::Corpus corpus = io::scan_audio_folder(temporary.path(), {"wav"}, threads);
    REQUIRE(corpus.entries.size() == 2);
    CHECK(corpus.entries[0].id == "empty.wav");
    CHECK_THAT(corpus.entries[0].broken, ContainsSubstring("empty.wav: the file is empty"));
    CHECK(corpus.entries[1].id == "inner/broken.wav");
    CHECK(corpus.entries[1].group == "inner");
    CHECK_THAT(corpus.entries[1].broken, ContainsSubstring("broken.wav"));
    CHECK(corpus.entries[1].audio == io::AudioInfo{});
    CHECK(corpus.watched == std::vector<fs::path>{temporary.path(), temporary.path() / "inner"});
  }
}

TEST_CASE("what systems put beside audio is passed over, whatever its name ends in") {
  const testing::TemporaryFolder temporary;
  const fs::path root = temporary.path();
  for (const char* name : {"a.wav", "._a.wav", ".hidden.wav", ".git/b.wav", "__MACOSX/._a.wav",
                           "__MACOSX/c.wav", "@eaDir/a.wav/x.wav", "$RECYCLE.BIN/d.wav"}) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name) << "x";
  }
  fs::create_directories(root / ".Trashes");
  fs::permissions(root / ".Trashes", fs::perms::none);
  using Paths = std::vector<fs::path>;
  CHECK(io::audio_files_below(root, {"wav"}) == Paths{root / "a.wav"});
  // A folder that was named is meant.
  CHECK(io::audio_files_below(root / ".git", {"wav"}) == Paths{root / ".git/b.wav"});
}

namespace {

/// Copies of one recording, with the texts of some.
void make_texts(const fs::path& root,
                const std::vector<std::pair<std::string, std::string>>& files) {
  for (const auto& [name, content] : files) {
    fs::create_directories((root / name).parent_path());
    std::ofstream(root / name, std::ios::binary)
        << (name.ends_with(".wav") ? io::test::wav_bytes(io::test::test_signal(1000, 1), 16000, 1)
                                   : content);
  }
}

}  // namespace

TEST_CASE("the text of a recording stands in a file of its name beside it") {
  const testing::TemporaryFolder temporary;
  const fs::path root = temporary.path();
  make_texts(root, {{"a.wav", ""},
                    {"a.txt", "\xEF\xBB\xBFTHE\tCAT\r\nSAT\r\n"},
                    {"b/1.2.wav", ""},
                    {"b/1.2.lab", "A DOG"},
                    {"b/1.txt", "NO"},
                    {"c.wav", ""},
                    {"c.normalized.txt", "SO"},
                    {"c.original.txt", "So."},
                    {"d.wav", ""},
                    {"d.txt", ""},
                    {"d.lab", "NO"},
                    {"e.wav", ""},
                    {"._e.txt", "NO"},
                    {"f.wav", ""},
                    {"f.txt/x", ""}});
  for (const int threads : {1, 4}) {
    const io::Corpus corpus = io::scan_audio_folder(root, {"wav"}, threads, io::text_extensions());
    REQUIRE(corpus.entries.size() == 6);
    const std::vector<std::string> texts{"THE\tCAT SAT", "SO", "", "", "", "A DOG"};
    const std::vector<std::string> ids{"a.wav", "c.wav", "d.wav", "e.wav", "f.wav", "b/1.2.wav"};
    for (const io::CorpusEntry& entry : corpus.entries) {
      const auto at = static_cast<size_t>(std::ranges::find(ids, entry.id) - ids.begin());
      INFO(entry.id);
      CHECK(entry.transcript == texts.at(at));
      CHECK(entry.broken.empty() == (entry.id != "e.wav" && entry.id != "f.wav"));
    }
    for (const io::CorpusEntry& entry : corpus.entries) {
      if (entry.id == "e.wav") {
        CHECK_THAT(
            entry.broken,
            ContainsSubstring("e.wav: has no transcript, others have: expected a file of its "
                              "name that ends in .txt, .lab, .transcript, .normalized.txt"));
      }
      if (entry.id == "f.wav") CHECK_THAT(entry.broken, ContainsSubstring("found a folder"));
    }
    CHECK(std::ranges::count(corpus.watched, root / "a.txt") == 1);
  }
  const io::Corpus without = io::scan_audio_folder(root, {"wav"}, 1);
  for (const io::CorpusEntry& entry : without.entries) {
    CHECK(entry.transcript.empty());
    CHECK(entry.broken.empty());
  }
}

TEST_CASE("a folder of recordings alone has no transcripts and nothing broken") {
  const testing::TemporaryFolder temporary;
  make_texts(temporary.path(), {{"a.wav", ""}, {"b.wav", ""}, {"README.txt", "about"}});
  const io::Corpus corpus =
      io::scan_audio_folder(temporary.path(), {"wav"}, 1, io::text_extensions());
  for (const io::CorpusEntry& entry : corpus.entries) CHECK(entry.broken.empty());
}
