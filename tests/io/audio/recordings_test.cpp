/// What is taken for a recording, and how long it is looked at.
#include <ctime>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

double processor_s() { return static_cast<double>(std::clock()) / CLOCKS_PER_SEC; }

}  // namespace

TEST_CASE("containers that synthesize, play lists, scripts and pictures are no recordings") {
  TemporaryFolder folder;
  std::string module(1084 + 1024 + 64, '\0');  // a ProTracker module of one pattern
  module.replace(0, 4, "song");
  module[950] = 1, module[951] = 127;
  module.replace(1080, 4, "M.K.");
  std::string chip = "NESM\x1a\x01\x01\x01";  // a Nintendo's music
  chip.resize(128 + 64, '\0');
  const std::string gif("GIF89a\1\0\1\0\0\0\0!\xf9\4\1\0\0\0\0,\0\0\0\0\1\0\1\0\0\2\2", 33);
  for (const auto& [name, bytes] : std::vector<std::pair<std::string, std::string>>{
           {"song.mod", module},
           {"chip.nsf", chip},
           {"waves.sbg", "-SE\nallOff: -\nts1: 200+10/20\nNOW ts1\n+23:00:00 allOff\n"},
           {"list.m3u8", "#EXTM3U\n#EXTINF:1,\n/dev/zero\n"},
           {"list.ffconcat", "ffconcat version 1.0\nfile a.wav\n"},
           {"picture.gif", gif},
           {"raw.s16", std::string(2000, '\1')},
           {"telephone.al", std::string(2000, '\1')}}) {
    INFO(name);
    write_bytes(folder / name, bytes);
    CHECK_THAT(error_of([&, file = folder / name] { read_audio_info(file); }),
               ContainsSubstring((folder / name).string()) && ContainsSubstring("expected"));
  }
}

TEST_CASE("a cover picture and a film beside the sound are left alone") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(48'000, 1), 16'000, 1));
  const std::string from = "-i '" + (folder / "a.wav").string() + "'";
  run("ffmpeg -v error -f lavfi -i testsrc=d=0.04:r=25 -frames:v 1 '" +
      (folder / "cover.png").string() + "'");
  const std::string cover = "-i '" + (folder / "cover.png").string() + "'";
  for (const std::string name : {"plain.mp3", "plain.m4a"}) {
    const auto covered = folder / ("covered" + name.substr(5));
    run("ffmpeg -v error " + from + " '" + (folder / name).string() + "'");
    run("ffmpeg -v error " + from + " " + cover +
        " -map 0 -map 1 -c:v copy -disposition:v attached_pic '" + covered.string() + "'");
    CHECK(decode(covered) == decode(folder / name));
  }
  for (const std::string name : {"film.mp4", "film.mkv", "film.avi"}) {
    INFO(name);
    run("ffmpeg -v error " + from + " -f lavfi -i testsrc=d=3:r=25 -c:a pcm_s16le -c:v mpeg4 " +
        (name == "film.mp4" ? std::string("-c:a aac ") : "") + "'" + (folder / name).string() +
        "'");
    CHECK(decode(folder / name).size() >= 48'000);
  }
}

TEST_CASE("a header of 200 MB of zeros is not walked through eight bytes at a time") {
  TemporaryFolder folder;
  const std::string wav = wav_bytes(test_signal(100, 1), 16'000, 1);
  for (const std::string& start :
       {wav.substr(0, 36), std::string("FORM\0\0\0\0AIFF", 12), std::string("caff\0\1\0\0", 8),
        std::string("OggS", 4), std::string("Creative Voice File\x1a\x1a\0\n\1\x29\x11", 26)}) {
    INFO(start.substr(0, 4));
    const auto file = folder / "zeros";
    write_bytes(file, start);
    std::filesystem::resize_file(file, 200 << 20);
    const double begun_s = processor_s();
    error_of([&] { read_audio_info(file); });
    CHECK(processor_s() - begun_s < 5);
  }
}
