/// Every audio file below a folder, with the text file that may stand beside each.
#include <filesystem>

#include "graph/error.h"
#include "io/corpus/audio_folder.h"
#include "nodes/support/corpus_source.h"

namespace flowqat::nodes {
namespace {

class Folder : public CorpusSource {
 public:
  explicit Folder(const graph::NodeArguments& arguments)
      : CorpusSource(arguments, "root"),
        root_(arguments.params.text("root")),
        extensions_(arguments.params.texts("extensions")),
        texts_(arguments.params.texts("texts")) {
    if (extensions_.empty()) {
      throw graph::GraphError("key \"extensions\": must name at least one, found []");
    }
  }

 private:
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_audio_folder(root_, extensions_, scanning, texts_);
  }
  std::string describe_texts() const override {
    if (texts_.empty()) return "the key \"texts\" names no ending of files with transcripts";
    std::string endings;
    for (const std::string& ending : texts_) endings += (endings.empty() ? "." : ", .") + ending;
    return "expected a text beside each recording in " + root_ +
           ", of the same name and ending in " + endings;
  }
  std::string identity() const override {
    std::vector<std::string> parts{std::filesystem::absolute(root_), root_};
    parts.insert(parts.end(), extensions_.begin(), extensions_.end());
    parts.emplace_back();
    parts.insert(parts.end(), texts_.begin(), texts_.end());
    return identity_of("folder", parts);
  }

  std::string root_;
  std::vector<std::string> extensions_, texts_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "folder",
    .doc = "every audio file below a folder, with the text file that stands beside it",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "root",
         .kind = ParamKind::path,
         .doc = "the folder; an utterance's id is its file's path from there",
         .may_change = true},
        {.name = "extensions",
         .kind = ParamKind::texts,
         .fallback = io::audio_extensions(),
         .doc = "endings of the files that are read, upper or lower case"},
        {.name = "texts",
         .kind = ParamKind::texts,
         .fallback = io::text_extensions(),
         .doc = "endings of the text files that may stand beside recordings, of the same name: the "
                "first that is there holds the transcript; where any recording has one, those "
                "without are rejected; none named: no transcripts"},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<Folder>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
