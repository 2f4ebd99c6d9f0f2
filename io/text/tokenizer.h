/// The tokens of a CTC recogniser: text to token ids and back, as transformers'
/// Wav2Vec2CTCTokenizer and Wav2Vec2PhonemeCTCTokenizer do it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

namespace flowqat::io {

/// A word of a decoded text, and the frames from its first character's first to its last one's
/// last.
struct Word {
  std::string text;
  int64_t begin_frame = 0, end_frame = 0;  ///< the end is exclusive
  bool operator==(const Word&) const = default;
};

/// How often each character, as UTF-8, came up.
using CharacterCounts = std::map<std::string, int64_t>;

struct DecodedText {
  std::string text;
  std::vector<Word> words;
};

enum class TokenizerKind {
  characters,  ///< a token a character, a word delimiter between words
  phonemes,    ///< a token a phoneme of any length; texts have spaces between them
};

class Tokenizer {
 public:
  /// The 32 tokens of facebook/wav2vec2-base-960h, built in.
  static Tokenizer base_960h();

  /// The special tokens <pad>, <s>, </s>, <unk> and "|" with the ids from 0 to 4, as
  /// Wav2Vec2CTCTokenizer expects them, and behind them `characters`, each of them once.
  static Tokenizer of_characters(const std::vector<std::string>& characters);

  /// Reads vocab.json and, where they are there, tokenizer_config.json, special_tokens_map.json and
  /// added_tokens.json, as published or as transformers 5 writes them. Special tokens that the
  /// files name but give no id follow behind the others. Throws Error naming the file for a missing
  /// or malformed one, a class or field that is not honoured here (tokenizer_fields.h), a
  /// vocabulary of several languages of which none is chosen, or an id that two tokens share. Where
  /// transformers 5.23 differs: loading from a folder it ignores a configured word_delimiter_token,
  /// and where the unknown token is not in vocab.json it fails on a text that needs it.
  static Tokenizer load(const std::filesystem::path& folder);

  TokenizerKind kind() const { return kind_; }
  /// What load() has to tell the user, a sentence each.
  const std::vector<std::string>& notes() const { return notes_; }

  /// Writes vocab.json, tokenizer_config.json and special_tokens_map.json, which transformers 4 and
  /// 5 load as this tokenizer. The folder must exist. Throws Error when they cannot be written.
  void save(const std::filesystem::path& folder) const;

  /// Token ids of UTF-8 `text`: one a character, a space becomes the word delimiter, a token of
  /// several characters written out ("<unk>") becomes its id and takes the white space around it
  /// away. Case is kept unless the configuration asks for do_lower_case, which makes text upper
  /// case first. Characters outside the vocabulary become the unknown token and are added to
  /// `*unknown`, if given. Throws Error if `text` is not UTF-8.
  ///
  /// Of phonemes, what stands between spaces is a token. Transformers can make phonemes of words
  /// first, with another program; here they must be phonemes already, as with its
  /// do_phonemize=False.
  std::vector<int32_t> encode(const std::string& text, CharacterCounts* unknown = nullptr) const;

  /// Whether `c` can stand in a text and encode() has a token for it: a space can, a character that
  /// is a special token (as "-" is the pad token of some) cannot.
  bool has(char32_t c) const;
  /// The length of the token of several characters that `text` begins with, which encode() takes as
  /// a whole; 0: none.
  size_t whole_token_at(std::u32string_view text) const;
  /// Whether texts are made upper case before they are encoded, and lower case after decoding.
  bool in_lower_case() const { return lower_case_; }

  /// The text of the best token of every frame, by greedy CTC decoding: repeats are joined, blanks
  /// dropped, word delimiters become spaces, the ends are stripped. <s>, </s> and <unk> are printed
  /// as they are; an id outside the vocabulary reads as the unknown token. Phonemes are written
  /// with spaces between them, and word delimiters left out. Graves et al., "Connectionist Temporal
  /// Classification", ICML 2006, section 3.2 (best path decoding).
  std::string decode(std::span<const int32_t> frames) const { return decode_words(frames).text; }

  /// The same with the words that stand between delimiters, as transformers finds them with
  /// output_word_offsets: in the vocabulary's case even where do_lower_case makes the text lower
  /// case. Of phonemes each is one, as with output_char_offsets.
  DecodedText decode_words(std::span<const int32_t> frames) const;

  /// The pad token's id, which is CTC's blank.
  int32_t blank_id() const { return blank_id_; }
  /// What encode() gives for what the vocabulary lacks. It may be no id of the vocabulary file.
  int32_t unknown_id() const { return unknown_id_; }
  /// The largest id plus one. A model's vocab_size is at least the ids of vocab.json.
  int64_t size() const { return static_cast<int64_t>(tokens_.size()); }
  /// The token of an id; empty for an id that is not used.
  const std::vector<std::string>& tokens() const { return tokens_; }

 private:
  /// A token that is recognised as a whole inside a text.
  struct Whole {
    std::u32string text;
    int32_t id = 0;
    bool strip_left = false, strip_right = false;  ///< takes white space on that side away
  };
  struct Piece {
    std::u32string_view text;
    const Whole* whole = nullptr;
  };

  Tokenizer() = default;
  void read_config(const nlohmann::json& config, const std::filesystem::path& folder);
  void read_special_tokens(const nlohmann::json& object, const std::filesystem::path& origin);
  void read_added_tokens_decoder(const nlohmann::json& decoder, const std::filesystem::path& path);
  void check_known(const nlohmann::json& config, const std::filesystem::path& path) const;
  void read_added_tokens(const std::filesystem::path& folder);
  void add_token(const std::string& text, int64_t id, bool strip_left, bool strip_right,
                 const std::filesystem::path& origin);
  /// Gives ids to special tokens without one and draws up the tables that encode and decode use.
  void finish(const std::filesystem::path& origin);
  void find_whole_tokens();
  std::vector<Piece> split(std::u32string_view text) const;
  DecodedText decode_phonemes(std::span<const int32_t> frames) const;
  const Whole* whole_at(std::u32string_view text) const;
  const std::string& token_of(int32_t id) const;

  std::map<std::string, int32_t> vocabulary_;  ///< vocab.json
  std::map<std::string, Whole> added_;         ///< tokens beyond it
  std::string pad_ = "<pad>", unknown_ = "<unk>";
  std::string begin_ = "<s>", end_ = "</s>";  ///< empty: there is none
  std::string delimiter_ = "|", delimiter_text_ = " ";
  bool lower_case_ = false, clean_up_ = false;
  TokenizerKind kind_ = TokenizerKind::characters;
  /// Of phonemes, as read: what transformers tells the program that makes phonemes of words.
  std::string phone_delimiter_ = " ", phonemizer_language_ = "en-us", phonemizer_ = "espeak";
  bool phonemizes_ = true;
  std::vector<std::string> notes_;

  std::unordered_map<std::string, int32_t> ids_;  ///< all tokens
  std::vector<std::string> tokens_;               ///< by id
  std::vector<Whole> wholes_;                     ///< tokens of several characters, longest first
  int32_t blank_id_ = 0, unknown_id_ = 0;
};

}  // namespace flowqat::io
