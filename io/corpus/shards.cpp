#include "io/corpus/shards.h"

#include <algorithm>
#include <iterator>
#include <nlohmann/json.hpp>
#include <sstream>

#include "base/json_text.h"
#include "io/corpus/audio_folder.h"
#include "io/corpus/shard_paths.h"
#include "io/corpus/shard_samples.h"
#include "io/files/error.h"
#include "io/files/parallel.h"
#include "io/files/printable.h"
#include "io/files/tar_file.h"
#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

namespace fs = std::filesystem;

/// No transcript is as long, and a hostile shard is not to fill the memory.
constexpr int64_t most_text_bytes = int64_t{16} << 20;

[[noreturn]] void fail(const TarFile& shard, const TarMember& member, const std::string& what) {
  throw Error(shard.path(), "member \"" + member.name + "\" " + what);
}

/// The one member of `members`; null if there is none.
const TarMember* only(const TarFile& shard, const std::vector<TarMember>& members) {
  if (members.empty()) return nullptr;
  if (members.size() > 1) {
    fail(shard, members[1],
         "is one too many beside \"" + members[0].name +
             "\": an utterance has one audio, and one text of a kind");
  }
  if (!members[0].unusable.empty()) fail(shard, members[0], members[0].unusable);
  return &members[0];
}

std::string read_text(const TarFile& shard, const TarMember& member) {
  if (member.bytes > most_text_bytes) {
    fail(shard, member,
         "has " + std::to_string(member.bytes) + " bytes, too many for a transcript");
  }
  std::string text = shard.read(member);
  if (text.starts_with("\xEF\xBB\xBF")) text.erase(0, 3);  // a byte order mark
  try {
    from_utf8(text);
  } catch (const Error& error) {
    fail(shard, member, std::string("is no transcript: ") + error.what());
  }
  return text;
}

std::string one_line(const std::string& text) {
  std::istringstream words(text);
  std::string line;
  for (std::string word; words >> word;) line += (line.empty() ? "" : " ") + word;
  return line;
}

/// Fills transcript and speaker from a member like {"text": "SO IT GOES", "speaker": 1089}.
void read_json_text(const TarFile& shard, const TarMember& member, CorpusEntry& entry) {
  using nlohmann::json;
  json object;
  try {
    object = parse_json<json>(read_text(shard, member));
  } catch (const JsonError& error) {
    fail(shard, member, std::string("is not JSON at ") + error.what());
  }
  if (!object.is_object()) {
    fail(shard, member, std::string("is no JSON object but ") + object.type_name());
  }
  const auto value = [&](const char* key, bool integers) -> std::string {
    const auto found = object.find(key);
    if (found == object.end() || found->is_null()) return "";
    if (integers && found->is_number_integer()) return found->dump();
    // Its type alone: a value may be nested deeper than anything could be printed.
    if (!found->is_string()) {
      fail(
          shard, member,
          std::string("has \"") + key + "\" of type " + found->type_name() + ", expected a string");
    }
    return found->get<std::string>();
  };
  if (entry.transcript.empty()) entry.transcript = one_line(value("text", false));
  entry.speaker = value("speaker", true);
}

void fill_entry(const TarFile& shard, const ShardSample& sample, CorpusEntry& entry) {
  const TarMember* text = nullptr;
  for (const auto& texts : sample.texts) {
    const TarMember* one = only(shard, texts);
    if (!text) text = one;
  }
  if (text) entry.transcript = one_line(read_text(shard, *text));
  if (const TarMember* json = only(shard, sample.json)) read_json_text(shard, *json, entry);
  if (const TarMember* audio = only(shard, sample.audio)) {
    // A place of no bytes would be the shard itself.
    if (audio->bytes == 0) fail(shard, *audio, "is empty");
    entry.place.first_byte = audio->first_byte;
    entry.place.bytes = audio->bytes;
  } else if (text || !entry.transcript.empty()) {
    fail(shard, text ? *text : sample.json.front(),
         "is a transcript without audio: expected \"" + sample.key + "." +
             audio_extensions().front() + "\" or another format beside it");
  }
}

