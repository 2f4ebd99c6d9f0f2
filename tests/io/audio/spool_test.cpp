#include "io/audio/spool.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <thread>

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

TEST_CASE("a FIFO is waited for and kept as a pipe is, and a file needs no keeping") {
  TemporaryFolder folder;
  const auto fifo = folder / "fifo", file = folder / "file";
  REQUIRE(mkfifo(fifo.c_str(), 0600) == 0);
  write_bytes(file, "not audio");
  CHECK_FALSE(spool_pipe(file));
  CHECK_FALSE(spool_pipe(folder / "missing"));
  CHECK_FALSE(spool_pipe("/dev/zero"));
  const std::string bytes(300'000, 'a');
  {
    const std::jthread writer([&] {
      std::this_thread::sleep_for(std::chrono::milliseconds(50));
      std::ofstream(fifo, std::ios::binary) << bytes;
    });
    const auto spool = spool_pipe(fifo);
    REQUIRE(spool);
    CHECK(read_bytes(spool->path()) == bytes);
  }
  int asked = 0;
  const auto give_up = [&asked] {
    if (++asked == 3) throw Error("enough");
  };
  CHECK_THAT(error_of([&] { spool_pipe(fifo, give_up); }), ContainsSubstring("enough"));
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
