/// io's rooms on three floors: no include runs up, and a library stays in the room that is for it.
#include "tests/architecture/rooms.h"
#include "tests/catch.h"

using namespace flowqat::testing;

namespace {

const std::filesystem::path root = FLOWQAT_SOURCE_DIR;

const Floors floors{
    {"files", {}},
    {"audio/flac", {"files"}},
    {"audio/container", {"files"}},
    {"audio", {"audio/flac", "audio/container", "files"}},
    {"text", {"files"}},
    {"tensors", {"files"}},
    {"fetch", {"files"}},
    {"corpus", {"audio", "text", "files"}},
    {"resample", {"audio", "files"}},
};

/// Rooms with a file that includes a header whose name begins so.
std::set<std::string> rooms_with(const std::string& pattern) {
  const std::regex include("#include\\s*<" + pattern);
  std::set<std::string> found;
  for (const auto& [room, unused] : floors) {
    for (const auto& entry : std::filesystem::directory_iterator(root / "io" / room)) {
      if (!entry.is_regular_file()) continue;
      std::ostringstream text;
      text << std::ifstream(entry.path()).rdbuf();
      if (std::regex_search(text.str(), include)) found.insert(room);
    }
  }
  return found;
}

using Rooms = std::set<std::string>;

}  // namespace

TEST_CASE("io's rooms include only what lies below them") {
  CHECK(wrong_includes(root, "io", floors) == std::vector<std::string>{});
}

TEST_CASE("a wrong include and a file outside of every room are found") {
  const Floors strict{{"files", {}}, {"audio", {"files"}}, {"audio/flac", {}}};
  const auto wrong = wrong_includes(root, "io", strict);
  CHECK(std::count(wrong.begin(), wrong.end(), "io/audio/audio_file.cpp -> io/audio/flac/file.h") ==
        1);
  CHECK(std::count(wrong.begin(), wrong.end(), "io/text/unicode.cpp lies in no room") == 1);
}

TEST_CASE("io's libraries stay in the rooms that are for them") {
  CHECK(rooms_with("lib(av|sw)") == Rooms{"audio", "audio/flac", "resample"});
  CHECK(rooms_with("(samplerate|soxr)") == Rooms{"resample"});
  CHECK(rooms_with("archive") == Rooms{"fetch", "files"});
  CHECK(rooms_with("curl/") == Rooms{"fetch"});
  CHECK(rooms_with("utf8proc") == Rooms{"text"});
}
