#include "io/corpus/index_cache.h"

#include <sys/stat.h>
#include <xxhash.h>

#include <cstdlib>
#include <ctime>
#include <optional>

#include "base/utterance_table_builder.h"
#include "io/files/atomic_file.h"
#include "io/files/byte_buffer.h"
#include "io/files/mapped_file.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// To be raised whenever an entry or what a scan finds changes.
constexpr std::string_view format_version = "flowqat index 6";
constexpr size_t table_alignment = 64;
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

Utterance to_utterance(CorpusEntry&& entry) {
  return {.id = std::move(entry.id),
          .path = entry.place.path.native(),
          .first_byte = entry.place.first_byte,
          .bytes = entry.place.bytes,
          .first_sample = entry.place.first_sample,
          .transcript = std::move(entry.transcript),
          .speaker = std::move(entry.speaker),
          .group = std::move(entry.group),
          .broken = std::move(entry.broken),
          .samples = entry.audio.samples,
          .rate_hz = entry.audio.rate_hz,
          .channels = entry.audio.channels,
          .channel = entry.place.channel};
}

CorpusEntry to_entry(Utterance&& utterance) {
  CorpusEntry entry;
  entry.id = std::move(utterance.id);
  entry.place.path = std::move(utterance.path);
  entry.place.first_byte = utterance.first_byte;
  entry.place.bytes = utterance.bytes;
  entry.place.first_sample = utterance.first_sample;
  entry.place.channel = utterance.channel;
  entry.audio = {utterance.samples, utterance.rate_hz, utterance.channels};
  entry.transcript = std::move(utterance.transcript);
  entry.speaker = std::move(utterance.speaker);
  entry.group = std::move(utterance.group);
  entry.broken = std::move(utterance.broken);
  return entry;
}

using Table = std::shared_ptr<const UtteranceTable>;

/// The cache in `file`, if it still holds; null: it does not.
Table read_cache(const fs::path& file, const std::string& identity) try {
  const MappedFile mapped = map_file(file);
  const std::string_view bytes(reinterpret_cast<const char*>(mapped.bytes.data()),
                               mapped.bytes.size());
  ByteReader in(bytes);
  if (in.text() != format_version || in.text() != identity) return nullptr;
  for (auto left = in.number<uint64_t>(); left > 0; --left) {
    const fs::path watched = in.text();
    if (changed_ns(watched) != in.number<int64_t>()) return nullptr;
  }
  const size_t head = bytes.size() - in.rest().size();
  const size_t table_at = (head + table_alignment - 1) / table_alignment * table_alignment;
  if (table_at > bytes.size()) return nullptr;
  return std::make_shared<UtteranceTable>(
      UtteranceTable::Place{.bytes = mapped.bytes.subspan(table_at),
                            .owner = mapped.owner,
                            .name = file.string(),
                            .give_back = give_pages_back});
} catch (const std::exception&) {
  return nullptr;  // missing, cut off or unreadable: to be made anew
}

/// The watched files and folders with their times; none where the index cannot be kept.
std::optional<std::string> head_of(const std::string& identity,
                                   const std::vector<fs::path>& watched, int64_t scan_began_ns) {
  ByteWriter head;
  head.add(format_version);
  head.add(identity);
  head.add(static_cast<uint64_t>(watched.size()));
  for (const fs::path& path : watched) {
    const auto changed = changed_ns(path);
    if (!changed || *changed > scan_began_ns - second_ns) return std::nullopt;
    head.add(path.native());
    head.add(*changed);
  }
  std::string bytes = head.bytes();
  bytes.resize((bytes.size() + table_alignment - 1) / table_alignment * table_alignment);
  return bytes;
}

void write_cache(const fs::path& file, const std::string& head,
                 const UtteranceTableBuilder& utterances) {
  fs::create_directories(file.parent_path());
  write_file_atomically(file, [&](FileSink& sink) {
    sink.write(std::string_view(head));
    utterances.write([&sink](std::string_view piece) { sink.write(piece); });
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

Table cached_utterances(const fs::path& folder, const std::string& identity,
                        const std::function<Corpus()>& scan) {
  char name[17];
  std::snprintf(name, sizeof name, "%016llx",
                static_cast<unsigned long long>(XXH3_64bits(identity.data(), identity.size())));
  const fs::path file = folder / name;
  if (!folder.empty()) {
    if (Table cached = read_cache(file, identity)) return cached;
  }
  const int64_t began_ns = now_ns();
  UtteranceTableBuilder utterances;
  std::optional<std::string> head;
  {
    Corpus corpus = scan();
    if (!folder.empty()) head = head_of(identity, corpus.watched, began_ns);
    for (CorpusEntry& entry : corpus.entries) utterances.add(to_utterance(std::move(entry)));
  }
  if (head) {
    try {
      write_cache(file, *head, utterances);
      if (Table cached = read_cache(file, identity)) return cached;
    } catch (const std::exception&) {
      // A full or read-only disk costs the next run some time, and this one memory.
    }
  }
  return std::move(utterances).table();
}

std::vector<CorpusEntry> cached_entries(const fs::path& folder, const std::string& identity,
                                        const std::function<Corpus()>& scan) {
  const Table table = cached_utterances(folder, identity, scan);
  std::vector<CorpusEntry> entries;
  entries.reserve(table->size());
  for (size_t i = 0; i < table->size(); ++i) entries.push_back(to_entry((*table)[i]));
  return entries;
}

}  // namespace flowqat::io
