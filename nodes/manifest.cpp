/// A corpus that a manifest lists: of NeMo, fairseq or lhotse, or a table.
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
        audio_root_(arguments.params.text("audio_root")),
        keys_{.audio = arguments.params.text("audio_key"),
              .text = arguments.params.text("text_key")} {}

 private:
  io::Corpus scan(const io::Scanning& scanning) const override {
    return io::scan_manifest(path_, options(), scanning);
  }
  std::string describe_texts() const override { return io::describe_texts(path_, options()); }
  std::string identity() const override {
    const auto absolute = [](const std::string& path) {
      return path.empty() ? "" : std::filesystem::absolute(path).string();
    };
    return identity_of("manifest", {absolute(path_), path_, format_, absolute(audio_root_),
                                    audio_root_, keys_.audio, keys_.text});
  }
  io::ManifestOptions options() const {
    return {.format = io::parse_manifest_format(format_), .audio_root = audio_root_, .keys = keys_};
  }

  std::string path_, format_, audio_root_;
  io::ManifestKeys keys_;
};

using graph::ParamKind;

const graph::Register registered({
    .name = "manifest",
    .doc = "the utterances that a manifest of NeMo, fairseq or lhotse, or a table, lists",
    .output = graph::EdgeKind::utterances,
    .params = corpus_params({
        {.name = "path",
         .kind = ParamKind::path,
         .doc = "the manifest: JSON Lines of NeMo, a fairseq TSV with its .wrd or .ltr beside it, "
                "JSON Lines of lhotse cuts, or a table (CSV, TSV) with named columns such as "
                "Common Voice's; each may be compressed with gzip",
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
        {.name = "audio_key",
         .kind = ParamKind::text,
         .fallback = "",
         .doc = "the key (NeMo) or column (table) of the audio; empty: audio_filepath, or for "
                "tables path, file_name and others of the kind"},
        {.name = "text_key",
         .kind = ParamKind::text,
         .fallback = "",
         .doc = "the key or column of the transcripts; empty: text, or for tables sentence, text, "
                "transcript, transcription"},
    }),
    .make = [](graph::NodeArguments a) { return std::make_unique<Manifest>(a); },
});

}  // namespace
}  // namespace flowqat::nodes
