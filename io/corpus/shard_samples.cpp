#include "io/corpus/shard_samples.h"

#include <algorithm>
#include <set>
#include <unordered_map>
#include <utility>

#include "io/corpus/audio_folder.h"
#include "io/files/companion.h"

namespace flowqat::io {
namespace {

constexpr size_t audio_role = 0, json_role = 1, first_text_role = 2;

/// A member by its name: `key` is that up to the first dot of the file's name, `stem` all of it but
/// the ending that says what the member is. They differ where a name has more dots.
struct Part {
  std::string key, stem;
  size_t role = 0;
  TarMember member;
};

std::vector<TarMember>& members_of(ShardSample& sample, size_t role) {
  if (role == audio_role) return sample.audio;
  if (role == json_role) return sample.json;
  return sample.texts[role - first_text_role];
}

/// The role of a file's name in lower case, and how long its ending is with the dot; 0 where it
/// says nothing.
std::pair<size_t, size_t> role_of(std::string_view file) {
  // LibriSpeech's list of a chapter's transcripts is of no utterance by its name.
  if (file.ends_with(".trans.txt")) return {};
  std::vector<std::pair<std::string_view, size_t>> endings{{"json", json_role}};
  for (size_t i = 0; i < shard_text_endings.size(); ++i) {
    endings.emplace_back(shard_text_endings[i], first_text_role + i);
  }
  for (const std::string& ending : audio_extensions()) endings.emplace_back(ending, audio_role);
  std::pair<size_t, size_t> found;
  for (const auto& [ending, role] : endings) {
    const size_t length = ending.size() + 1;
    const bool fits = file.size() > length && file.ends_with(ending) &&
                      file[file.size() - length] == '.' && length > found.second;
    if (fits) found = {role, length};  // "normalized.txt" before "txt"
  }
  return found;
}

/// Whether a member is none of the person's: WebDataset's own below folders like __meta__, and
/// companions.
bool is_passed_over(std::string_view name) {
  const std::string_view first = name.substr(0, name.find('/'));
  if (first.size() >= 4 && first.starts_with("__") && first.ends_with("__")) return true;
  while (true) {
    const size_t slash = name.find('/');
    if (is_companion(name.substr(0, slash))) return true;
    if (slash == std::string_view::npos) return false;
    name.remove_prefix(slash + 1);
  }
}

/// The members that say something of an utterance.
std::vector<Part> parts_of(TarFile& shard) {
  std::vector<Part> parts;
  while (auto member = shard.next()) {
    std::string_view name = member->name;
    while (name.starts_with("./")) name.remove_prefix(2);
    if (is_passed_over(name)) continue;
    const size_t file = name.rfind('/') + 1;  // npos + 1 is 0
    std::string lower(name.substr(file));
    for (char& c : lower) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const auto [role, ending] = role_of(lower);
    if (ending == 0) continue;
    Part& part = parts.emplace_back();
    part.key = name.substr(0, name.find('.', file));
    part.stem = name.substr(0, name.size() - ending);
    part.role = role;
    part.member = std::move(*member);
  }
  return parts;
}

}  // namespace

std::vector<ShardSample> shard_samples(TarFile& shard) {
  std::vector<Part> parts = parts_of(shard);
  std::unordered_map<std::string, std::set<std::string>> audio;  // stems by key
  std::set<std::pair<std::string, size_t>> owned;                // stem and role
  for (const Part& part : parts) {
    if (part.role == audio_role) audio[part.key].insert(part.stem);
    owned.emplace(part.stem, part.role);
  }
  std::vector<ShardSample> samples;
  std::unordered_map<std::string, size_t> places;
  for (Part& part : parts) {
    const std::set<std::string>& stems = audio[part.key];
    std::string stem = part.stem;
    if (!stems.contains(stem) && part.stem != part.key && stems.contains(part.key)) continue;
    if (!stems.contains(stem) && part.stem == part.key && stems.size() == 1) {
      stem = *stems.begin();
      if (owned.contains({stem, part.role})) continue;
    }
    const auto [place, added] = places.try_emplace(stem, samples.size());
    if (added) samples.emplace_back().key = stem;
    if (stem != part.stem) samples[place->second].key = part.key;
    members_of(samples[place->second], part.role).push_back(std::move(part.member));
  }
  return samples;
}

}  // namespace flowqat::io
