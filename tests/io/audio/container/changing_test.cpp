/// Recordings of several formats in one file.
#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a stream that changes its rate, channels or bits midway is told as that") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  write_bytes(folder / "from.wav", wav_bytes(test_signal(48'000, 1), 16'000, 1));
  struct Form {
    std::string extension, first, second;
  };
  for (const Form& form : std::vector<Form>{
           {".mp3", "", "-ar 44100 -ac 2"},
           {".mp3", "-write_xing 0", "-write_xing 0 -ac 2 -id3v2_version 0"},
           {".ogg", "-c:a libvorbis", "-c:a libvorbis -ar 32000"},
           {".opus", "", "-ac 2"},
           {".spx", "", "-ar 32000"},
           {".oga", "-c:a flac", "-c:a flac -ar 44100"},
           {".oga", "-c:a flac", "-c:a flac -sample_fmt s32"},
           {".aac", "", "-ar 44100 -ac 2"},
           {".ac3", "-ar 48000", "-ar 32000"},
           {".ts", "-c:a mp2", "-c:a mp2 -ar 44100"},
       }) {
    INFO(form.extension << " " << form.second);
    std::string bytes;
    for (const std::string& options : {form.first, form.second}) {
      const std::string part = (folder / ("part" + form.extension)).string();
      run("ffmpeg -v error -y -i '" + (folder / "from.wav").string() + "' " + options + " '" +
          part + "'");
      bytes += read_bytes(part);
    }
    const auto both = folder / ("both" + form.extension);
    write_bytes(both, bytes);
    CHECK_THAT(error_of([&] { read_audio_info(both); }),
               ContainsSubstring(both.string() + ": changes midway from "));
  }
}

TEST_CASE("Ogg streams of one format that follow one another are one recording") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  write_bytes(folder / "from.wav", wav_bytes(test_signal(48'000, 1), 16'000, 1));
  for (const std::string name : {"a.ogg", "a.opus", "a.oga"}) {
    INFO(name);
    run("ffmpeg -v error -i '" + (folder / "from.wav").string() + "' " +
        (name == "a.oga" ? "-c:a flac " : "") + "'" + (folder / name).string() + "'");
    const std::string once = read_bytes(folder / name);
    write_bytes(folder / ("twice-" + name), once + once);
    const size_t samples = decode(folder / name).size();
    CHECK(decode(folder / ("twice-" + name)).size() >= 2 * samples);
  }
}
