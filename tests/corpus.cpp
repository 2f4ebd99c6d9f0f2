#include "tests/corpus.h"

#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace flowqat::testing {
namespace fs = std::filesystem;
namespace {

template <class T>
void put(std::ofstream& file, T value) {
  file.write(reinterpret_cast<const char*>(&value), sizeof value);
}

void write_wav(const fs::path& path, const std::vector<int16_t>& samples, int rate_hz) {
  std::ofstream file(path, std::ios::binary);
  const auto bytes = static_cast<uint32_t>(samples.size() * sizeof(int16_t));
  file << "RIFF";
  put<uint32_t>(file, 36 + bytes);
  file << "WAVEfmt ";
  put<uint32_t>(file, 16);
  put<uint16_t>(file, 1);
  put<uint16_t>(file, 1);
  put<uint32_t>(file, static_cast<uint32_t>(rate_hz));
  put<uint32_t>(file, static_cast<uint32_t>(2 * rate_hz));
  put<uint16_t>(file, 2);
  put<uint16_t>(file, 16);
  file << "data";
  put<uint32_t>(file, bytes);
  file.write(reinterpret_cast<const char*>(samples.data()), bytes);
}

std::vector<int16_t> tone(uint32_t seed, double duration_s, int rate_hz) {
  std::vector<int16_t> samples(static_cast<size_t>(duration_s * rate_hz));
  uint32_t state = seed * 2654435761u + 1;
  for (size_t i = 0; i < samples.size(); ++i) {
    state = state * 1664525u + 1013904223u;
    const double noise = static_cast<double>(state >> 16) / 65536 - 0.5;
    const double t = static_cast<double>(i) / rate_hz;
    samples[i] = static_cast<int16_t>(
        6000 * std::sin(6.28318 * (150 + 40 * (seed % 7)) * t * (1 + t)) + 2000 * noise);
  }
  return samples;
}

}  // namespace

std::vector<fs::path> make_corpus(const fs::path& root, const CorpusShape& shape) {
  static const std::vector<std::string> kWords{"ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"};
  std::vector<fs::path> files;
  for (int speaker = 101; speaker < 101 + shape.speakers; ++speaker) {
    const fs::path folder = root / shape.split / std::to_string(speaker) / "1";
    fs::create_directories(folder);
    std::ofstream transcripts(folder / (std::to_string(speaker) + "-1.trans.txt"));
    for (int utterance = 0; utterance < shape.utterances; ++utterance) {
      const std::string id = std::to_string(speaker) + "-1-000" + std::to_string(utterance);
      transcripts << id << " " << kWords[static_cast<size_t>(utterance) % 6] << " "
                  << kWords[static_cast<size_t>(speaker + utterance) % 6] << "\n";
      write_wav(folder / (id + ".wav"),
                tone(static_cast<uint32_t>(speaker * 10 + utterance),
                     shape.shortest_s + 0.1 * utterance, shape.rate_hz),
                shape.rate_hz);
      files.push_back(folder / (id + ".flac"));
    }
    const std::string command = "flac --silent --delete-input-file '" + folder.string() + "'/*.wav";
    if (std::system(command.c_str()) != 0)
      throw std::runtime_error("the flac tool failed: " + command);
  }
  return files;
}

void damage(const fs::path& file) {
  std::fstream stream(file, std::ios::binary | std::ios::in | std::ios::out);
  stream.seekp(static_cast<std::streamoff>(fs::file_size(file) / 2));
  for (int i = 0; i < 64; ++i) stream.put('\x5a');
}

}  // namespace flowqat::testing
