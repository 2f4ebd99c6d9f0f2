/// Tags in brackets that transcripts hold beside words: [LAUGHTER], <COMMA>, {noise}.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace flowqat::io {

/// The length of the tag that `text` begins with, brackets included; 0: none. A tag is what stands
/// between [ ], { } or < >, of at most 50 characters with a letter among them and no bracket; in
/// < > a letter or "/" must come first, so that signs of comparison are none.
size_t tag_at(std::u32string_view text);

}  // namespace flowqat::io
