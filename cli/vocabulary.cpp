/// `flowqat vocabulary`: the tokens of a corpus, for a model that is to learn it.
#include "io/text/vocabulary.h"

#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "cli/arguments.h"
#include "cli/audio_graph.h"
#include "cli/commands.h"
#include "cli/index_progress.h"
#include "cli/output_file.h"
#include "cli/terminal.h"
#include "cli/text_width.h"
#include "graph/error.h"
#include "graph/output_error.h"
#include "graph/plain_numbers.h"
#include "io/files/error.h"
#include "nodes/support/transcripts.h"

namespace flowqat::cli {
namespace {

namespace fs = std::filesystem;

struct VocabularyArguments {
  std::string corpus;
  std::vector<std::string> splits;
  std::string letter_case = "auto";
  int64_t min_count = 1;
  std::string keep;
  std::string out;  ///< a folder, or a file that ends in .json; empty: standard output
  bool overwrite = false;
};

/// The transcripts of what can be used.
std::vector<std::string> read_texts(const VocabularyArguments& arguments, Terminal& terminal) {
  const CorpusListing corpus(
      {.command = "vocabulary", .manifest = arguments.corpus, .splits = arguments.splits});
  std::vector<std::string> texts;
  int64_t broken = 0;
  for (graph::IndexEntry entry : corpus.read(index_progress(terminal))) {
    broken += entry.broken.empty() ? 0 : 1;
    if (entry.broken.empty() && !entry.transcript.empty()) {
      texts.push_back(std::move(entry.transcript));
    }
  }
  if (texts.empty()) {
    const std::string found = corpus.describe_transcripts();
    throw graph::GraphError(arguments.corpus + ": holds no transcript to take characters from" +
                            (found.empty() ? "" : "; " + printable(found)));
  }
  if (broken > 0) {
    terminal.say("flowqat: " + graph::counted(broken, "utterance") +
                 " cannot be used and left out; flowqat inspect names them");
  }
  return texts;
}

std::string list_of(const io::CharacterCounts& counts) { return nodes::worst_first(counts); }

void tell(const io::Vocabulary& vocabulary, size_t texts, Terminal& terminal) {
  terminal.say(graph::counted(std::ssize(vocabulary.characters), "character") + " of " +
               graph::counted(static_cast<int64_t>(texts), "transcript") + ": " +
               list_of(vocabulary.counts));
  if (vocabulary.is_turkish) {
    terminal.say("I and \u0131, \u0130 and i are taken for pairs, as in Turkish");
  }
  if (!vocabulary.left_out.empty()) {
    terminal.say("left out: " + list_of(vocabulary.left_out) +
                 "; write signs out as they are spoken, or --keep them");
  }
  if (!vocabulary.tags.empty()) {
    terminal.say("tags in brackets, left out: " + nodes::tags_list(vocabulary.tags));
  }
}

int make(const VocabularyArguments& arguments) {
  Terminal terminal;
  const bool is_file = arguments.out.ends_with(".json");
  const fs::path folder = is_file ? "" : arguments.out;
  if (!is_file && !arguments.out.empty() && !arguments.overwrite) {
    refuse_existing({(folder / "vocab.json").string(), (folder / "tokenizer_config.json").string(),
                     (folder / "special_tokens_map.json").string()});
  }
  OutputFile file(is_file ? arguments.out : "", arguments.overwrite);
  const std::vector<std::string> texts = read_texts(arguments, terminal);
  const io::Vocabulary vocabulary =
      io::make_vocabulary(texts, {.letter_case = io::parse_letter_case(arguments.letter_case),
                                  .min_count = arguments.min_count,
                                  .keep = arguments.keep});
  if (vocabulary.characters.empty()) {
    throw graph::GraphError(arguments.corpus + ": its transcripts hold no character for a token");
  }
  tell(vocabulary, texts.size(), terminal);
  const io::Tokenizer tokenizer = vocabulary.tokenizer();
  graph::Json json = graph::Json::object();
  for (size_t id = 0; id < tokenizer.tokens().size(); ++id) json[tokenizer.tokens()[id]] = id;
  const std::string text = json.dump(2) + "\n";
  if (arguments.out.empty()) {
    terminal.result(text);
    return kDone;
  }
  if (is_file) {
    file.write(text);
  } else {
    std::error_code refused;
    fs::create_directories(folder, refused);
    if (refused) {
      throw graph::OutputError(folder.string() + ": cannot be created: " + refused.message());
    }
    tokenizer.save(folder);
  }
  terminal.say("written to " + arguments.out);
  return kDone;
}

}  // namespace

Command vocabulary_command() {
  const auto told = std::make_shared<VocabularyArguments>();
  return {
      .name = "vocabulary",
      .doc = "makes the vocabulary of a corpus, for a model that is to learn it",
      .notes =
          "Letters, digits and apostrophes in words become tokens, behind the special ones "
          "that transformers' Wav2Vec2CTCTokenizer expects. A model node takes the folder "
          "by its key \"vocabulary\".",
      .examples = {"flowqat vocabulary data/demo --out vocabularies/demo",
                   "flowqat vocabulary corpus.jsonl --case lower >vocab.json"},
      .arguments = {{.name = "CORPUS",
                     .value = "FILE|DIR",
                     .doc = "a manifest or table, a folder in LibriSpeech's layout or of audio "
                            "with texts beside it, or tar shards",
                     .target = &told->corpus,
                     .required = true,
                     .option = "--manifest"},
                    split_option(told->splits),
                    output_option(told->out, "--out",
                                  "write vocab.json and the tokenizer's files into this folder, "
                                  "or vocab.json alone as this file, which ends in .json; "
                                  "without it vocab.json is printed",
                                  "DIR|FILE"),
                    overwrite_option(told->overwrite),
                    {.name = "--case",
                     .value = "CASE",
                     .doc = "of the letters; auto: as written where all are of one case, else "
                            "lower",
                     .target = &told->letter_case,
                     .choices = io::letter_case_names()},
                    {.name = "--min-count",
                     .value = "N",
                     .doc = "leave out characters that are there less often",
                     .target = &told->min_count,
                     .minimum = 1,
                     .maximum = 1e9},
                    {.name = "--keep",
                     .value = "CHARACTERS",
                     .doc = "signs and punctuation that become tokens too, such as \"%&-\"",
                     .target = &told->keep}},
      .run = [told] { return make(*told); }};
}

}  // namespace flowqat::cli
