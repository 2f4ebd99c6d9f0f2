#include "io/text/tokenizer.h"

#include <algorithm>

#include "io/files/error.h"
#include "io/text/unicode.h"

namespace flowqat::io {
namespace {

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
    text.replace(at, from.size(), to);
  }
}

/// The replacements of transformers' clean_up_tokenization, in its order.
void clean_up_spaces(std::string& text) {
  for (const std::string_view spaced : {" .", " ?", " !", " ,"}) {
    replace_all(text, spaced, spaced.substr(1));
  }
  replace_all(text, " ' ", "'");
  for (const std::string_view spaced : {" n't", " 'm", " 's", " 've", " 're"}) {
    replace_all(text, spaced, spaced.substr(1));
  }
}

/// What stands between spaces, without the white space around the whole.
std::vector<std::u32string_view> phonemes_of(std::u32string_view text) {
  text = strip_right(strip_left(text));
  std::vector<std::u32string_view> phonemes;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(U' ', begin), text.size());
    const std::u32string_view phoneme = text.substr(begin, end - begin);
    if (!strip_left(phoneme).empty()) phonemes.push_back(phoneme);
    begin = end + 1;
  }
  return phonemes;
}

}  // namespace

void Tokenizer::finish(const std::filesystem::path& origin) {
  auto next = static_cast<int64_t>(vocabulary_.size());
  for (const auto& [text, whole] : added_) next += vocabulary_.contains(text) ? 0 : 1;
  // Delimiters of phonemes are no tokens of their own.
  const bool is_phonemes = kind_ == TokenizerKind::phonemes;
  for (const auto& special :
       {begin_, end_, unknown_, pad_, is_phonemes ? std::string() : delimiter_}) {
    if (special.empty() || vocabulary_.contains(special) || added_.contains(special)) continue;
    add_token(special, next++, false, false, origin);
  }

  const auto put = [&](const std::string& text, int32_t id) {
    if (id >= size()) tokens_.resize(static_cast<size_t>(id) + 1);
    std::string& place = tokens_[static_cast<size_t>(id)];
    if (!place.empty() && place != text) {
      throw Error(origin, "tokens \"" + place + "\" and \"" + text + "\" share id " +
                              std::to_string(id) + "; every token needs one of its own");
    }
    place = text;
    ids_[text] = id;
  };
  for (const auto& [text, id] : vocabulary_) put(text, id);
  for (const auto& [text, whole] : added_) {
    if (!vocabulary_.contains(text)) put(text, whole.id);
  }
  find_whole_tokens();
  blank_id_ = ids_.at(pad_);
  unknown_id_ = ids_.at(unknown_);
}

void Tokenizer::find_whole_tokens() {
  if (kind_ == TokenizerKind::phonemes) {
    // Of the vocabulary only the special ones: the others end at spaces.
    for (const auto& special : {begin_, end_, unknown_, pad_}) {
      if (special.empty() || added_.contains(special)) continue;
      wholes_.push_back({from_utf8(special), ids_.at(special), false, false});
    }
  } else {
    for (const auto& [text, id] : vocabulary_) {
      // As transformers does, so that a special token is not spelled out in its characters.
      const std::u32string wide = from_utf8(text);
      if (wide.size() > 1) wholes_.push_back({wide, id, true, true});
    }
  }
  for (const auto& [text, whole] : added_) {
    if (kind_ == TokenizerKind::phonemes || !vocabulary_.contains(text)) wholes_.push_back(whole);
  }
  std::stable_sort(wholes_.begin(), wholes_.end(),
                   [](const Whole& a, const Whole& b) { return a.text.size() > b.text.size(); });
}

const Tokenizer::Whole* Tokenizer::whole_at(std::u32string_view text) const {
  for (const Whole& whole : wholes_) {
    if (text.starts_with(whole.text)) return &whole;
  }
  return nullptr;
}

