#include "base/foreign.h"

#include <algorithm>
#include <array>

namespace flowqat {

std::string foreign_content(std::string_view head) {
  if (head.starts_with("version https://git-lfs.github.com/spec/")) {
    return "it is a Git LFS pointer, which only stands for the file; \"git lfs pull\" in its "
           "folder "
           "fetches the file itself";
  }
  if (head.starts_with("\xef\xbb\xbf")) head.remove_prefix(3);
  head.remove_prefix(std::min(head.find_first_not_of(" \t\r\n"), head.size()));
  std::string begin(head.substr(0, 16));
  for (char& c : begin) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  constexpr std::array<std::string_view, 5> marks{"<!doctype html", "<html", "<head", "<body",
                                                  "<?xml"};
  if (std::ranges::none_of(marks, [&](std::string_view mark) { return begin.starts_with(mark); })) {
    return "";
  }
  return "it is a web page or a server's message, saved under this name; fetch it again, from an "
         "address that gives the file itself (on the Hub .../resolve/..., not .../blob/...)";
}

}  // namespace flowqat
