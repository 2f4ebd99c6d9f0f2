/// The includes between the rooms of a folder, for tests that know which of them may be.
#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

namespace flowqat::testing {

/// Room -> the rooms whose headers it may include, beside its own.
using Floors = std::map<std::string, std::set<std::string>>;

/// Each include below `folder` that leaves its room for one that `allowed` does not name, as
/// "file -> header"; and each file that lies in no room of `allowed`. Rooms are the folders that
/// `allowed` names, the longest match first, so "audio/flac" is a room of its own in "audio".
inline std::vector<std::string> wrong_includes(const std::filesystem::path& root,
                                               const std::string& folder, const Floors& allowed) {
  namespace fs = std::filesystem;
  const auto room_of = [&](const std::string& path) {
    std::string best;
    for (const auto& [room, unused] : allowed) {
      if (path.starts_with(folder + "/" + room + "/") && room.size() > best.size()) best = room;
    }
    return best;
  };
  const std::regex include(R"(#include\s*\"([^\"]+)\")");
  std::vector<std::string> wrong;
  for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
    if (entry.path().extension() != ".h" && entry.path().extension() != ".cpp") continue;
    const std::string file = fs::relative(entry.path(), root).generic_string();
    const std::string own = room_of(file);
    if (own.empty()) wrong.push_back(file + " lies in no room");
    std::ostringstream text;
    text << std::ifstream(entry.path()).rdbuf();
    const std::string source = text.str();
    for (std::sregex_iterator at(source.begin(), source.end(), include), end; at != end; ++at) {
      const std::string header = (*at)[1], room = room_of(header);
      if (own.empty() || room.empty() || room == own || allowed.at(own).contains(room)) continue;
      wrong.push_back(file + " -> " + header);
    }
  }
  return wrong;
}

}  // namespace flowqat::testing
