/// What this room's tests share: temporary folders, test audio made by other programs, and the real
/// recordings that are there only where FLOWQAT_TEST_DATA says so.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tests/temporary_folder.h"

namespace flowqat::io::test {

/// A fresh folder, removed with everything in it at the end of the test.
struct TemporaryFolder : testing::TemporaryFolder {
  std::filesystem::path operator/(const std::string& name) const { return path() / name; }
};

/// Whether `program` can be run; prints that the test is skipped if not.
bool have(const std::string& program);
/// Runs a shell command and requires that it succeeds; returns what it printed on stdout.
std::string run(const std::string& command);

/// $FLOWQAT_TEST_DATA/NAME; empty, with a printed reason, where it is not there.
std::filesystem::path test_data(const std::string& name);

std::string read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, const std::string& bytes);

/// A deterministic signal: two tones under noise, 16 bits, `channels` interleaved.
std::vector<int16_t> test_signal(int64_t samples, int channels);
/// 16-bit PCM in a RIFF/WAVE file.
std::string wav_bytes(const std::vector<int16_t>& interleaved, int rate_hz, int channels);

/// The test signal at 16 kHz, as the flac tool packs it.
std::filesystem::path make_flac(const TemporaryFolder& folder, int64_t samples, int channels);
/// read_audio_info and decode_audio in one.
std::vector<float> decode(const std::filesystem::path& path);

/// The text of the io::Error that `action` throws; fails the test if it throws none.
template <typename Action>
std::string error_of(Action&& action);

}  // namespace flowqat::io::test

#include "io/files/error.h"
#include "tests/catch.h"

template <typename Action>
std::string flowqat::io::test::error_of(Action&& action) {
  try {
    action();
  } catch (const flowqat::io::Error& error) {
    return error.what();
  }
  FAIL("expected an io::Error, none was thrown");
  return "";
}
