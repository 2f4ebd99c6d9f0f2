#include "io/files/companion.h"

#include <algorithm>
#include <array>

namespace flowqat::io {
namespace {

constexpr std::array<std::string_view, 8> companions{
    "__MACOSX",  "@eaDir",      "#recycle",   "$RECYCLE.BIN", "System Volume Information",
    "Thumbs.db", "ehthumbs.db", "desktop.ini"};

}  // namespace

bool is_companion(std::string_view name) {
  if (name == "." || name == "..") return false;
  return name.starts_with('.') || std::ranges::find(companions, name) != companions.end();
}

bool is_companion_below(const std::filesystem::path& root, const std::filesystem::path& path) {
  const std::filesystem::path way = path.lexically_relative(root);
  return std::any_of(way.begin(), way.end(),
                     [](const std::filesystem::path& name) { return is_companion(name.native()); });
}

}  // namespace flowqat::io
