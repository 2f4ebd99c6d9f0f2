/// A corpus that a manifest lists: of NeMo, fairseq or lhotse.
#include "io/corpus/manifest.h"

#include <filesystem>

#include "nodes/support/corpus_source.h"

namespace flowqat::nodes {
namespace {

class Manifest : public CorpusSource {
 public:
  explicit Manifest(const graph::NodeArguments& arguments)
      : CorpusSource(arguments, "path"),
        path_(arguments.params.text("path")),
        format_(arguments.params.text("format")),
        audio_root_(arguments.params.text("audio_root")) {}

 private:
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_manifest(
        path_, {.format = io::parse_manifest_format(format_), .audio_root = audio_root_}, scanning);
  }
  std::string identity() const override {
    const auto absolute = [](const std::string& path) {
      return path.empty() ? "" : std::filesystem::absolute(path).string();
    };
    return identity_of("manifest",
                       {absolute(path_), path_, format_, absolute(audio_root_), audio_root_});
  }

  std::string path_, format_, audio_root_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "manifest",
    .doc = "the utterances that a manifest of NeMo, fairseq or lhotse lists",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "path",
         .kind = ParamKind::path,
         .doc = "the manifest: JSON Lines of NeMo, a fairseq TSV with its .wrd or .ltr beside it, "
                "or JSON Lines of lhotse cuts; each may be compressed with gzip",
         .may_change = true},
        {.name = "format",
         .kind = ParamKind::choice,
         .fallback = "auto",
         .choices = io::manifest_format_names(),
         .doc = "auto: told by the first lines"},
        {.name = "audio_root",
         .kind = ParamKind::path,
         .fallback = "",
         .doc = "the folder that relative paths of audio start from; empty: the manifest's own, or "
                "the one that fairseq's first line names",
         .may_change = true},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<Manifest>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
