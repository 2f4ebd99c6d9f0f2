#include "nodes/support/corpus_source.h"

#include <nlohmann/json.hpp>

#include "graph/error.h"
#include "io/corpus/index_cache.h"
#include "io/files/error.h"
#include "io/text/unicode.h"

namespace flowqat::nodes {

using graph::ParamKind;

namespace {

/// A transcript that is no text costs its utterance, and one of white space is none.
void check_text(io::CorpusEntry& entry) {
  try {
    const std::u32string text = io::from_utf8(entry.transcript);
    if (io::strip_left(text).empty()) entry.transcript.clear();
  } catch (const io::Error& error) {
    entry.transcript.clear();
    if (entry.broken.empty()) entry.broken = std::string("its transcript: ") + error.what();
  }
}

}  // namespace

CorpusSource::CorpusSource(const graph::NodeArguments& arguments, std::string place_key)
    : Source(arguments.name),
      place_key_(std::move(place_key)),
      hours_(arguments.params.number("hours")),
      min_duration_s_(arguments.params.number("min_duration_s")),
      max_duration_s_(arguments.params.number("max_duration_s")),
      cache_(arguments.params.flag("cache")) {
  if (max_duration_s_ > 0 && max_duration_s_ < min_duration_s_) {
    throw graph::GraphError("key \"max_duration_s\": is less than \"min_duration_s\"");
  }
}

std::string CorpusSource::describe_transcripts() const try {
  return describe_texts();
} catch (const io::Error& error) {
  return error.what();
}

graph::Index CorpusSource::read_index(const graph::IndexReading& reading) const try {
  const auto utterances =
      io::cached_utterances(cache_ ? io::index_cache_folder() : "", identity(), [&] {
        if (reading.progress) reading.progress(0, 0);
        io::Corpus corpus = scan({reading.threads, reading.progress});
        for (io::CorpusEntry& entry : corpus.entries) check_text(entry);
        return corpus;
      });
  return graph::Index(utterances, {.shortest_s = min_duration_s_, .longest_s = max_duration_s_});
} catch (const io::Error& error) {
  throw graph::RunError("node \"" + name() + "\", key \"" + place_key_ + "\": " + error.what());
}

std::vector<graph::ParamSpec> corpus_params(std::vector<graph::ParamSpec> own) {
  own.push_back({.name = "hours",
                 .kind = ParamKind::number,
                 .fallback = 0,
                 .unit = "h",
                 .minimum = 0,
                 .doc = "presented hours an epoch, a subset drawn with the seed; 0: the whole "
                        "corpus"});
  own.push_back({.name = "min_duration_s",
                 .kind = ParamKind::number,
                 .fallback = 0,
                 .unit = "s",
                 .minimum = 0,
                 .doc = "shorter recordings are left out, as their headers say"});
  own.push_back({.name = "max_duration_s",
                 .kind = ParamKind::number,
                 .fallback = 0,
                 .unit = "s",
                 .minimum = 0,
                 .doc = "longer recordings are left out; 0: none is too long"});
  own.push_back({.name = "cache",
                 .kind = ParamKind::boolean,
                 .fallback = true,
                 .doc = "keep the index under ~/.cache/flowqat until a folder of the corpus "
                        "changes",
                 .may_change = true});
  return own;
}

std::string identity_of(const std::string& type, const std::vector<std::string>& parts) {
  return graph::Json{type, parts}.dump(-1, ' ', false, graph::Json::error_handler_t::replace);
}

}  // namespace flowqat::nodes
