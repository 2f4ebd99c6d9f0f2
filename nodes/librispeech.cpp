/// A corpus in LibriSpeech's layout: SPLIT/SPEAKER/CHAPTER/*.flac with a .trans.txt a chapter.
#include "io/librispeech.h"

#include "graph/error.h"
#include "graph/registry.h"
#include "io/error.h"

namespace flowqat::nodes {
namespace {

class LibriSpeech : public graph::Source {
 public:
  explicit LibriSpeech(const graph::NodeArguments& arguments)
      : Source(arguments.name),
        root_(arguments.params.text("root")),
        splits_(arguments.params.texts("splits")),
        hours_(arguments.params.number("hours")) {}

  double hours() const override { return hours_; }

  graph::Index read_index(int threads) const override {
    graph::Index index;
    try {
      for (io::CorpusEntry& entry : io::scan_librispeech(root_, splits_, threads)) {
        index.push_back({.id = std::move(entry.id),
                         .path = entry.path.string(),
                         .transcript = std::move(entry.transcript),
                         .group = std::move(entry.split),
                         .shape = {entry.audio.samples, entry.audio.rate_hz},
                         .channels = entry.audio.channels,
                         .broken = std::move(entry.broken)});
      }
    } catch (const io::Error& error) {
      throw graph::RunError("node \"" + name() + "\", key \"root\": " + error.what());
    }
    return index;
  }

 private:
  std::string root_;
  std::vector<std::string> splits_;
  double hours_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "librispeech",
    .doc = "a corpus in LibriSpeech's folder layout",
    .output = graph::EdgeKind::utterances,
    .params =
        {
            {.name = "root",
             .kind = ParamKind::path,
             .doc = "the folder of the splits, or the one that holds LibriSpeech/"},
            {.name = "splits",
             .kind = ParamKind::texts,
             .fallback = graph::Json::array(),
             .doc = "splits to read, in this order; none named: all that are there"},
            {.name = "hours",
             .kind = ParamKind::number,
             .fallback = 0,
             .unit = "h",
             .minimum = 0,
             .doc = "presented hours an epoch, a subset drawn with the seed; 0: the whole corpus"},
        },
    .make = [](graph::NodeArguments a) { return std::make_unique<LibriSpeech>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
