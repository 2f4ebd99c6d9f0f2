#include "tests/io/support.h"

#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>
#include <span>

#include "io/audio/audio_file.h"
#include "tests/catch.h"
#include "tests/skip.h"

namespace flowqat::io::test {

namespace fs = std::filesystem;

bool have(const std::string& program) {
  if (std::system(("command -v '" + program + "' >/dev/null 2>&1").c_str()) == 0) return true;
  flowqat::testing::skip(program + " is not installed");
  return false;
}

std::string run(const std::string& command) {
  INFO(command);
  std::FILE* pipe = ::popen(command.c_str(), "r");
  REQUIRE(pipe != nullptr);
  std::string output;
  char block[65536];
  while (const size_t count = std::fread(block, 1, sizeof block, pipe)) output.append(block, count);
  REQUIRE(::pclose(pipe) == 0);
  return output;
}

fs::path test_data(const std::string& name) {
  const char* root = std::getenv("FLOWQAT_TEST_DATA");
  if (root == nullptr) {
    flowqat::testing::skip("no FLOWQAT_TEST_DATA");
    return {};
  }
  const fs::path path = fs::path(root) / name;
  if (fs::exists(path)) return path;
  flowqat::testing::skip(name + " is not in FLOWQAT_TEST_DATA");
  return {};
}

std::string read_bytes(const fs::path& path) {
  std::ifstream stream(path, std::ios::binary);
  REQUIRE(stream);
  return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const fs::path& path, const std::string& bytes) {
  std::error_code ignored;
  fs::remove(path, ignored);  // some file systems sync a file that is truncated and rewritten
  std::ofstream stream(path, std::ios::binary);
  stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  stream.close();
  REQUIRE(stream);
}

std::vector<int16_t> test_signal(int64_t samples, int channels) {
  std::mt19937 noise(1);
  std::vector<int16_t> out;
  for (int64_t i = 0; i < samples; ++i) {
    for (int c = 0; c < channels; ++c) {
      const double t = static_cast<double>(i) / 16000;
      const double tones = std::sin(2 * M_PI * 440 * t) + std::sin(2 * M_PI * (1000 + 300 * c) * t);
      out.push_back(static_cast<int16_t>(tones * 9000 + static_cast<int>(noise() % 2001) - 1000));
    }
  }
  return out;
}

std::string wav_bytes(const std::vector<int16_t>& interleaved, int rate_hz, int channels) {
  std::string out;
  const auto number = [&out](uint32_t value, int bytes) {
    for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
  };
  const auto data_bytes = static_cast<uint32_t>(interleaved.size() * 2);
  out += "RIFF";
  number(36 + data_bytes, 4);
  out += "WAVEfmt ";
  number(16, 4);
  number(1, 2);
  number(static_cast<uint32_t>(channels), 2);
  number(static_cast<uint32_t>(rate_hz), 4);
  number(static_cast<uint32_t>(rate_hz * channels * 2), 4);
  number(static_cast<uint32_t>(channels * 2), 2);
  number(16, 2);
  out += "data";
  number(data_bytes, 4);
  for (const int16_t sample : interleaved) number(static_cast<uint16_t>(sample), 2);
  return out;
}

std::filesystem::path make_flac(const TemporaryFolder& folder, int64_t samples, int channels) {
  const auto signal = test_signal(samples, channels);
  const auto bytes = std::as_bytes(std::span(signal));
  write_bytes(folder / "made.raw", {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  run("flac --silent --force-raw-format --endian=little --sign=signed --bps=16 "
      "--sample-rate=16000 --channels=" +
      std::to_string(channels) + " " + (folder / "made.raw").string());
  return folder / "made.flac";
}

std::vector<float> decode(const std::filesystem::path& path) {
  const AudioInfo info = read_audio_info(path);
  std::vector<float> mono(static_cast<size_t>(info.samples));
  decode_audio(path, info, mono);
  return mono;
}

}  // namespace flowqat::io::test
