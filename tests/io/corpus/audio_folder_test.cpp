#include "io/corpus/audio_folder.h"

#include <fstream>

#include "io/files/error.h"
#include "tests/catch.h"
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