std::vector<Tokenizer::Piece> Tokenizer::split(std::u32string_view text) const {
  std::vector<Piece> pieces;
  size_t begin = 0;
  for (size_t at = 0; at < text.size();) {
    const Whole* whole = whole_at(text.substr(at));
    if (whole == nullptr) {
      ++at;
      continue;
    }
    if (at > begin) pieces.push_back({text.substr(begin, at - begin), nullptr});
    pieces.push_back({text.substr(at, whole->text.size()), whole});
    at += whole->text.size();
    begin = at;
  }
  if (begin < text.size()) pieces.push_back({text.substr(begin), nullptr});
  for (size_t i = 0; i < pieces.size(); ++i) {
    const Whole* whole = pieces[i].whole;
    if (whole == nullptr) continue;
    if (whole->strip_right && i + 1 < pieces.size()) {
      pieces[i + 1].text = strip_left(pieces[i + 1].text);
    }
    if (whole->strip_left && i > 0) pieces[i - 1].text = strip_right(pieces[i - 1].text);
  }
  return pieces;
}

bool Tokenizer::has(char32_t c) const {
  if (c == U' ') return true;
  const auto is_text = [&](char32_t written) {
    const std::string token = to_utf8({&written, 1});
    return ids_.contains(token) && token != pad_ && token != unknown_ && token != begin_ &&
           token != end_;
  };
  return lower_case_ ? std::ranges::all_of(upper_case({&c, 1}), is_text) : is_text(c);
}

size_t Tokenizer::whole_token_at(std::u32string_view text) const {
  const Whole* whole = whole_at(text);
  return whole == nullptr ? 0 : whole->text.size();
}

std::vector<int32_t> Tokenizer::encode(const std::string& text, CharacterCounts* unknown) const {
  std::vector<int32_t> ids;
  const auto add = [&](const std::string& token) {
    const auto found = ids_.find(token);
    if (found == ids_.end() && unknown != nullptr) ++(*unknown)[token];
    ids.push_back(found == ids_.end() ? unknown_id_ : found->second);
  };
  const std::u32string wide = from_utf8(text);
  const std::u32string delimiter = from_utf8(delimiter_);
  for (const Piece& piece : split(wide)) {
    if (piece.whole != nullptr) {
      ids.push_back(piece.whole->id);
      continue;
    }
    if (kind_ == TokenizerKind::phonemes) {
      for (const std::u32string_view phoneme : phonemes_of(piece.text)) add(to_utf8(phoneme));
      continue;
    }
    const auto characters = lower_case_ ? upper_case(piece.text) : std::u32string(piece.text);
    for (const char32_t c : characters) {
      if (c == U' ') {
        for (const char32_t d : delimiter) add(to_utf8({&d, 1}));
      } else {
        add(to_utf8({&c, 1}));
      }
    }
  }
  return ids;
}

const std::string& Tokenizer::token_of(int32_t id) const {
  if (id < 0 || id >= size() || tokens_[static_cast<size_t>(id)].empty()) return unknown_;
  return tokens_[static_cast<size_t>(id)];
}

DecodedText Tokenizer::decode_phonemes(std::span<const int32_t> frames) const {
  DecodedText result;
  std::string text;
  for (size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const std::string& token = token_of(frames[begin]);
    while (end < frames.size() && token_of(frames[end]) == token) ++end;
    if (token == pad_ || token == delimiter_) continue;
    text += (result.words.empty() ? "" : " ") + token;
    result.words.push_back({token, static_cast<int64_t>(begin), static_cast<int64_t>(end)});
  }
  const std::u32string wide = from_utf8(text);
  result.text = to_utf8(strip_right(strip_left(wide)));
  if (clean_up_) clean_up_spaces(result.text);
  return result;
}

DecodedText Tokenizer::decode_words(std::span<const int32_t> frames) const {
  if (kind_ == TokenizerKind::phonemes) return decode_phonemes(frames);
  DecodedText result;
  bool in_word = false;
  for (size_t begin = 0, end = 0; begin < frames.size(); begin = end) {
    const std::string& token = token_of(frames[begin]);
    while (end < frames.size() && token_of(frames[end]) == token) ++end;
    if (token == pad_) continue;
    const std::string& text = token == delimiter_ ? delimiter_text_ : token;
    result.text += text;
    if (text == delimiter_text_) {
      in_word = false;
      continue;
    }
    if (!in_word) result.words.push_back({"", static_cast<int64_t>(begin), 0});
    in_word = true;
    result.words.back().text += text;
    result.words.back().end_frame = static_cast<int64_t>(end);
  }
  const std::u32string wide = from_utf8(result.text);
  const auto stripped = strip_right(strip_left(wide));
  result.text = to_utf8(lower_case_ ? lower_case(stripped) : std::u32string(stripped));
  if (clean_up_) clean_up_spaces(result.text);
  return result;
}

}  // namespace flowqat::io
