/// Audio that was cut off, in every container that states its length or its end; and the promises
/// of lengths that no file could hold.
#include <array>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/io/support.h"

using namespace flowqat::io;
using namespace flowqat::io::test;

namespace {

struct Form {
  std::string name, options;  ///< of the file that the ffmpeg tool makes
};

/// 3 s of 16-bit samples at `rate_hz`.
void make(const TemporaryFolder& folder, const Form& form) {
  const std::string path = (folder / form.name).string();
  const std::string from = (folder / "from.wav").string();
  write_bytes(from, wav_bytes(test_signal(48'000, 1), 16'000, 1));
  run("ffmpeg -v error -y -i '" + from + "' " + form.options + " '" + path + "'");
}

/// The error of a file of which `bytes` are left; empty: none.
std::string error_of_cut(const TemporaryFolder& folder, const std::string& name, size_t bytes) {
  const auto cut = folder / ("cut-" + name);
  write_bytes(cut, read_bytes(folder / name).substr(0, bytes));
  try {
    decode(cut);
    return "";
  } catch (const Error& error) {
    CHECK_THAT(error.what(), ContainsSubstring(cut.string()));
    return error.what();
  }
}

}  // namespace

TEST_CASE("audio that was cut off is refused wherever its container states length or end") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  for (const Form& form : std::vector<Form>{
           {"a.wav", ""},
           {"b.wav", "-c:a adpcm_ima_wav"},
           {"rf64.wav", "-rf64 always"},
           {"a.w64", ""},
           {"a.aiff", ""},
           {"b.aiff", "-c:a adpcm_ima_qt"},
           {"a.au", ""},
           {"a.caf", ""},
           {"alac.caf", "-c:a alac"},
           {"a.sox", ""},
           {"a.voc", ""},
           {"xing.mp3", ""},
           {"info.mp3", "-b:a 64k"},
           {"vorbis.ogg", "-c:a libvorbis"},
           {"flac.oga", "-c:a flac"},
           {"a.opus", ""},
           {"a.spx", ""},
           {"a.flac", ""},
           {"a.m4a", ""},
           {"fast.m4a", "-movflags +faststart"},
           {"a.mov", "-c:a pcm_s16le"},
           {"a.3gp", "-c:a aac"},
           {"vorbis.mka", "-c:a libvorbis"},
           {"pcm.mka", "-c:a pcm_s16le"},
           {"a.webm", "-c:a libopus"},
           {"a.avi", "-c:a pcm_s16le"},
           {"a.flv", "-ar 22050 -c:a libmp3lame"},
           {"a.wma", "-c:a wmav2"},
           {"a.wv", ""},
           {"a.tta", ""},
       }) {
    INFO(form.name);
    make(folder, form);
    CHECK(decode(folder / form.name).size() > 40'000);
    const size_t bytes = read_bytes(folder / form.name).size();
    for (const size_t left : {bytes * 99 / 100, bytes * 9 / 10, bytes / 2}) {
      INFO(left << " bytes of " << bytes);
      CHECK(error_of_cut(folder, form.name, left) != "");
    }
  }
}

TEST_CASE("an Ogg without its last page and an MP3 without its last frames are cut off") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  make(folder, {"a.ogg", "-c:a libvorbis"});
  const std::string ogg = read_bytes(folder / "a.ogg");
  CHECK_THAT(error_of_cut(folder, "a.ogg", ogg.rfind("OggS")),
             ContainsSubstring("an Ogg stream in it has no last page"));
  CHECK_THAT(error_of_cut(folder, "a.ogg", ogg.size() - 1), ContainsSubstring("last Ogg page"));
  make(folder, {"a.mp3", "-b:a 64k"});
  const size_t mp3 = read_bytes(folder / "a.mp3").size();
  constexpr size_t frame_bytes = 72 * 64'000 / 16'000;  // of 576 samples at 64 kbit/s
  CHECK_THAT(error_of_cut(folder, "a.mp3", mp3 - frame_bytes),
             ContainsSubstring("MPEG frames, the file holds"));
  CHECK_THAT(error_of_cut(folder, "a.mp3", mp3 - 1), ContainsSubstring("last MPEG frame"));
  // What states no number is held to whole frames.
  make(folder, {"plain.mp3", "-b:a 64k -write_xing 0 -id3v2_version 0"});
  const size_t plain = read_bytes(folder / "plain.mp3").size();
  CHECK(error_of_cut(folder, "plain.mp3", plain - frame_bytes) == "");
  CHECK_THAT(error_of_cut(folder, "plain.mp3", plain - 1), ContainsSubstring("last MPEG frame"));
}

