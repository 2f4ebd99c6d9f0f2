#include "io/audio/spool.h"

#include <fcntl.h>
#include <unistd.h>

#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

TEST_CASE("a pipe's bytes are kept where they can be read at any place") {
  int ends[2];
  REQUIRE(pipe(ends) == 0);
  const std::string bytes = "not audio";
  REQUIRE(write(ends[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  close(ends[1]);
  const Spool spool = spool_stream(ends[0]);
  CHECK(spool.bytes() == 9);
  CHECK(read_bytes(spool.path()) == bytes);
  CHECK(spool_stream(ends[0]).bytes() == 0);
  close(ends[0]);
}

TEST_CASE("what cannot be sought is decoded once, and its segments are those of the whole") {
  if (!have("sox")) return;
  TemporaryFolder folder;
  const std::string path = (folder / "tone.ogg").string();
  run("sox -n -r 22050 -c 2 '" + path + "' synth 3 sine 440");
  const AudioInfo info = read_audio_info(std::filesystem::path(path));
  CHECK_FALSE(segments_are_quick(std::filesystem::path(path)));
  std::vector<float> whole(static_cast<size_t>(info.samples));
  decode_audio(std::filesystem::path(path), info, whole);

  const Spool spool = spool_decoded(std::filesystem::path(path), info);
  AudioPlace place(spool.path());
  const AudioInfo expected{info.samples, info.rate_hz, 1};
  CHECK(read_audio_info(place) == expected);
  CHECK(segments_are_quick(place));
  std::vector<float> again(whole.size());
  decode_audio(place, expected, again);
  CHECK(again == whole);
  place.first_sample = 12345;
  std::vector<float> part(1000);
  decode_audio(place, {1000, info.rate_hz, 1}, part);
  CHECK(part == std::vector<float>(whole.begin() + 12345, whole.begin() + 13345));
}
