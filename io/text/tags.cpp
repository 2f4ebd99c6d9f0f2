#include "io/text/tags.h"

#include <algorithm>

#include "io/text/characters.h"

namespace flowqat::io {

size_t tag_at(std::u32string_view text) {
  constexpr size_t longest = 50;
  constexpr std::u32string_view opening = U"[{<", closing = U"]}>", all = U"[]{}<>";
  const size_t kind = text.empty() ? opening.npos : opening.find(text.front());
  if (kind == opening.npos) return 0;
  const size_t end = text.find_first_of(all, 1);
  if (end == text.npos || text[end] != closing[kind] || end - 1 > longest) return 0;
  const std::u32string_view inside = text.substr(1, end - 1);
  if (std::ranges::none_of(inside, is_letter)) return 0;
  if (text.front() == U'<' && !is_letter(inside.front()) && inside.front() != U'/') return 0;
  return end + 1;
}

}  // namespace flowqat::io