TEST_CASE("a FLAC in Ogg is held to its total, also where its last page is there") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  write_bytes(folder / "a.wav", wav_bytes(test_signal(48'000, 1), 16'000, 1));
  run("flac --silent --ogg -o '" + (folder / "a.oga").string() + "' '" +
      (folder / "a.wav").string() + "'");
  CHECK(read_audio_info(folder / "a.oga").samples == 48'000);
  const std::string ogg = read_bytes(folder / "a.oga");
  const size_t end = ogg.rfind("OggS"), begin = ogg.rfind("OggS", end - 1);
  write_bytes(folder / "lost.oga", ogg.substr(0, begin) + ogg.substr(end));
  CHECK_THAT(error_of([&] { read_audio_info(folder / "lost.oga"); }),
             ContainsSubstring("promises 48000 samples, the file holds"));
}

TEST_CASE("a Matroska that was written to a pipe is held to whole elements") {
  if (!have("ffmpeg")) return;
  TemporaryFolder folder;
  make(folder, {"a.wav", ""});
  run("ffmpeg -v error -i '" + (folder / "a.wav").string() + "' -c:a pcm_s16le -f matroska - >'" +
      (folder / "piped.mka").string() + "'");
  CHECK(decode(folder / "piped.mka").size() == 48'000);
  const size_t bytes = read_bytes(folder / "piped.mka").size();
  for (const size_t left : {bytes - 1, bytes - 1000, bytes / 2}) {
    INFO(left);
    CHECK(error_of_cut(folder, "piped.mka", left) != "");
  }
}

TEST_CASE("what a header promises is held against the file's size before anything is decoded") {
  TemporaryFolder folder;
  const auto error = [&folder](const std::string& name, const std::string& bytes) {
    write_bytes(folder / name, bytes);
    const auto text = error_of([&] { read_audio_info(folder / name); });
    CHECK_THAT(text, ContainsSubstring((folder / name).string()));
    return text;
  };
  const std::string wav = wav_bytes(test_signal(1000, 1), 16'000, 1);
  const std::string pcm = wav.substr(44), format = wav.substr(12, 24);
  const auto little = [](uint64_t value, int count) {
    std::string bytes;
    for (int i = 0; i < count; ++i) bytes += static_cast<char>(value >> (8 * i));
    return bytes;
  };
  const auto big = [&little](uint64_t value, int count) {
    const std::string bytes = little(value, count);
    return std::string(bytes.rbegin(), bytes.rend());
  };
  const std::string rf64 = "RF64\xff\xff\xff\xffWAVEds64" + little(28, 4) +
                           little(uint64_t{1} << 60, 8) + little(uint64_t{1} << 60, 8) +
                           little(uint64_t{1} << 59, 8) + little(0, 4) + format +
                           "data\xff\xff\xff\xff" + pcm;
  CHECK_THAT(error("rf64.wav", rf64), ContainsSubstring("promises 1152921504606846976 bytes"));
  CHECK_THAT(error("a.wav", wav.substr(0, 43) + "\x40" + pcm), ContainsSubstring("bytes of audio"));
  CHECK_THAT(error("a.au", ".snd" + big(24, 4) + big(0x40000000, 4) + big(3, 4) + big(16'000, 4) +
                               big(1, 4) + pcm),
             ContainsSubstring("promises 1073741824 bytes of audio, the file holds 2000"));
  std::string sphere =
      "NIST_1A\n   1024\nchannel_count -i 1\nsample_count -i 576460752303423488\n"
      "sample_rate -i 16000\nsample_n_bytes -i 2\nsample_byte_format -s2 01\n"
      "sample_sig_bits -i 16\nsample_coding -s3 pcm\nend_head\n";
  sphere.resize(1024, ' ');
  CHECK_THAT(error("a.sph", sphere + pcm), ContainsSubstring("promises 576460752303423488"));
  const std::string caf = "caff" + big(1, 2) + big(0, 2) + "desc" + big(32, 8) +
                          big(0x40cf400000000000, 8) + "lpcm" + big(0, 4) + big(2, 4) + big(1, 4) +
                          big(1, 4) + big(16, 4);
  CHECK_THAT(error("a.caf", caf + "data" + big(uint64_t{1} << 60, 8) + big(0, 4) + pcm),
             ContainsSubstring("promises 1152921504606846976 bytes of audio"));
  const auto aiff = [&](uint64_t frames, uint64_t bytes) {
    return "FORM" + big(46 + 2000, 4) + "AIFFCOMM" + big(18, 4) + big(1, 2) + big(frames, 4) +
           big(16, 2) + big(0x400cfa, 3) + std::string(7, '\0') + "SSND" + big(bytes, 4) +
           big(0, 8) + pcm;
  };
  CHECK_THAT(error("a.aiff", aiff(1000, 0x40000000)), ContainsSubstring("bytes of audio"));
  CHECK_THAT(error("b.aiff", aiff(0x40000000, 2008)),
             ContainsSubstring("promises 1073741824 frames of audio, the file holds 1000"));
  write_bytes(folder / "sound.aiff", aiff(1000, 2008));
  CHECK(read_audio_info(folder / "sound.aiff") == AudioInfo{1000, 16'000, 1});
}

TEST_CASE("a FLAC of few bytes is believed to hold many samples when they have been counted") {
  if (!have("flac")) return;
  TemporaryFolder folder;
  const auto flac = make_flac(folder, 9000, 1);
  const std::string sound = read_bytes(flac);
  for (const int bit : {20, 24, 31, 35}) {
    std::string bytes = sound;
    bytes[25 - static_cast<size_t>(bit / 8)] ^= static_cast<char>(1 << bit % 8);
    write_bytes(folder / "flipped.flac", bytes);
    CHECK_THAT(error_of([&] { read_audio_info(folder / "flipped.flac"); }),
               ContainsSubstring("samples, the file holds 9000"));
  }
  std::string start = sound.substr(0, 42);
  start[4] = static_cast<char>(0x80);  // STREAMINFO is the last block
  start.replace(21, 5, "\xff\xff\xff\xff\xff");
  write_bytes(folder / "start.flac", start);
  CHECK_THAT(error_of([&] { read_audio_info(folder / "start.flac"); }),
             ContainsSubstring("promises 68719476735 samples, the file holds 0"));
  // Ten minutes of digital silence.
  write_bytes(folder / "silence.raw", std::string(2 * 9'600'000, '\0'));
  run("flac --silent --force-raw-format --endian=little --sign=signed --bps=16 "
      "--sample-rate=16000 --channels=1 '" +
      (folder / "silence.raw").string() + "'");
  CHECK(read_audio_info(folder / "silence.flac").samples == 9'600'000);
}
