/// Every audio file below a folder, without transcripts.
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
        extensions_(arguments.params.texts("extensions")) {
    if (extensions_.empty()) {
      throw graph::GraphError("key \"extensions\": must name at least one, found []");
    }
  }

 private:
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_audio_folder(root_, extensions_, scanning);
  }
  std::string identity() const override {
    std::vector<std::string> parts{std::filesystem::absolute(root_), root_};
    parts.insert(parts.end(), extensions_.begin(), extensions_.end());
    return identity_of("folder", parts);
  }

  std::string root_;
  std::vector<std::string> extensions_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "folder",
    .doc = "every audio file below a folder, without transcripts",
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
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<Folder>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