std::vector<CorpusEntry> entries_of(const fs::path& path, const std::string& group) {
  TarFile shard(path);
  std::vector<CorpusEntry> entries;
  for (const ShardSample& sample : shard_samples(shard)) {
    CorpusEntry entry;
    entry.id = group + "/" + sample.key;
    entry.place = path;
    entry.group = group;
    try {
      fill_entry(shard, sample, entry);
    } catch (const Error& error) {
      entry.broken = error.what();
    }
    // JSON beside nothing, without a text, is about something else.
    if (entry.place.bytes > 0 || !entry.broken.empty()) entries.push_back(std::move(entry));
  }
  return entries;
}

/// The shards' paths from the deepest folder that holds them all.
std::vector<std::string> short_names(const std::vector<fs::path>& shards) {
  std::vector<fs::path> whole;
  for (const fs::path& shard : shards) whole.push_back(fs::absolute(shard).lexically_normal());
  fs::path common = whole.front().parent_path();
  for (const fs::path& path : whole) {
    while (std::mismatch(common.begin(), common.end(), path.begin(), path.end()).first !=
           common.end()) {
      common = common.parent_path();
    }
  }
  std::vector<std::string> names;
  for (const fs::path& path : whole) names.push_back(path.lexically_relative(common).string());
  return names;
}

/// Audio without a transcript is sound only where nothing has one.
void mark_untranscribed(std::vector<CorpusEntry>& entries) {
  const auto transcribed = [](const CorpusEntry& entry) { return !entry.transcript.empty(); };
  if (std::none_of(entries.begin(), entries.end(), transcribed)) return;
  for (CorpusEntry& entry : entries) {
    if (transcribed(entry) || !entry.broken.empty()) continue;
    const std::string key = entry.id.substr(entry.group.size() + 1);
    entry.broken = entry.place.path.string() + ": \"" + key +
                   "\" has no transcript, others have: expected text in \"" + key + ".txt\"";
    for (const std::string_view other : {shard_text_endings[1], shard_text_endings[2]}) {
      entry.broken += ", ." + std::string(other);
    }
    entry.broken += " or as \"text\" in .json";
  }
}

}  // namespace

Corpus scan_shards(const std::vector<std::string>& paths, const Scanning& scanning) {
  const ShardPaths shards = find_shards(paths);
  if (shards.files.empty()) throw Error("no shard is named");
  const std::vector<std::string> names = short_names(shards.files);
  std::vector<std::vector<CorpusEntry>> parts(shards.files.size());
  parallel_for(parts.size(), scanning.threads,
               [&](size_t i) { parts[i] = entries_of(shards.files[i], names[i]); });

  Corpus corpus;
  corpus.watched = shards.folders;
  corpus.watched.insert(corpus.watched.end(), shards.files.begin(), shards.files.end());
  for (auto& part : parts) {
    std::move(part.begin(), part.end(), std::back_inserter(corpus.entries));
  }
  if (corpus.entries.empty()) {
    std::string known;
    for (const std::string& extension : audio_extensions()) {
      known += (known.empty() ? "*." : ", *.") + extension;
    }
    throw Error(shards.files.front(), "no utterance found in it or any other shard: expected " +
                                          std::string("members named ") + known);
  }
  mark_untranscribed(corpus.entries);
  read_headers(corpus.entries, scanning);
  return corpus;
}

std::string describe_json_keys(const std::vector<std::string>& paths) {
  for (const fs::path& path : find_shards(paths).files) {
    TarFile shard(path);
    for (const ShardSample& sample : shard_samples(shard)) {
      if (sample.json.empty() || !sample.json.front().unusable.empty()) continue;
      const TarMember& member = sample.json.front();
      if (member.bytes > most_text_bytes) continue;
      nlohmann::json object;
      try {
        object = parse_json<nlohmann::json>(shard.read(member));
      } catch (const JsonError&) {
        continue;
      }
      if (!object.is_object()) continue;
      std::string keys;
      for (const auto& [key, value] : object.items()) keys += (keys.empty() ? "" : ", ") + key;
      return excerpt(member.name) + " has the keys " + excerpt(keys, 400);
    }
  }
  return "there is no .json";
}

}  // namespace flowqat::io
