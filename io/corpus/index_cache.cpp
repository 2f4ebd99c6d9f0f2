#include "io/corpus/index_cache.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <algorithm>
#include <cstdlib>
#include <ctime>
#include <optional>

#include "io/files/atomic_file.h"
#include "io/files/byte_buffer.h"
#include "io/files/error.h"
#include "io/files/mapped_file.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// To be raised whenever an entry or what a scan finds changes.
constexpr std::string_view format_version = "flowqat index 5";
/// Of an entry whose texts are all empty.
constexpr size_t least_entry_bytes = 64;
constexpr int64_t second_ns = 1'000'000'000;

int64_t in_ns(const timespec& time) { return time.tv_sec * second_ns + time.tv_nsec; }

/// When `path` last changed; none if it is not there. The time of change, unlike that of
/// modification, cannot be set back by a tool that restores files.
std::optional<int64_t> changed_ns(const fs::path& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0) return std::nullopt;
  return in_ns(status.st_ctim);
}

int64_t now_ns() {
  timespec time{};
  clock_gettime(CLOCK_REALTIME, &time);
  return in_ns(time);
}

void write_entry(ByteWriter& out, const CorpusEntry& entry) {
  out.add(entry.id);
  out.add(entry.place.path.native());
  out.add(entry.place.first_byte);
  out.add(entry.place.bytes);
  out.add(entry.place.first_sample.value_or(-1));
  out.add(static_cast<int32_t>(entry.place.channel.value_or(-1)));
  out.add(entry.audio.samples);
  out.add(static_cast<int32_t>(entry.audio.rate_hz));
  out.add(static_cast<int32_t>(entry.audio.channels));
  out.add(entry.transcript);
  out.add(entry.speaker);
  out.add(entry.group);
  out.add(entry.broken);
}

CorpusEntry read_entry(ByteReader& in) {
  CorpusEntry entry;
  entry.id = in.text();
  entry.place.path = in.text();
  entry.place.first_byte = in.number<int64_t>();
  entry.place.bytes = in.number<int64_t>();
  if (const auto first = in.number<int64_t>(); first >= 0) entry.place.first_sample = first;
  if (const auto channel = in.number<int32_t>(); channel >= 0) entry.place.channel = channel;
  entry.audio.samples = in.number<int64_t>();
  entry.audio.rate_hz = in.number<int32_t>();
  entry.audio.channels = in.number<int32_t>();
  entry.transcript = in.text();
  entry.speaker = in.text();
  entry.group = in.text();
  entry.broken = in.text();
  return entry;
}

std::optional<Corpus> read_cache(const fs::path& file, const std::string& identity) try {
  const MappedFile mapped = map_file(file);
  ByteReader in({reinterpret_cast<const char*>(mapped.bytes.data()), mapped.bytes.size()});
  if (in.text() != format_version || in.text() != identity) return std::nullopt;
  Corpus corpus;
  for (auto left = in.number<uint64_t>(); left > 0; --left) {
    corpus.watched.emplace_back(in.text());
    if (changed_ns(corpus.watched.back()) != in.number<int64_t>()) return std::nullopt;
  }
  const auto digest = in.number<uint64_t>();
  const auto count = in.number<uint64_t>();
  const std::string_view entries = in.rest();
  if (XXH3_64bits(entries.data(), entries.size()) != digest) return std::nullopt;
  corpus.entries.reserve(std::min<uint64_t>(count, entries.size() / least_entry_bytes));
  while (corpus.entries.size() < count) corpus.entries.push_back(read_entry(in));
  return corpus;
} catch (const std::exception&) {
  return std::nullopt;  // missing, cut off or unreadable: to be made anew
}

void write_cache(const fs::path& file, const std::string& identity, const Corpus& corpus,
                 int64_t scan_began_ns) {
  ByteWriter head, entries;
  head.add(format_version);
  head.add(identity);
  head.add(static_cast<uint64_t>(corpus.watched.size()));
  for (const fs::path& path : corpus.watched) {
    const auto changed = changed_ns(path);
    if (!changed || *changed > scan_began_ns - second_ns) return;
    head.add(path.native());
    head.add(*changed);
  }
  for (const CorpusEntry& entry : corpus.entries) write_entry(entries, entry);
  head.add(static_cast<uint64_t>(XXH3_64bits(entries.bytes().data(), entries.bytes().size())));
  head.add(static_cast<uint64_t>(corpus.entries.size()));
  fs::create_directories(file.parent_path());
  write_file_atomically(file, [&](FileSink& sink) {
    sink.write(head.bytes());
    sink.write(entries.bytes());
  });
}

}  // namespace

fs::path index_cache_folder() {
  const auto variable = [](const char* name) {
    const char* value = std::getenv(name);
    return fs::path(value ? value : "");
  };
  // Relative values are to be ignored, says the XDG Base Directory Specification.
  if (const fs::path cache = variable("XDG_CACHE_HOME"); cache.is_absolute()) {
    return cache / "flowqat" / "index";
  }
  if (const fs::path home = variable("HOME"); home.is_absolute()) {
    return home / ".cache" / "flowqat" / "index";
  }
  return {};
}

Corpus cached_corpus(const fs::path& folder, const std::string& identity,
                     const std::function<Corpus()>& scan) {
  if (folder.empty()) return scan();
  char name[17];
  std::snprintf(name, sizeof name, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(identity.data(), identity.size())));
  const fs::path file = folder / name;
  if (auto cached = read_cache(file, identity)) return std::move(*cached);
  const int64_t began_ns = now_ns();
  Corpus corpus = scan();
  try {
    write_cache(file, identity, corpus, began_ns);
  } catch (const std::exception&) {
    // A full or read-only disk costs the next run some time, and this one nothing.
  }
  return corpus;
}

}  // namespace flowqat::io
