/// Audio files named one by one, without transcripts: what `flowqat transcribe` reads.
#include "graph/registry.h"
#include "io/audio_file.h"
#include "io/error.h"

namespace flowqat::nodes {
namespace {

class Files : public graph::Source {
 public:
  explicit Files(const graph::NodeArguments& arguments)
      : Source(arguments.name), paths_(arguments.params.texts("paths")) {}

  graph::Index read_index(int) const override {
    graph::Index index;
    for (const std::string& path : paths_) {
      graph::IndexEntry entry;
      entry.id = std::to_string(index.size());
      entry.path = path;
      try {
        const io::AudioInfo info = io::read_audio_info(std::filesystem::path(path));
        entry.shape = {info.samples, info.rate_hz};
        entry.channels = info.channels;
      } catch (const io::Error& error) {
        entry.broken = error.what();
      }
      index.push_back(std::move(entry));
    }
    return index;
  }

 private:
  std::vector<std::string> paths_;
};

const graph::Register registered({
    .name = "files",
    .doc = "audio files named one by one, without transcripts",
    .output = graph::EdgeKind::utterances,
    .params = {{.name = "paths",
                .kind = graph::ParamKind::texts,
                .doc = "the files, in the order of the results"}},
    .make = [](graph::NodeArguments a) { return std::make_unique<Files>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
