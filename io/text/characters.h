/// What Unicode says of single characters, where the C library does not say it; by utf8proc.
#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace flowqat::io {

/// The characters that `c` stands for, an accented letter without its accents being one of them:
/// its compatibility decomposition (NFKD), "é" as "e" and U+0301, "ﬁ" as "f" and "i"; `c` itself
/// where it has none.
std::u32string decompose(char32_t c);

/// The one character that a letter and the mark behind it make together (NFC), if there is one.
std::optional<char32_t> compose(char32_t letter, char32_t mark);

/// Unicode's canonical forms: composed as far as can be (NFC), and decomposed (NFD); marks that are
/// written in another order than Unicode's come into that first.
std::u32string nfc(std::u32string_view text);
std::u32string nfd(std::u32string_view text);
/// Whether `c` belongs to the character before it: a mark, or a vowel or final of Hangul.
bool joins_before(char32_t c);

bool is_letter(char32_t c);
/// Of Unicode's categories P*.
bool is_punctuation(char32_t c);
/// Of Unicode's categories S*: signs of currency and mathematics, arrows, pictures.
bool is_symbol(char32_t c);
/// A mark that is put on letters of any script (U+0300 to U+036F and the like), other than the
/// vowel signs and tones that belong to one script.
bool is_accent(char32_t c);
/// Neither seen nor heard: control and format characters, and selectors of a variant.
bool is_invisible(char32_t c);

/// `c` for messages: "7", "é (U+00E9)", or "U+200B" for what would not be seen.
std::string character_name(char32_t c);
/// The same of a UTF-8 text of one character; of one of several, as a phoneme may be, in quotes.
std::string character_name(const std::string& character);

}  // namespace flowqat::io
