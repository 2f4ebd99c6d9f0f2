/// What the tests of manifests share.
#pragma once
#include <string>
#include <vector>

#include "io/corpus/manifest.h"
#include "tests/catch.h"
#include "tests/io/support.h"

namespace flowqat::io::test {

/// Writes the test signal, making the folders on the way.
inline std::filesystem::path write_wav(const std::filesystem::path& path, int64_t samples,
                                       int channels = 1, int rate_hz = 16000) {
  std::filesystem::create_directories(path.parent_path());
  write_bytes(path, wav_bytes(test_signal(samples, channels), rate_hz, channels));
  return path;
}

inline std::vector<CorpusEntry> entries_of(const std::filesystem::path& manifest,
                                           const ManifestOptions& options = {}) {
  return scan_manifest(manifest, options, 2).entries;
}

/// Writes `text` as a manifest and scans it.
inline std::vector<CorpusEntry> entries_of(const TemporaryFolder& folder, const std::string& text,
                                           const ManifestOptions& options = {}) {
  write_bytes(folder / "manifest", text);
  return entries_of(folder / "manifest", options);
}

inline std::string error_of_manifest(const TemporaryFolder& folder, const std::string& text,
                                     const ManifestOptions& options = {}) {
  return error_of([&] { entries_of(folder, text, options); });
}

/// Why `line` is broken, in a manifest in which those before and behind it are sound.
inline std::string broken_line(const TemporaryFolder& folder, const std::string& before,
                               const std::string& line, const std::string& behind = "",
                               const ManifestOptions& options = {}) {
  write_wav(folder / "a.wav", 16'000);
  const auto entries = entries_of(folder, before + line + "\n" + behind, options);
  size_t broken = entries.size();
  for (size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].broken.empty()) continue;
    CHECK(broken == entries.size());
    broken = i;
  }
  REQUIRE(broken < entries.size());
  CHECK(entries[broken].audio == AudioInfo{});
  return entries[broken].broken;
}

/// A lhotse cut of a.wav (16 kHz) as one line; `cut` and `recording` add keys to each: ", KEY:
/// VALUE".
inline std::string cut_line(const std::string& id, double start_s, double duration_s,
                            const std::string& cut = "", const std::string& recording = "") {
  return R"({"id": ")" + id + R"(", "start": )" + std::to_string(start_s) + R"(, "duration": )" +
         std::to_string(duration_s) +
         R"(, "channel": 0, "type": "MonoCut", "recording": {"id": "r", )"
         R"("sources": [{"type": "file", "channels": [0], "source": "a.wav"}], )"
         R"("sampling_rate": 16000)" +
         recording + "}" + cut + "}\n";
}

/// Whether an entry decodes to exactly these samples of the recording.
inline bool is_part(const CorpusEntry& entry, const std::vector<float>& recording, int64_t first,
                    int64_t samples) {
  if (!entry.broken.empty() || entry.audio.samples != samples) return false;
  std::vector<float> mono(static_cast<size_t>(samples));
  decode_audio(entry.place, entry.audio, mono);
  return std::equal(mono.begin(), mono.end(), recording.begin() + first,
                    recording.begin() + first + samples);
}

}  // namespace flowqat::io::test
