#include "io/corpus.h"

#include <algorithm>
#include <atomic>
#include <thread>

namespace flowqat::io {

void read_headers(std::vector<CorpusEntry>& entries, int threads) {
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++) < entries.size();) {
      CorpusEntry& entry = entries[i];
      if (!entry.broken.empty() || entry.audio.rate_hz != 0) continue;
      try {
        entry.audio = read_audio_info(entry.place);
      } catch (const std::exception& error) {
        entry.broken = error.what();
      }
    }
  };
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::jthread> workers;
  for (int i = 1; i < (threads > 0 ? threads : cores); ++i) workers.emplace_back(work);
  work();
}

}  // namespace flowqat::io
