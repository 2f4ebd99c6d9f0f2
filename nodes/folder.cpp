/// Every audio file below a folder, without transcripts.
#include "graph/error.h"
#include "graph/registry.h"
#include "io/audio_folder.h"
#include "io/error.h"

namespace flowqat::nodes {
namespace {

class Folder : public graph::Source {
 public:
  explicit Folder(const graph::NodeArguments& arguments)
      : Source(arguments.name),
        root_(arguments.params.text("root")),
        extensions_(arguments.params.texts("extensions")) {
    if (extensions_.empty()) {
      throw graph::GraphError("key \"extensions\": must name at least one, found []");
    }
  }

  graph::Index read_index(int threads) const override {
    graph::Index index;
    try {
      const auto files = io::audio_files_below(root_, extensions_);
      const auto headers = io::read_audio_headers(files, threads);
      for (size_t i = 0; i < files.size(); ++i) {
        const auto place = files[i].lexically_relative(root_);
        graph::IndexEntry entry;
        entry.id = place.generic_string();
        entry.path = files[i].string();
        entry.group = place.parent_path().generic_string();
        entry.shape = {headers[i].audio.samples, headers[i].audio.rate_hz};
        if (headers[i].broken.empty()) entry.channels = headers[i].audio.channels;
        entry.broken = headers[i].broken;
        index.push_back(std::move(entry));
      }
    } catch (const io::Error& error) {
      throw graph::RunError("node \"" + name() + "\", key \"root\": " + error.what());
    }
    return index;
  }

 private:
  std::filesystem::path root_;
  std::vector<std::string> extensions_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "folder",
    .doc = "every audio file below a folder, without transcripts",
    .output = graph::EdgeKind::utterances,
    .params = {{.name = "root",
                .kind = ParamKind::path,
                .doc = "the folder; an utterance's id is its file's path from there"},
               {.name = "extensions",
                .kind = ParamKind::texts,
                .fallback = io::audio_extensions(),
                .doc = "endings of the files that are read, upper or lower case"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Folder>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
