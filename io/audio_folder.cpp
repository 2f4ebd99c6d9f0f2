#include "io/audio_folder.h"

#include <algorithm>
#include <atomic>
#include <thread>

#include "io/error.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// ASCII alone: the endings of audio files are.
std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

}  // namespace

const std::vector<std::string>& audio_extensions() {
  static const std::vector<std::string> extensions{"flac", "wav", "mp3", "ogg", "opus", "m4a"};
  return extensions;
}

std::vector<fs::path> audio_files_below(const fs::path& folder,
                                        const std::vector<std::string>& extensions) {
  std::error_code code;
  if (!fs::is_directory(folder, code)) {
    throw Error(folder, "expected a folder with audio files, found " +
                            std::string(fs::exists(folder, code) ? "a file" : "nothing"));
  }
  std::vector<std::string> endings;
  std::string listed;
  for (const std::string& extension : extensions) {
    endings.push_back(lower(extension.starts_with('.') ? extension : "." + extension));
    listed += (listed.empty() ? "*" : ", *") + endings.back();
  }
  std::vector<fs::path> files;
  fs::recursive_directory_iterator next(folder, code);
  for (; !code && next != fs::recursive_directory_iterator(); next.increment(code)) {
    const std::string ending = lower(next->path().extension().string());
    std::error_code ignored;  // a link to nowhere is listed, and found broken when it is read
    if (std::count(endings.begin(), endings.end(), ending) > 0 && !next->is_directory(ignored)) {
      files.push_back(next->path());
    }
  }
  if (code) throw Error(folder, "cannot be listed: " + code.message());
  if (files.empty()) {
    throw Error(folder, "no audio found in it or below it: expected files named " + listed);
  }
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<AudioHeader> read_audio_headers(const std::vector<fs::path>& paths, int threads) {
  std::vector<AudioHeader> headers(paths.size());
  std::atomic<size_t> next{0};
  const auto work = [&] {
    for (size_t i; (i = next++) < paths.size();) {
      try {
        headers[i].audio = read_audio_info(paths[i]);
      } catch (const std::exception& error) {
        headers[i].broken = error.what();
      }
    }
  };
  const int cores = static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
  std::vector<std::jthread> workers;
  for (int i = 1; i < (threads > 0 ? threads : cores); ++i) workers.emplace_back(work);
  work();
  workers.clear();
  return headers;
}

}  // namespace flowqat::io
